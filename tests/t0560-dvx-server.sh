#!/bin/sh
test_description='git-dvx-server: Git LFS pushes, clones, fetches and locks, with accounts, TLS and behind nginx'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"
skip_all_unless GITLFS "needs Git LFS"

# lfs_repo NAME URL: a repository whose files *.bin are Git LFS's own, with that server, and a bare remote NAME.git.
lfs_repo() {
	git init -q --bare "$1.git" && git init -q "$1" &&
	(
		cd "$1" && git lfs install --local >/dev/null && git lfs track "*.bin" >/dev/null && git config -f .lfsconfig lfs.url "$2" &&
			git remote add origin "$TRASH/$1.git" && git add .gitattributes .lfsconfig && git commit -qm start
	)
}
# as USER:PASSWORD: what git credential finds from now on, until it was wrong.
git config --global credential.helper "store --file='$TRASH/credentials'"
as() {
	printf 'http://%s@%s\n' "$1" "${DVX_SERVER_URL#*://}" >credentials
}
lfs_clone() {
	git -c filter.lfs.smudge="git-lfs smudge -- %f" -c filter.lfs.process="git-lfs filter-process" -c filter.lfs.required=true \
		clone -q "$@"
}

test_expect_success 'without accounts: push, clone, fetch' '
	start_dvx_server &&
	lfs_repo plain "$DVX_SERVER_URL/team/plain/info/lfs" &&
	random_file plain/a.bin 3000000 a && random_file plain/b.bin 10 b && : >plain/empty.bin &&
	git -C plain add . && git -C plain commit -qm data && git -C plain push -q origin main &&
	lfs_clone plain.git plain2 && test_cmp_bin plain/a.bin plain2/a.bin && test_cmp_bin plain/b.bin plain2/b.bin &&
	random_file plain2/a.bin 3000000 a2 && git -C plain2 lfs install --local && git -C plain2 commit -qam two &&
	git -C plain2 push -q origin main && git -C plain pull -q origin main && test_cmp_bin plain2/a.bin plain/a.bin &&
	git -C plain lfs fsck
'

test_expect_success 'what was pushed is chunks and packs in the store when the server has ended' '
	stop_dvx_server && test -z "$(find "$DVX_SERVER_STATE/incoming" -type f ! -name "tmp-*")" &&
	test "$(cat "$DVX_SERVER_STORE/format")" = "git-dvx blob store 1" && ls "$DVX_SERVER_STORE"/packs/*/*.pack &&
	restart_dvx_server && rm -rf plain3 && lfs_clone plain.git plain3 && test_cmp_bin plain/a.bin plain3/a.bin
'

test_expect_success 'a repository has its locks, another one has not' '
	(cd plain && git lfs lock a.bin && git lfs locks >../locks) && grep "a.bin.*anonymous" locks &&
	lfs_repo other "$DVX_SERVER_URL/team/other/info/lfs" && (cd other && git lfs locks >../locks) && test ! -s locks &&
	(cd plain && git lfs unlock a.bin && git lfs locks >../locks) && test ! -s locks
'

test_expect_success 'accounts of htpasswd in each of its ways' '
	htpasswd -bc accounts apr1 first >/dev/null 2>&1 && htpasswd -bB accounts bcrypt second 2>/dev/null &&
	htpasswd -bs accounts sha third 2>/dev/null && htpasswd -b5 accounts crypt fourth 2>/dev/null &&
	stop_dvx_server && start_dvx_server --htpasswd "$PWD/accounts" &&
	lfs_repo with "$DVX_SERVER_URL/team/with.git/info/lfs" &&
	for account in apr1:first bcrypt:second sha:third crypt:fourth; do
		as $account && random_file with/$account.bin 100000 $account && git -C with add . && git -C with commit -qm $account &&
		git -C with push -q origin main || return 1
	done &&
	as sha:third && lfs_clone with.git with2 && test_cmp_bin with/crypt:fourth.bin with2/crypt:fourth.bin
'

test_expect_success 'the name of an account owns its locks, and keeps others from pushing' '
	as bcrypt:second && (cd with && git lfs lock apr1:first.bin && git lfs locks >../locks) && grep "bcrypt" locks &&
	as sha:third && (cd with2 && git lfs install --local && random_file apr1:first.bin 100 other && git commit -qam mine &&
		git config "lfs.$DVX_SERVER_URL/team/with.git/info/lfs.locksverify" true &&
		test_must_fail git push -q origin main >../err 2>&1) && grep "apr1:first.bin - bcrypt" err &&
	(cd with2 && test_must_fail git lfs unlock apr1:first.bin) &&
	(cd with2 && git lfs unlock --force apr1:first.bin && git push -q origin main)
'

test_expect_success 'wrong credentials' '
	as sha:wrong-word && random_file with/new.bin 100 new && git -C with add . && git -C with commit -qm new &&
	test_must_fail git -C with push -q origin main:other && grep "\" 401 " "$DVX_SERVER_LOG" >log &&
	! grep -e wrong-word -e second -e third -e c2hh "$DVX_SERVER_LOG"
'

test_expect_success 'a file of accounts that changed is read again, one that is broken is not' '
	htpasswd -D accounts sha 2>/dev/null && as sha:third && test_must_fail git -C with push -q origin main:other &&
	echo "plain:text" >>accounts && as bcrypt:second && git -C with push -q origin main:other &&
	grep "^warning: .*line 4: the password of .plain." "$DVX_SERVER_LOG" && ! grep "plain:text" "$DVX_SERVER_LOG"
'

test_expect_success 'TLS of our own' '
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null &&
	stop_dvx_server && start_dvx_server --tls-cert "$PWD/cert.pem" --tls-key "$PWD/key.pem" &&
	case $DVX_SERVER_URL in https://*) ;; *) false ;; esac && git config --global http.sslCAInfo "$PWD/cert.pem" &&
	lfs_repo tls "$DVX_SERVER_URL/tls" && random_file tls/a.bin 5000000 tls && git -C tls add . && git -C tls commit -qm tls &&
	git -C tls push -q origin main && lfs_clone tls.git tls2 && test_cmp_bin tls/a.bin tls2/a.bin &&
	git config --global --unset http.sslCAInfo
'

test_expect_success NGINX 'behind nginx with TLS: the links are those of the proxy' '
	stop_dvx_server && start_dvx_server && start_tls "$DVX_SERVER_URL" && stop_dvx_server &&
	start_dvx_server --base-url "$TLS_GOOD/" --anonymous write --http "127.0.0.1:${DVX_SERVER_URL##*:}" &&
	git config --global http.sslCAInfo "$TLS_CA" &&
	lfs_repo behind "$TLS_GOOD/behind" && random_file behind/a.bin 5000000 behind && git -C behind add . &&
	git -C behind commit -qm behind && git -C behind push -q origin main && lfs_clone behind.git behind2 &&
	test_cmp_bin behind/a.bin behind2/a.bin && test "$(grep -c "PUT /behind/.*\" 200" "$DVX_SERVER_LOG")" = 1
'

test_done
