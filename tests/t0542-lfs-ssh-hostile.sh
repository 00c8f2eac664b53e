#!/bin/sh
test_description='Git LFS over SSH: a client and a server that misbehave get errors, and nothing else'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
wire=$dvx_top/tests/tools/lfsssh.py

# --- the server, asked by somebody hostile -----------------------------------------------------------------------

# near SCENARIO [OPTION...]: against a server of a new repository; what it said is in `out`, statuses alone in `statuses`.
near() {
	near_scenario=$1
	shift
	rm -rf hub.git && git init -q --bare hub.git &&
		python3 "$wire" near "$near_scenario" git-dvx-transfer lfs-ssh --owner ann "$@" hub.git "${operation:-upload}" >out 2>err || return
	cut -c1-400 out
	cat err
	sed -n 's/^status \([0-9]*\).*/\1/p' out | tail -n +2 | tr '\n' ' ' | sed 's/ $//' >statuses
}

# answers SCENARIO 'STATUS…' [OPTION...]: these, and the connection ends in order.
answers() {
	answers_expected=$2 answers_scenario=$1
	shift 2
	near "$answers_scenario" "$@" && test "$(cat statuses)" = "$answers_expected" && grep -x "exit 0" out && test ! -s err
}

# nothing_stored: nor is anything being written.
nothing_stored() {
	for ns_dir in packs fragments tmp server/incoming server/cache; do
		test -z "$(find "hub.git/dvx/$ns_dir" -type f ! -name boot 2>/dev/null)" || { find hub.git/dvx; return 1; }
	done
}

test_expect_success 'what is right is stored, and comes back' '
	answers right "200 200 200 200" && grep "^status 200 size=24000 | sha256:$(perl -e "print qq(some bytes of an object\n) x 1000" | sha256sum | cut -d" " -f1)$" out && ! nothing_stored
'

for scenario in noise bad-length endless-arguments long-arguments nul two-delimiters empty-message cut; do
	test_expect_success "a client that breaks the protocol is told so and left: $scenario" "
		near $scenario && grep '^exit 128' out && test \"\$(grep -c '^error: ' err)\" = 1 && ! grep Traceback err && nothing_stored
	"
done

test_expect_success 'a put of other bytes, of less, of more, of another size, of none: refused, not stored, and the connection goes on' '
	for scenario in wrong-hash less-data more-data wrong-size; do answers $scenario "422 404" && nothing_stored || return 1; done &&
	for scenario in no-size no-data; do answers $scenario "400 404" && nothing_stored || return 1; done &&
	answers bad-size "400 400 400 400 400" && nothing_stored
'

test_expect_success 'an id that is none is refused, whatever it looks like' '
	answers bad-ids "$(perl -e "print join(q( ), (400) x 24)")" && nothing_stored
'

test_expect_success 'an object that is not here, and one of another size' '
	answers unknown-object "404 404 404" && answers other-size "200 409 200"
'

test_expect_success 'batches: 10,000 objects, one more, bad lines, another hash, none' '
	answers batch "200 200" && tail -n 2 out | head -n 1 | grep "noop;07*.* 5 upload;" && grep -c " upload" out &&
	answers batch-10000 200 && answers batch-10001 "413 404" && answers batch-bad-line "400 404" && answers batch-bad-size "400 404" &&
	answers batch-sha1 "409 404" && answers batch-empty "200 200"
'

test_expect_success 'paths of locks, ids of locks, limits' '
	answers lock-bad-paths "400 400 400 400 400 400 400 400 400 400" && test -z "$(find hub.git -path "*lock*" -type f)" &&
	answers lock-twice "201 409 200 200" && answers lock-no-path 400 && answers unlock-bad "400 404 404 404 404" && answers list-bad "400 400 200"
'

test_expect_success 'what is not known is skipped' '
	answers unknown-command "400 404" && answers unknown-arguments "404 404" && near version-2 && grep "^status 400 | .*version 1" out && grep "^exit 0" out
'

test_expect_success 'for reading only, or opened for downloads: nothing is written, nothing locked' '
	answers right "403 404 404 200" --read-only && nothing_stored && answers lock-twice "403 403 200 200" --read-only &&
	operation=download answers right "403 404 404 200" && nothing_stored && operation=download answers lock-twice "403 403 200 200" &&
	answers batch "403 403" --read-only && operation=lock answers lock-twice "201 409 200 200" && operation=lock answers right "403 404 404 200"
