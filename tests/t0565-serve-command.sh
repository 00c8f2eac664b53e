#!/bin/sh
test_description='git dvx serve: which program it becomes, with what'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"

test_expect_success DVXSERVER '--http becomes git-dvx-server, with all of its options' '
	git init -q repo && cd repo && mkfifo out && htpasswd -bcs accounts a b 2>/dev/null &&
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -days 2 -subj /CN=localhost 2>/dev/null && : >tokens &&
	{ git-dvx serve --http 127.0.0.1:0 --store "$TRASH/store" --state "$TRASH/state" --htpasswd accounts --tokens tokens --anonymous read \
		--tls-cert cert --tls-key key --base-url https://lfs.example.com/ --trust-proxy --max-size 1G --cache-size 1M --connections 10 \
		--timeout 5 --expires 60 --jobs 1 --log >out & } && pid=$! && read -r line <out && cd .. &&
	case $line in "listening on https://127.0.0.1:"*) ;; *) false ;; esac && kill $pid && wait $pid && test -f state/ticket-key
'

test_expect_success DVXSERVER 'each of them is looked at' '
	for bad in --anonymous=all --tls-cert=x --base-url=ftp://x --base-url=https://a:b@c/ --max-size=x --connections=0 --timeout=0 --expires=0 --jobs=65 --htpasswd; do
		test_expect_code 129 git dvx serve --http 127.0.0.1:0 --store store $bad 2>err && test "$(wc -l <err)" = 1 && grep "^error: " err || return 1
	done &&
	test_expect_code 128 git dvx serve --http 127.0.0.1:0 --store https://lfs.example.com/x --state s 2>err && grep "Git LFS server" err &&
	test_expect_code 128 git dvx serve --http 127.0.0.1:0 --store store --state s --htpasswd nowhere 2>err && grep nowhere err
'

test_expect_success DVXSERVER 'a port that is taken, a certificate that is none' '
	start_dvx_server && test_expect_code 128 git dvx serve --http "${DVX_SERVER_URL#http://}" --store store --state s 2>err &&
	grep "^error: cannot listen on .*in use" err && echo junk >junk &&
	test_expect_code 128 git dvx serve --http 127.0.0.1:0 --store store --state s --tls-cert junk --tls-key junk 2>err && grep "certificate" err
'

test_expect_success 'without the program: what to install' '
	mkdir -p alone && cp "$DVX_BIN/git-dvx" alone/ && (PATH=$PWD/alone && export PATH && git-dvx serve --http 127.0.0.1:0 --store s 2>err; echo $? >code) &&
	echo 128 >expect && test_cmp expect code && grep "libmicrohttpd-dev" err
'

test_expect_success '--lfs-ssh serves a session of Git LFS over SSH' '
	git init -q --bare far.git && printf "000eversion 1\n00000009quit\n0000" >session &&
	{ git dvx serve --lfs-ssh far.git download <session >answer || :; } && grep -a "version=1" answer
'

test_expect_success 'words that do not belong together' '
	for words in "" "--http 127.0.0.1:0 --lfs-ssh x upload" "--lfs-ssh" "--lfs-ssh x" "--http 127.0.0.1:0 --store s more"; do
		test_expect_code 129 git dvx serve $words 2>err && test "$(wc -l <err)" = 1 || return 1
	done
'

test_done
