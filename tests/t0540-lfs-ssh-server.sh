#!/bin/sh
test_description='a host with git-dvx is a Git LFS server over SSH: git-lfs against our git-lfs-transfer, over a real sshd'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

skip_all_unless GITLFS "needs git-lfs"
PATH=$dvx_servers:$PATH # the far side has our git-lfs-transfer there
need_sshd
far=$SSH_FAR_HOME
url=ssh://$SSH_USER@$SSH_HOST:$SSH_PORT
# git-lfs makes the sockets of OpenSSH's multiplexing there: no blanks, no long names.
TMPDIR=$dvx_servers
export TMPDIR
git lfs install --skip-repo

# by_ssh LOG: git-lfs spoke with git-lfs-transfer, and with nobody else.
by_ssh() {
	grep -q "attempting pure SSH protocol connection" "$1" && ! grep -e "pure SSH protocol connection failed" -e git-lfs-authenticate "$1"
}

# hub NAME: a bare repository there; lfs_repo NAME: one here that pushes to it.
hub() {
	git init -q --bare "$far/$1.git"
}
lfs_repo() {
	git init -q "$1" && git -C "$1" lfs install --local && (cd "$1" && git lfs track "*.bin" && git lfs track --lockable "*.psd" && git add .gitattributes) &&
		git -C "$1" remote add origin "$url$far/$2.git"
}

# is_writable FILE: by its mode (root may write to all).
is_writable() {
	test -n "$(find "$1" -perm -u+w)"
}

# far_program [NAME=VALUE]: what git-lfs-transfer is there from now on.
# shellcheck disable=SC2120 # called inside of cases
far_program() {
	rm -f "$dvx_servers/git-lfs-transfer"
	if [ -z "${1:-}" ]; then
		ln -s "$DVX_BIN/git-dvx-transfer" "$dvx_servers/git-lfs-transfer"
	else
		printf '#!/bin/sh\n%s exec git-dvx-transfer lfs-ssh "$@"\n' "$1" >"$dvx_servers/git-lfs-transfer" &&
			chmod +x "$dvx_servers/git-lfs-transfer"
	fi
}

far_program
test_expect_success 'git push with git-lfs: large and small objects are there, in chunks and packs' '
	hub one && lfs_repo work one && (
		cd work && random_file big.bin 20M big && random_file data.bin 3000000 data && for i in 1 2 3 4 5 6 7 8 9 10 11 12; do random_file "s$i.bin" "$((i * 500))" "small $i" || exit 1; done &&
		git add . && git commit -q -m one && GIT_TRACE=$TRASH/push.log git push origin main
	) && by_ssh push.log && test -n "$(ls "$far"/one.git/dvx/packs)" && test ! -e "$far/one.git/lfs" &&
	test -z "$(find "$far/one.git/dvx/server/incoming" -type f)"
'

test_expect_success 'git clone with git-lfs brings them all, by SSH alone' '
	GIT_TRACE=$TRASH/clone.log git clone "$url$far/one.git" mate && by_ssh clone.log && not_pointer mate/*.bin &&
	for f in work/*.bin; do cmp "$f" "mate/$(basename "$f")" || return 1; done && git -C mate lfs fsck
'

git config --global lfs.concurrenttransfers 2 # each connection takes its time
test_expect_success 'another version of a large file adds about a chunk' '
	before=$(stored_bytes "$far/one.git/dvx/packs") && chmod u+w work/big.bin && printf "other bytes" | dd of=work/big.bin bs=1 seek=9000000 conv=notrunc 2>/dev/null &&
	(cd work && git add . && git commit -q -m two && GIT_TRACE=$TRASH/push2.log git push origin main) && by_ssh push2.log &&
	added=$(($(stored_bytes "$far/one.git/dvx/packs") - before)) && echo "added $added" && test "$added" -gt 0 && test "$added" -lt 3000000 &&
	GIT_TRACE=$TRASH/pull.log git -C mate pull -q && by_ssh pull.log && cmp work/big.bin mate/big.bin
'

test_expect_success 'a push of what is there sends nothing' '
	GIT_TRACE=$TRASH/again.log git -C work lfs push --all origin 2>err && by_ssh again.log && ! grep "put-object" again.log && before=$(stored_bytes "$far/one.git/dvx/packs") &&
	git -C work lfs push --all origin && test "$before" = "$(stored_bytes "$far/one.git/dvx/packs")"
'

test_expect_success 'file:// and git-dvx clients of the repository see the same objects, and git-lfs sees theirs' '
	dvx_repo dvx && (
		cd dvx && git remote add origin "$far/one.git" && GIT_LFS_SKIP_SMUDGE=1 git pull -q origin main && is_pointer big.bin && git dvx pull && cmp big.bin ../work/big.bin && cmp s3.bin ../work/s3.bin &&
		random_file ours.bin 500000 ours && random_file tiny.bin 50 tiny && git add . && git commit -q -m "from git-dvx" && git push -q origin HEAD:main
	) &&
	git -C mate pull -q && not_pointer mate/ours.bin mate/tiny.bin && cmp dvx/ours.bin mate/ours.bin && cmp dvx/tiny.bin mate/tiny.bin
'

test_expect_success 'where Git LFS is in use there, objects are whole, and git-lfs there has them' '
	hub whole && mkdir -p "$far/whole.git/lfs/objects" && lfs_repo worker whole && (
		cd worker && random_file a.bin 1000000 whole && random_file b.bin 10 whole2 && git add . && git commit -q -m one && git push -q origin main
	) && for f in a b; do test -f "$(echo "$far/whole.git/lfs/objects"/*/*/"$(oid_of worker/$f.bin)")" || return 1; done &&
	git -C "$far/whole.git" lfs fsck --objects main && git clone -q "$url$far/whole.git" whole && cmp worker/a.bin whole/a.bin