'

test_expect_success 'the name of an owner is bounded, and no protocol' '
	test_expect_code 128 git-dvx-transfer lfs-ssh --owner "a
b" hub.git upload </dev/null 2>err && grep "^error: .*owner" err && test_expect_code 128 git-dvx-transfer lfs-ssh --owner "$(perl -e "print q(x) x 300")" hub.git upload </dev/null &&
	for name in GIT_DVX_OWNER GL_USERNAME GL_USER GL_ID; do
		rm -rf hub.git && git init -q --bare hub.git && env "$name=by $name" python3 "$wire" near lock-twice git-dvx-transfer lfs-ssh hub.git upload >out && grep "^status 201.*ownername=by $name " out || return 1
	done
'

test_expect_success 'who the host says that somebody is, no option can change' '
	GIT_DVX_OWNER=ada test_expect_code 128 git-dvx-transfer lfs-ssh --owner ben hub.git upload </dev/null 2>err && grep "GIT_DVX_OWNER" err
'

# --- the client, in front of a hostile server --------------------------------------------------------------------

# The far side is a program beside us, in place of ssh.
cat >fake-ssh <<-END
	#!/bin/sh
	echo "\$*" >>"$TRASH/started"
	case \$* in
	*git-lfs-transfer*) exec python3 "$wire" far "\$SCENARIO" "$TRASH/far" "\${*##* }" ;;
	*) echo "no \$*" >&2; exit 127 ;;
	esac
END
chmod +x fake-ssh
# shellcheck disable=SC2089,SC2090 # for the shell that Git starts
GIT_SSH_COMMAND="'$TRASH/fake-ssh'"
GIT_SSH_VARIANT=ssh
# shellcheck disable=SC2090
export GIT_SSH_COMMAND GIT_SSH_VARIANT

# far SCENARIO: a server that has the objects of `requests`; here: the same, but it has nothing.
far() {
	SCENARIO=$1
	export SCENARIO
	rm -rf far && mkdir far
}
far_with_objects() {
	far "$1" && for fw_file in big small1 small2 small3; do cp "$fw_file" "far/$(oid_of "$fw_file")" || return; done
}

# lfs_client NAME: a repository whose Git remote is that server.
lfs_client() {
	rm -rf "$1" && git init -q "$1" && git -C "$1" remote add origin ssh://server.example/hub.git && git -C "$1" config dvx.retries 1
}

random_file big 3000000 big
for i in 1 2 3; do random_file "small$i" "$((i * 700))" "small $i"; done
lfs_client full && for f in big small1 small2 small3; do store_file full "$f" || exit 1; done >requests
grep small1 requests >one

# nothing_arrived: no object is in the client's store.
nothing_arrived() {
	test -z "$(find client/.git/lfs/objects client/.git/dvx/packs -type f 2>/dev/null)"
}
# With quick=t: one object, once, and no waiting.
impatient() {
	requests=requests
	if [ -n "${quick:-}" ]; then
		requests=one && git -C client config dvx.retries 0 && git -C client config dvx.stallSeconds 1
	fi
}
# fetch SCENARIO CODE: download all with that server.
fetch() {
	far_with_objects "$1" && lfs_client client && impatient && test_expect_code "$2" download client "$requests" >out 2>err
	fetch_code=$?
	cat out err
	return "$fetch_code"
}
push() {
	far "$1" && lfs_client client && impatient && cp -r full/.git/lfs client/.git/ && test_expect_code "$2" upload client "$requests" >out 2>err
	push_code=$?
	cat out err
	return "$push_code"
}
# answers_four PATTERN: every object has an answer that matches.
answers_four() {
	test "$(grep -c "$1" out)" = 4
}

test_expect_success 'a server that behaves: there and back, with what it wants said again' '
	fetch tokens 0 && has_objects client requests && grep -c "id=7" far/asked && fetch locking-first 0 && has_objects client requests &&
	push well 0 && answers_four "^ok" && for f in big small1 small2 small3; do cmp "$f" "far/$(oid_of "$f")" || return 1; done && test "$(grep -c ^verify far/asked)" = 4
'

