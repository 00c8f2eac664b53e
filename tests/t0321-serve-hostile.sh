#!/bin/sh
test_description='blobs over SSH: a near side and a far side that misbehave get errors, and nothing else'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
wire=$dvx_top/tests/tools/blobwire.py

# --- the far side, asked by somebody hostile ---------------------------------------------------------------------

# near SCENARIO [OPTION...]: against a far side that serves "store".
near() {
	near_scenario=$1
	shift
	python3 "$wire" near "$near_scenario" git-dvx-transfer serve "$@" "$TRASH/store" >out 2>err
	cat out err
}

# only_a_store: nothing but the content of "right" was stored, and nothing is being written.
only_a_store() {
	test -z "$(ls -A store/tmp)" && test -z "$(find store/packs -type f)" && find store/fragments -type f | while read -r f; do
		[ "$(oid_of "$f").idx" = "$(basename "$f")" ] || exit 1
	done
}

test_expect_success 'what is right is stored, and is there the second time' '
	near right && printf "%s\n" git-dvx-blobs "ready 1" "done 1 0" "exit 0" >expect && grep -v received out >got && test_cmp expect got &&
	test "$(ls store/fragments | wc -l)" = 1 &&
	near put && printf "%s\n" git-dvx-blobs "done 1 1" "exit 0" >expect && test_cmp expect out && only_a_store
'

for scenario in noise endless-line other-protocol too-long bad-header id-0 short-request bad-class path-as-name get-too-much get-far-out same-id; do
	test_expect_success "a near side that breaks the protocol is told so and left: $scenario" "
		near $scenario && grep '^exit 128' out && grep '^error: ' err && test \"\$(grep -c '^error: ' err)\" = 1 &&
		! grep Traceback err && only_a_store
	"
done

test_expect_success 'a name is a hash, whatever its bytes look like' '
	near dots-as-name && grep "^error 1 notfound .*2e2e2f2e2e2f" out && ! grep root out && grep "^exit 0" out
'

test_expect_success 'too large is refused before a byte is sent' '
	near pack-too-large && grep "^error 1 limit .*67108865" out && near fragment-too-large && grep "^error 1 limit" out && only_a_store
'

test_expect_success 'other bytes than announced are not stored' '
	near wrong-hash && grep "^error 1 corrupt .*do not hash" out && near more-data && grep "^error 1 limit .*more bytes" out && grep "^exit 0" out &&
	near less-data && grep "^error 1 corrupt .*bytes arrived instead of" out && only_a_store && test "$(ls store/fragments | wc -l)" = 1
'

test_expect_success 'data for nobody is dropped, an unknown request is answered' '
	near stray-data && grep "^done 1 0" out && grep "^exit 0" out && near unknown-request && grep "^error 1 unsupported" out && grep "^done 2 0" out
'

test_expect_success 'ten thousand requests at once end the connection' '
	near many-requests && grep "^error: more than 128 requests" err && grep "^exit 128" out && only_a_store
'

test_expect_success 'fifty puts at once: some are refused, and none is left when the near side goes' '
	near many-puts && grep "^exit 0" out && ! ls store/tmp/put-* && only_a_store
'

test_expect_success 'the near side goes in the middle of a put: no trace' '
	near half-a-put && grep "^exit 0" out && only_a_store && ! ls store/tmp/put-*
'

