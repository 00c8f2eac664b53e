#!/bin/sh
test_description='S3 over TLS: what is trusted, what is not, and what the error says'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"
skip_all_unless NGINX "needs nginx"

test_expect_success 'set up' '
	network_setup && start_tls && new_bucket data && (cd origin && fast_remote data && git dvx push)
'

# tls_clone URL [SSLVERIFY [BUCKET]]: a fresh clone whose remote is there.
tls_clone() {
	fresh_clone "${3:-data}" && git -C clone config dvx-remote.storage.endpointurl "$1" &&
		if [ -n "${2:-}" ]; then git -C clone config dvx-remote.storage.sslverify "$2"; fi
}

# tls_pull URL [SSLVERIFY [BUCKET]]
tls_pull() {
	tls_clone "$@" && (cd clone && git dvx pull >../out 2>../err)
}

tls_pull_fails() { # URL REGEX...
	tpf_url=$1
	shift
	test_must_fail tls_pull "$tpf_url" "$TLS_CA" && nothing_wrong && one_error err "127.0.0.1" "$@"
}

test_expect_success 'a certificate of an authority that is known' '
	tls_pull "$TLS_GOOD" "$TLS_CA" && all_right
'

test_expect_success 'the gateway itself speaks TLS; push and pull' '
	new_bucket direct && (cd origin && s3_remote direct "$S3_TLS_ENDPOINT" && git config dvx-remote.storage.sslverify "$S3_CA" &&
	git dvx push && git config --unset dvx-remote.storage.sslverify) && s3.py verify direct &&
	tls_pull "$S3_TLS_ENDPOINT" "$S3_CA" direct && all_right
'

test_expect_success 'HTTP/2' '
	tls_pull "$TLS_H2" "$TLS_CA" && all_right && grep "\"GET .* HTTP/2" "$dvx_servers/tls/access.log"
'

test_expect_success 'the environment of Git names the authority, too' '
	tls_clone "$TLS_GOOD" && (cd clone && GIT_SSL_CAINFO=$TLS_CA git dvx pull) && all_right
'

test_expect_success 'an authority that nobody knows' '
	test_must_fail tls_pull "$TLS_GOOD" && one_error err "127.0.0.1" "certificate|trust" "sslverify|ssl_verify"
'
test_expect_success 'self-signed' 'tls_pull_fails "$TLS_SELFSIGNED" "self-signed|self signed|trust" "sslverify|ssl_verify"'
test_expect_success 'expired' 'tls_pull_fails "$TLS_EXPIRED" "expired"'
test_expect_success 'for another host' 'tls_pull_fails "$TLS_WRONGHOST" "host|name" "endpointurl|certificate"'
test_expect_success 'TLS 1.1 alone' 'tls_pull_fails "$TLS_OLD" "TLS"'
test_expect_success 'no TLS at all' 'tls_pull_fails "$TLS_NOTTLS" "TLS" "if it speaks none, its URL begins with http://"'

test_expect_success 'nothing of a request was sent to whom we do not trust' '
	: >"$dvx_servers/tls/access.log" && for url in "$TLS_SELFSIGNED" "$TLS_EXPIRED" "$TLS_WRONGHOST"; do
		test_must_fail tls_pull "$url" "$TLS_CA" || return 1
	done && test_must_fail grep GET "$dvx_servers/tls/access.log"
'

test_expect_success 'whoever wants it without checks may have it' '
	tls_pull "$TLS_SELFSIGNED" false && all_right
'

test_expect_success 'a repository cannot turn checks off for those who clone it' '
	tls_clone "$TLS_SELFSIGNED" && git config -f clone/.dvxconfig dvx-remote.storage.sslverify false &&
	git config -f clone/.dvxconfig http.sslverify false &&
	(cd clone && test_must_fail git dvx pull 2>../err) && nothing_wrong && grep "^error: .*127.0.0.1" err
'

test_done
