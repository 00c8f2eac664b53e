#!/bin/sh
test_description='locks over SSH: our client and Git LFS on the same host, and who works there on the directory itself'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"

PATH=$dvx_servers:$PATH # the far side has our git-lfs-transfer there
need_sshd
far=$SSH_FAR_HOME
url=ssh://$SSH_USER@$SSH_HOST:$SSH_PORT
TMPDIR=$dvx_servers # sockets of OpenSSH
export TMPDIR

# far_is OWNER: what the far side calls who comes.
far_is() {
	rm -f "$dvx_servers/git-lfs-transfer" && printf '#!/bin/sh\n%s exec git-dvx-transfer lfs-ssh "$@"\n' "$1" >"$dvx_servers/git-lfs-transfer" &&
		chmod +x "$dvx_servers/git-lfs-transfer"
}

test_expect_success 'setup' '
	far_is "" && git init -q --bare "$far/art.git" && dvx_repo alice && cd alice && git remote add origin "$url$far/art.git" && git dvx track --lockable "*.psd" &&
	random_file a.psd 100K a && random_file b.psd 1K b && git add -A && git commit -qm one && git push -q origin main
'

test_expect_success 'lock, list, verify, unlock' '
	cd "$TRASH/alice" && git dvx lock a.psd && test "$(stat -c %a a.psd)" = 644 && git dvx locks >../out && grep "^a.psd.$SSH_USER" ../out && git dvx locks --verify >../out && grep "^O a.psd" ../out &&
	test_expect_code 1 git dvx lock a.psd 2>../err && grep "by .$SSH_USER." ../err && git dvx locks --path a.psd --json | jq -e ".[0].id" >/dev/null &&
	git dvx unlock a.psd && test "$(stat -c %a a.psd)" = 444 && test -z "$(git dvx locks)" && test_expect_code 1 git dvx unlock a.psd
'

test_expect_success GITLFS 'Git LFS sees them, and we see those of Git LFS' '
	cd "$TRASH" && git -c filter.lfs.smudge="git-lfs smudge -- %f" -c filter.lfs.process="git-lfs filter-process" clone -q --template= "$url$far/art.git" bob && git -C bob lfs install --local --skip-repo &&
	git -C alice dvx lock a.psd && (cd bob && git lfs locks >../out) && grep "^a.psd" out && test_must_fail git -C bob lfs lock a.psd &&
	(cd bob && git lfs lock b.psd) && (cd alice && git dvx locks >../out) && grep "^b.psd" out
'

test_expect_success 'a push of what another account has locked is refused' '
	cd "$TRASH/alice" && git dvx locks --verify >/dev/null && (cd "$far/art.git" && ls dvx/server/locks) && sed -i "s/$SSH_USER/eve/" "$far"/art.git/dvx/server/locks/* &&
	chmod u+w a.psd && echo more >>a.psd && git commit -qam two && test_must_fail git push origin main 2>../err && grep "^  a.psd (locked by .eve.)" ../err &&
	git dvx unlock --force a.psd && git push -q origin main
'

test_expect_success 'on the far side itself the same locks hold' '
	cd "$TRASH/alice" && git dvx lock a.psd && git clone -q "$far/art.git" ../there && cd ../there && git dvx init -q && git dvx locks >../out && grep "^a.psd.$SSH_USER" ../out
'

test_expect_success 'a far side without locks is said to have none' '
	cd "$TRASH/alice" && printf "#!/bin/sh\nexit 127\n" >"$dvx_servers/git-lfs-transfer" && cp "$dvx_servers/git-lfs-transfer" "$dvx_servers/git-lfs-authenticate" && chmod +x "$dvx_servers"/git-lfs-* &&
	git config dvx.retries 0 && test_expect_code 128 git dvx locks 2>../err && grep "^error: cannot list locks" ../err
'

test_done