test_expect_success 'a near side that asks and does not read, then goes' '
	random_file big 30000000 big && mkdir -p "store/packs/$(oid_of big | cut -c1-2)" && cp big "store/packs/$(oid_of big | cut -c1-2)/$(oid_of big).pack" &&
	python3 - "$(oid_of big)" "$TRASH/store" <<-\END && rm -r store/packs/* && only_a_store
		import subprocess, struct, sys, time
		far = subprocess.Popen(["git-dvx-transfer", "serve", sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		get = b"\1" + bytes.fromhex(sys.argv[1]) + struct.pack(">QI", 0, 30000000)
		far.stdin.write(b"git-dvx-blobs 1 x\n" + b"".join(struct.pack(">IIB3x", 45, i, 3) + get for i in range(1, 100)))
		far.stdin.flush()
		time.sleep(0.3)
		far.stdin.close()
		assert far.wait() == 0
	END
'

test_expect_success 'reading only, and without removal' '
	near put --read-only && grep "^error 1 denied .*reading only" out && near remove --read-only && grep "^error 1 denied" out &&
	near remove --no-remove && grep "^error 1 denied .*removed" out && near notice --no-remove && grep "^error 1 denied" out &&
	near put --no-remove && grep "^done 1 1" out && test "$(ls store/fragments | wc -l)" = 1 && near remove && grep "^done 1 0" out && test "$(ls store/fragments | wc -l)" = 0
'

test_expect_success 'a signal ends it, and removes what was being written' '
	mkfifo to && { git-dvx-transfer serve "$TRASH/store" <to >answers 2>err & } && pid=$! && exec 8>to &&
	python3 -c "
import importlib.util, sys
sys.argv[2:] = [\"half-a-put\"]; spec = importlib.util.spec_from_file_location(\"wire\", sys.argv[1]); wire = importlib.util.module_from_spec(spec); spec.loader.exec_module(wire)
sys.stdout.buffer.write(wire.HELLO + wire.PUT_CONTENT)" "$wire" >&8 &&
	n=0 && until ls store/tmp/put-*; do sleep 0.1 && n=$((n + 1)) && test $n -lt 100 || return 1; done &&
	kill -TERM $pid && { code=0 && wait $pid || code=$?; } && exec 8>&- && test $code = 130 && only_a_store && ! ls store/tmp/put-*
'

test_expect_success 'wrong words' '
	test_expect_code 129 git-dvx-transfer serve 2>err && grep "which directory" err && test_expect_code 129 git-dvx-transfer serve a b &&
	test_expect_code 129 git-dvx-transfer serve --frob a 2>err && grep "frob" err && git-dvx-transfer serve -h | grep "read-only"
'

# --- the near side, answered by somebody hostile -----------------------------------------------------------------

write_script() {
	cat >"$1" && chmod +x "$1"
}

test_expect_success 'set up: an ssh that leads to a hostile far side' '
	write_script evil-ssh <<-\END &&
		#!/bin/sh
		exec python3 "$WIRE" far "$EVIL"
	END
	WIRE=$wire && GIT_SSH_COMMAND="\"$TRASH/evil-ssh\"" && GIT_SSH_VARIANT=simple && export WIRE GIT_SSH_COMMAND GIT_SSH_VARIANT &&
	for repo in upload download; do
		transfer_repo $repo evil.example:store && git -C $repo config dvx.retries 1 || return 1
	done &&
	random_file data 300000 data && store_file upload data >r
'

# told DIRECTION SCENARIO REGEX: the transfer fails for good with such an error, shows no control characters, and leaves nothing.
told() {
	case $2 in # only who means it is found silent, however busy the machine
	silen*) git -C "$1" config dvx.stallSeconds 2 ;;
	*) git -C "$1" config --unset-all dvx.stallSeconds; : ;;
	esac
	EVIL=$2 test_expect_code 128 "$1" "$1" r >out 2>err || return
	cat out err
	grep "^fatal .*$3" out && ! grep Traceback err && ! LC_ALL=C grep "[[:cntrl:]]" out && test -z "$(find "$1/.git/dvx/tmp" -type f 2>/dev/null)"
}

for scenario in "goodbye:hung up: enough of you" "huge-frame:does not keep to the protocol" "to-nobody:does not keep to the protocol" \
	"unknown-type:does not keep to the protocol" "hang-up:was lost" "silence:no answer from host" "silent-hello:no answer from host" \
	"endless-hello:says .xxxx" "other-protocol:9.9 speaks version 9" "packs-in-list:listing" "bad-entry:listing" \
	"endless-list:are listed"; do
	test_expect_success "download: ${scenario%%:*}" "told download '${scenario%%:*}' '${scenario#*:}'"
done

test_expect_success 'download: more or fewer bytes than asked for are never taken' '
	told download more-bytes "protocol" && told download fewer-bytes "protocol"
'

test_expect_success 'download: wrong bytes and impossible sizes are warned of' '
	for scenario in wrong-bytes huge-fragment; do
		EVIL=$scenario test_expect_code 1 download download r >out 2>err && grep "^warning: damaged fragment .evil.example:store/fragments/" err || return 1
	done
'

for scenario in "stored-nothing:stored what was not sent" "received-too-much:received what was not sent" \
	"ready-twice:ready" "error-with-controls:no ?"; do
	test_expect_success "upload: ${scenario%%:*}" "told upload '${scenario%%:*}' '${scenario#*:}'"
done

test_done