test_expect_success 'wrong bytes, too few, too many, without end, of another size: an error for each object, nothing kept' '
	for scenario in wrong-bytes short long endless other-size no-body; do
		fetch $scenario 1 && answers_four "^error [0-9a-f]* corrupt" && nothing_arrived || { echo "$scenario"; return 1; }
	done
'

test_expect_success 'no size in an answer is no matter: the hash decides' '
	fetch no-size 0 && has_objects client requests
'

test_expect_success 'a server that dies, or does not keep to the protocol' '
	for scenario in dies bad-status binary-status get-500; do
		fetch $scenario 1 && answers_four "^error [0-9a-f]* remote" && nothing_arrived || { echo "$scenario"; return 1; }
	done
'

test_expect_success 'a server that stalls, or never answers' '
	for scenario in stall get-never; do
		quick=t fetch $scenario 1 && grep "^error [0-9a-f]* remote .*has not answered" out && nothing_arrived || return 1
	done && quick=t push put-never 1 && grep "^error [0-9a-f]* remote .*has not answered" out &&
	quick=t fetch batch-never 128 && grep "^fatal remote .*has not answered" out && quick=t fetch never-hello 128 && grep "^fatal remote .*has not answered" out && nothing_arrived
'

test_expect_success 'a server that dies once is asked again, and so is one that is busy' '
	fetch dies-once 0 && has_objects client requests && fetch batch-503-once 0 && has_objects client requests && push put-dies-once 0 && answers_four "^ok" && test "$(ls far | grep -c "^[0-9a-f]\{64\}$")" = 4
'

test_expect_success 'batches: refused, foreign objects, other sizes, another hash, without end, no answer' '
	fetch batch-403 128 && grep "^fatal denied .*403: go away?\[31m" out && fetch batch-foreign 128 && grep "^fatal remote .*not asked for" out && fetch batch-other-size 128 && grep "^fatal remote .*said to have" out &&
	fetch batch-sha512 128 && grep "^fatal remote .*sha512" out && fetch batch-endless 128 && grep "^fatal remote .*too many lines" out && nothing_arrived
'

test_expect_success 'what the server does not have is missing, and what it has no word about' '
	fetch batch-silent 1 && answers_four "^error [0-9a-f]* notfound" && fetch get-404 1 && answers_four "^error [0-9a-f]* notfound" && nothing_arrived &&
	far well && lfs_client client && test_expect_code 1 download client requests >out && answers_four "^error [0-9a-f]* notfound"
'

test_expect_success 'an upload counts only when the server can be shown to have it' '
	push put-lies 1 && answers_four "^error [0-9a-f]* notfound" && push put-507 1 && answers_four "^error [0-9a-f]* limit .*no room" && push put-422 1 && answers_four "^error [0-9a-f]* invalid" &&
	push put-dies 1 && answers_four "^error [0-9a-f]* remote"
'

test_expect_success 'an object that is damaged here is not sent, the others are' '
	far well && lfs_client client && cp -r full/.git/lfs client/.git/ && flip_byte "$(object_path client "$(oid_of big)")" 2000000 &&
	test_expect_code 1 upload client requests >out && cat out && grep "^error $(oid_of big) corrupt" out && test "$(grep -c ^ok out)" = 3 && test ! -e "far/$(oid_of big)"
'

test_expect_success 'no git-lfs-transfer, or none that is for us: HTTPS is asked' '
	for scenario in garbage says-nothing version-2; do
		far_with_objects $scenario && lfs_client client && git -C client remote set-url origin ssh://127.0.0.1/hub.git && git -C client config dvx.retries 0 && rm -f started &&
		test_expect_code 128 download client requests >out 2>err; cat out err; grep "^fatal remote .*127.0.0.1: cannot connect" out && grep git-lfs-transfer started || return 1
	done
'

test_expect_success 'locks: a listing that is mixed up, or has no end, or an answer without its parts' '
	for scenario in list-mixed list-endless; do
		far $scenario && lfs_client client && (cd client && test_must_fail git dvx locks >../out 2>../err); cat out err; grep "^error: " err && ! grep "path" out || return 1
	done &&
	far lock-incomplete && lfs_client client && echo x >client/a && (cd client && test_must_fail git dvx lock a 2>../err) && cat err && grep "^error: .*id or path" err
'

test_done
