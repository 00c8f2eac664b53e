#!/bin/sh
test_description='Git LFS over SSH, both ends ours, over a real sshd: git push and clone in plain words, other ways, kills'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

PATH=$dvx_servers:$PATH # the far side has our git-lfs-transfer there
need_sshd
far=$SSH_FAR_HOME
url=ssh://$SSH_USER@$SSH_HOST:$SSH_PORT

# far_program [SH-WORDS]: what git-lfs-transfer is there from now on; it leaves a trace of being asked.
# shellcheck disable=SC2120 # called inside of cases
far_program() {
	printf '#!/bin/sh\necho "$*" >>%s/asked\n%s exec git-dvx-transfer lfs-ssh "$@"\n' "$dvx_servers" "${1:-}" >"$dvx_servers/git-lfs-transfer" &&
		chmod +x "$dvx_servers/git-lfs-transfer"
}
asked() {
	test "$(grep -c " $1\$" "$dvx_servers/asked")" "$2" "$3"
}
hub() {
	git init -q --bare "$far/$1.git"
}
far_program

test_expect_success 'git push and git clone with nothing configured' '
	hub one && dvx_repo work && (
		cd work && git dvx track "*.bin" && random_file big.bin 30M big && for i in 1 2 3 4 5 6 7 8 9; do random_file "s$i.bin" $((i * 900)) "small $i" || exit 1; done &&
		git add . && git commit -q -m one && git remote add origin "$url$far/one.git" && git push -q origin main
	) && asked upload -ge 1 && test -n "$(ls "$far"/one.git/dvx/packs)" && test -z "$(find "$far/one.git/dvx/server/incoming" -type f)" &&
	git clone -q "$url$far/one.git" mate && asked download -ge 1 && not_pointer mate/*.bin && for f in work/*.bin; do cmp "$f" "mate/$(basename "$f")" || return 1; done && is_clean mate
'

test_expect_success 'a second version adds about a chunk there; a push of what is there sends nothing' '
	before=$(stored_bytes "$far/one.git/dvx/packs") && printf "other bytes" | dd of=work/big.bin bs=1 seek=9000000 conv=notrunc 2>/dev/null &&
	(cd work && git add . && git commit -q -m two && git push -q origin main) && added=$(($(stored_bytes "$far/one.git/dvx/packs") - before)) && test "$added" -gt 0 && test "$added" -lt 3000000 &&
	before=$(stored_bytes "$far/one.git/dvx/packs") && git -C work dvx push -r origin && test "$before" = "$(stored_bytes "$far/one.git/dvx/packs")" &&
	git -C mate pull -q && cmp work/big.bin mate/big.bin
'

test_expect_success 'five hundred small objects go over few connections' '
	hub many && git init -q many && many_files many 500 >r && git -C many remote add origin "$url$far/many.git" && rm -f "$dvx_servers/asked" &&
	upload many r >out && test "$(grep -c ^ok out)" = 500 && asked upload -eq 1 && upload many r >out && test "$(grep -c ^present out)" = 500 &&
	git init -q many2 && git -C many2 remote add origin "$url$far/many.git" && download many2 r >out && test "$(grep -c ^ok out)" = 500 && asked download -eq 1 && has_objects many2 r
'

test_expect_success 'large ones over several' '
	hub large && git init -q large && for i in 1 2 3 4; do random_file "large$i" 24M "large $i" && store_file large "large$i" || return 1; done >r-large && git -C large remote add origin "$url$far/large.git" &&
	rm -f "$dvx_servers/asked" && upload large r-large -j 3 >out && test "$(grep -c ^ok out)" = 4 && asked upload -eq 3 &&
	git init -q back && git -C back remote add origin "$url$far/large.git" && download back r-large -j 2 >out && asked download -eq 2 && has_objects back r-large
'

test_expect_success 'dry run and verification; what is not there is missing' '
	git init -q dry && store_file dry large1 >r-one && random_file new 5000 new && store_file dry new >>r-one && git -C dry remote add origin "$url$far/large.git" &&
	upload dry r-one -n >out && grep "^present $(oid_of large1)" out && grep "^ok $(oid_of new)" out && upload dry r-one --verify >out && grep "^present $(oid_of large1)" out && grep "^ok $(oid_of new)" out &&
	git init -q lacks && git -C lacks remote add origin "$url$far/many.git" && test_expect_code 1 download lacks r-large >out && test "$(grep -c "^error [0-9a-f]* notfound .*has no object" out)" = 4
'

test_expect_success 'locks: lock, locks, unlock, somebody else'"'"'s, by force' '
	(cd work && echo x >"a b.bin" && git add . && git commit -q -m three && git push -q origin main && git dvx lock "a b.bin" && git dvx locks >../out) && cat out && grep "a b.bin.*$SSH_USER" out &&
	far_program GIT_DVX_OWNER=bob && git -C mate pull -q && (cd mate && test_must_fail git dvx lock "a b.bin" 2>../err; cat ../err && grep "a b.bin" ../err && test_must_fail git dvx unlock "a b.bin" && git dvx unlock --force "a b.bin" && git dvx locks >../out) && test ! -s out && far_program
'

test_expect_success 'a far side without git-lfs-transfer: the next way is tried, and said' '
	rm "$dvx_servers/git-lfs-transfer" && git init -q none && git -C none remote add origin "$url$far/one.git" && git -C none config dvx.retries 0 &&
	test_expect_code 128 download none r-one >out 2>err && cat out err && grep "^fatal remote .*127.0.0.1: cannot connect" out && ! grep "git-lfs-transfer: not found" err &&
	git -C none config lfs.sshtransfer always && test_expect_code 128 download none r-one >out 2>err && cat out err && grep "^fatal remote .*sshtransfer.*no git-lfs-transfer" out && ! grep "cannot connect" out &&
	far_program && git -C none config lfs.sshtransfer never && rm -f "$dvx_servers/asked" && test_expect_code 128 download none r-one >out 2>err && cat out && grep "^fatal remote .*cannot connect" out && test ! -e "$dvx_servers/asked" && git -C none config --unset lfs.sshtransfer
'

test_expect_success 'who may not log in is told so, and nothing else is tried' '
	ssh-keygen -q -t ed25519 -N "" -f other-key && sed "s|^  IdentityFile .*|  IdentityFile \"$TRASH/other-key\"|" "$SSH_CONFIG" >other-config &&
	GIT_SSH_COMMAND="ssh -F ../other-config" test_expect_code 128 download none r-one >out 2>err && cat out err && grep "^fatal denied .*cannot log in" out
'

test_expect_success 'hosts and paths that ssh could mistake are refused, and nothing is started' '
	for bad in "ssh://-oProxyCommand=touch\${IFS}pwned/x" "a@-b:c" "ssh://h%0a/x" "h:-x"; do
		rm -rf bad && git init -q bad && git -C bad config remote.origin.url "$bad" && GIT_SSH_COMMAND="touch $TRASH/pwned; false" test_expect_code 128 upload bad r-one >out; cat out; test ! -e pwned || return 1
	done
'

test_expect_success 'connections that end in the middle are made again, nothing is lost' '
	hub flaky && git -C large remote set-url origin "$url$far/flaky.git" && { upload large r-large -j 2 >out & } && pid=$! && n=0 &&
	until [ -n "$(find "$far/flaky.git" -size +1M | head -n 1)" ]; do sleep 0.05 && n=$((n + 1)) && test $n -lt 400 || break; done &&
	{ kill_ssh_sessions || :; } && wait $pid && cat out && test "$(grep -c "^[op][kr]" out)" = 4 &&
	rm -rf back3 && git init -q back3 && git -C back3 remote add origin "$url$far/flaky.git" && download back3 r-large && has_objects back3 r-large
'

test_expect_success 'kill -9 of the client and of the server: what was said to be there is there, the next push goes on' '
	hub killed && git -C large remote set-url origin "$url$far/killed.git" && : >said && for round in 1 2 3 4; do
		(cd large && exec git-dvx-transfer batch -j 2 upload <../r-large >>../said) & pid=$! && sleep "0.$((round * 2 + 1))" &&
		if [ $((round % 2)) = 0 ]; then kill -9 $pid; else pkill -9 -f "lfs-ssh $far/killed.git" || kill -9 $pid; kill -9 $pid; fi; wait $pid; { kill_ssh_sessions || :; }
	done && cat said && { test ! -d "$far/killed.git/dvx/server/incoming" || find "$far/killed.git/dvx/server/incoming" -name "tmp-*" -exec touch -d "2 minutes ago" {} +; } && upload large r-large && rm -rf back4 && git init -q back4 && git -C back4 remote add origin "$url$far/killed.git" &&
	download back4 r-large && has_objects back4 r-large && test -z "$(find "$far/killed.git/dvx/server/incoming" -type f -size +0)"
'

test_expect_success !ASAN 'memory does not grow with the size of an object' '
	hub huge && git init -q huge && truncate -s 600M huge.bin && oid=$(oid_of huge.bin) && (printf "%s\n" "$oid $(wc -c <huge.bin) - huge.bin") >r-huge && path=$(object_path huge "$oid") && mkdir -p "$(dirname "$path")" && mv huge.bin "$path" &&
	git -C huge remote add origin "$url$far/huge.git" && printf "#!/bin/sh\nexec /usr/bin/time -f %%M -o \"$TRASH/peak\" git-dvx-transfer lfs-ssh \"\$@\"\n" >"$dvx_servers/git-lfs-transfer" &&
	(cd huge && /usr/bin/time -f %M -o ../peak-client git-dvx-transfer batch upload <../r-huge >../out) && grep "^ok" out && cat peak peak-client && test "$(cat peak-client)" -lt 100000 && test "$(cat peak)" -lt 262144
'

test_done
