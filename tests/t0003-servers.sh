#!/bin/sh
test_description='the servers that tests start, and the network that fails: do they do what tests rely on'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"

test_expect_success 'S3: objects are kept, listed, removed' '
	start_rgw && new_bucket data && random_file part 100000 part && s3.py put "data/a b/c+d" <part &&
	s3.py get "data/a b/c+d" | test_cmp_bin part - && test "$(s3.py ls data/a)" = "100000 a b/c+d" &&
	s3.py rm "data/a b/c+d" && test_expect_code 1 s3.py head "data/a b/c+d" && test -z "$(s3.py ls data)"
'

test_expect_success 'S3: bad signatures and wrong clocks are refused' '
	AWS_SECRET_ACCESS_KEY=wrong test_must_fail s3.py ls data 2>err && grep SignatureDoesNotMatch err
'
test_expect_success FAKETIME,!ASAN 'S3: a wrong clock is refused' '
	test_must_fail with_clock +20m s3.py ls data 2>err && grep RequestTimeTooSkewed err
'

test_expect_success 'S3: requests are counted' '
	s3_mark && s3.py ls data && test_expect_code 1 s3.py head data/x && s3_request_log &&
	test "$(s3_requests)" = 2 && test "$(s3_requests "HEAD .* 404 ")" = 1 && test "$(s3_requests PUT)" = 0
'

test_expect_success 'S3: the gateway dies, and comes back with the same data' '
	s3.py put data/kept <part && kill_gateway && test_must_fail s3.py ls data && start_gateway &&
	test "$(s3.py ls data)" = "100000 kept"
'

test_expect_success 'two servers at once know nothing of each other' '
	first=$S3_ENDPOINT && start_rgw second && test "$S3_ENDPOINT" != "$first" && test_must_fail s3.py ls data &&
	stop_rgw second && S3_ENDPOINT=$first && s3.py ls data
'

test_expect_success 'the proxy passes what it is not told to hurt, and counts it' '
	start_faults && fault && real=$S3_ENDPOINT && S3_ENDPOINT=$FAULT_ENDPOINT && random_file big 20M big &&
	s3.py put data/big <big && s3.py get data/big | test_cmp_bin big - && fault_log &&
	test "$(fault_requests)" = 2 && test "$(fault_bytes_up PUT)" = 20971520 && test "$(fault_bytes_down GET)" = 20971520
'

test_expect_success 'the proxy strikes the requests that it is told to' '
	fault "GET big 2 flip 10" "LIST . 1-2 status 503 SlowDown" &&
	s3.py get data/big | test_cmp_bin big - && s3.py get data/big >second && s3.py get data/big | test_cmp_bin big - &&
	test "$(cmp -l big second | wc -l)" = 1 &&
	test_must_fail s3.py ls data && test_must_fail s3.py ls data && s3.py ls data
'

test_expect_success 'bits that flip on the way up are noticed by the server' '
	fault "PUT . 1 corrupt 99999" && test_must_fail s3.py put data/hurt <part 2>err && grep SHA256 err &&
	S3_ENDPOINT=$real && test_expect_code 1 s3.py head data/hurt
'

test_expect_success 'objects that are not what they are called' '
	name=$(sha256sum <part | cut -d" " -f1) && s3.py put "data/$name.pack" <part && s3.py verify data &&
	s3.py put "data/$name.idx" <big && test_must_fail s3.py verify data >out && grep -x "$name.idx" out
'

test_expect_success NGINX 'certificates' '
	start_tls && for url in "$TLS_GOOD" "$TLS_H2"; do
		openssl s_client -connect "${url#https://}" -CAfile "$TLS_CA" -verify_return_error </dev/null || return 1
	done && for url in "$TLS_EXPIRED" "$TLS_SELFSIGNED" "$TLS_OLD" "$TLS_NOTTLS"; do
		test_must_fail openssl s_client -connect "${url#https://}" -CAfile "$TLS_CA" -verify_return_error </dev/null || return 1
	done
'

test_expect_success SSHD 'a far shell has a home of its own' '
	if start_sshd 2>err; then
		test "$($GIT_SSH_COMMAND testhost pwd)" = "$SSH_FAR_HOME" && $GIT_SSH_COMMAND testhost git-dvx --version
	else
		cat err && grep "nobody can log in" err
	fi
'

test_expect_success 'servers end with their owner' '
	sh -c "DVX_SERVER_OWNER=\$\$ \"$dvx_top/tests/servers/ceph-rgw.sh\" start \"$dvx_servers/orphan\"" &&
	until test ! -e "$dvx_servers/orphan"; do sleep 0.2; done &&
	test_must_fail pgrep -f "$dvx_servers/orphan"
'

test_done