'

test_expect_success 'every form of path that git-lfs sends' '
	hub "form" && lfs_repo forms form && (cd forms && random_file a.bin 70000 forms && git add . && git commit -q -m one && git push -q origin main) && n=0 &&
	for form in "$url$far/form.git" "$url$far/form" "$url/~/form.git" "$SSH_HOST:form.git" "$SSH_HOST:form" "$SSH_HOST:~/form" "$SSH_HOST:$far/form.git/"; do
		n=$((n + 1)) && GIT_TRACE=$TRASH/form.log git clone -q "$form" "form$n" && by_ssh form.log && cmp forms/a.bin "form$n/a.bin" || { echo "$form"; return 1; }
	done && for quoted in "'"'$far/form.git'"'" "\"~/form\""; do
		printf "0000" | HOME=$far git-dvx-transfer lfs-ssh "$quoted" download >out 2>err; grep -a "version=1" out || { cat err; echo "$quoted"; return 1; }
	done
'

test_expect_success 'locks of git-lfs: lock, locks, unlock, and a push that is refused' '
	hub locks && lfs_repo ann locks && (cd ann && mkdir -p "a dir" && random_file "a dir/pic.psd" 5000 pic && git add . && git commit -q -m one && git push -q origin main) &&
	git clone -q "$url$far/locks.git" bob && ! is_writable "bob/a dir/pic.psd" &&
	GIT_TRACE=$TRASH/lock.log git -C ann lfs lock "a dir/pic.psd" && by_ssh lock.log && is_writable "ann/a dir/pic.psd" &&
	git -C ann lfs locks >out && cat out && grep "a dir/pic.psd.*$SSH_USER" out && git -C ann lfs locks --verify >out && grep "^O a dir/pic.psd" out &&
	test_must_fail git -C bob lfs lock "a dir/pic.psd" 2>err && cat err && grep -i "lock exists\|already" err &&
	far_program GIT_DVX_OWNER=bob &&
	git -C bob lfs locks --verify >out && cat out && grep "^  *a dir/pic.psd" out && ! grep "^O" out &&
	git -C bob config lfs.locksverify true && (cd bob && chmod u+w "a dir/pic.psd" && random_file "a dir/pic.psd" 6000 pic2 && git add . && git commit -q -m "not allowed" && test_must_fail git push origin main >err 2>&1 && cat err && grep "Unable to push locked files" err) &&
	{ git -C bob lfs unlock "a dir/pic.psd" >out 2>&1 || :; } && cat out && grep "locked by $SSH_USER" out && git -C bob lfs locks | grep pic.psd &&
	far_program && git -C ann lfs unlock "a dir/pic.psd" && git -C ann lfs locks >out && test ! -s out && ! is_writable "ann/a dir/pic.psd" &&
	git -C bob push -q origin main && test "$(git --git-dir="$far/locks.git" rev-parse main)" = "$(git -C bob rev-parse HEAD)"
'

test_expect_success 'a server for reading only: clone works, push is refused with the reason' '
	test_when_finished far_program && far_program GIT_DVX_READ_ONLY=1 &&
	git clone -q "$url$far/one.git" reader && not_pointer reader/big.bin && (
		cd reader && random_file new.bin 10000 new && git add . && git commit -q -m new && test_must_fail git push origin main 2>err && cat err && grep "reading only" err
	) && test_must_fail git -C reader lfs lock big.bin 2>err && cat err && grep "reading only" err
'

test_expect_success 'what is no repository is refused, with a status and a message' '
	mkdir "$far/plain" && for path in "$far/plain" "$far/nowhere" "" "/"; do
		test_expect_code 128 git-dvx-transfer lfs-ssh "$path" download </dev/null >out 2>err && test ! -s out && grep "^error: " err && test "$(wc -l <err)" = 1 || return 1
	done && test_expect_code 129 git-dvx-transfer lfs-ssh "$far/one.git" </dev/null && test_expect_code 128 git-dvx-transfer lfs-ssh "$far/one.git" delete </dev/null
'

test_expect_success 'nothing of the repository is run' '
	hub evil && git -C "$far/evil.git" config core.sshCommand "touch $TRASH/pwned" && git -C "$far/evil.git" config core.fsmonitor "touch $TRASH/pwned" && git -C "$far/evil.git" config lfs.standalonetransferagent x &&
	git -C "$far/evil.git" config lfs.customtransfer.x.path "$TRASH/agent" && git -C "$far/evil.git" config credential.helper "!touch $TRASH/pwned" && git -C "$far/evil.git" config alias.config "!touch $TRASH/pwned" &&
	printf "#!/bin/sh\ntouch $TRASH/pwned\n" >agent && chmod +x agent && for h in pre-receive update post-receive reference-transaction; do cp agent "$far/evil.git/hooks/$h" || return 1; done &&
	lfs_repo evil evil && (cd evil && random_file a.bin 100000 evil && git add . && git commit -q -m one && git lfs push --all origin) && test ! -e pwned && test -n "$(ls "$far"/evil.git/dvx/packs)"
'

test_done
