#!/bin/sh
test_description='a Git LFS server behind TLS: HTTP/2, certificates good and bad, certificates of the client'\''s'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

skip_all_unless NGINX "needs nginx"

tls_dir=
# protocols SITE-PORT-URL: what nginx says the requests to it came by.
protocols() {
	sed -n 's|.*"[A-Z]* [^ ]* \(HTTP/[0-9.]*\)".*|\1|p' "$tls_dir/access.log" | sort | uniq -c
}
# tls_repo NAME URL: trusts our authority for this URL alone.
tls_repo() {
	rm -rf "$1" && lfs_repo "$1" "$2/lfs" && git -C "$1" config "http.$2/.sslCAInfo" "$TLS_CA"
}

test_expect_success 'setup: nginx in front of the server' '
	start_quirks && start_tls "$QUIRK_ENDPOINT" && tls_dir=$(dirname "$TLS_CA") && quirk "scheme https" && tls_repo up "$TLS_H2" &&
	many_files up 300 >all && for i in 1 2 3; do random_file "big$i" 12M "big $i" && store_file up "big$i" >>all || return 1; done
'

test_expect_success 'HTTP/2, where it is offered: up' '
	upload up all >out && test "$(grep -c "^ok" out)" = 303 && protocols && protocols | grep "6[01][0-9] HTTP/2.0" && ! protocols | grep "HTTP/1"
'

test_expect_success 'and down, large objects and small ones on one connection' '
	tls_repo down "$TLS_H2" && : >"$tls_dir/access.log" && download down all && has_objects down all &&
	protocols | grep HTTP/2.0 && ! protocols | grep "HTTP/1"
'

test_expect_success 'HTTP/1.1, where it is not, or when Git is told so' '
	tls_repo down "$TLS_GOOD" && : >"$tls_dir/access.log" && download down all && has_objects down all && ! protocols | grep HTTP/2 &&
	tls_repo down "$TLS_H2" && git -C down config http.version HTTP/1.1 && : >"$tls_dir/access.log" && download down all &&
	protocols | grep HTTP/1.1 && ! protocols | grep HTTP/2
'

# refused REGEX...: one sentence that says these; nothing came.
refused() {
	test_expect_code 128 download down all >out
	cat out
	for rf_regex do
		grep "^fatal denied" out | grep -Eiq "$rf_regex" || { echo "does not say: $rf_regex"; return 1; }
	done
	test ! -e down/.git/lfs/objects
}
test_expect_success 'an authority that nobody knows: what to set' '
	tls_repo down "$TLS_GOOD" && git -C down config --unset "http.$TLS_GOOD/.sslCAInfo" && refused "127.0.0.1" "authority" "sslCAInfo"
'
test_expect_success 'a certificate that has expired' 'tls_repo down "$TLS_EXPIRED" && refused "expired"'
test_expect_success 'a certificate for another host' 'tls_repo down "$TLS_WRONGHOST" && refused "another host"'
test_expect_success 'a certificate that nobody signed' 'tls_repo down "$TLS_SELFSIGNED" && refused "self-signed"'

test_expect_success 'http.<url>.sslVerify of this URL, not of another' '
	tls_repo down "$TLS_SELFSIGNED" && git -C down config "http.$TLS_GOOD/.sslVerify" false && refused "self-signed" &&
	git -C down config "http.$TLS_SELFSIGNED/.sslVerify" false && download down all && has_objects down all
'

test_expect_success 'GIT_SSL_CAINFO and GIT_SSL_NO_VERIFY' '
	tls_repo down "$TLS_GOOD" && git -C down config --unset "http.$TLS_GOOD/.sslCAInfo" &&
	GIT_SSL_CAINFO=$TLS_CA download down all && has_objects down all &&
	tls_repo down "$TLS_SELFSIGNED" && GIT_SSL_NO_VERIFY=1 download down all && has_objects down all
'

# A server of its own that wants a certificate: nginx once more, with what the first one made.
listens() { # listens PORT
	python3 -c "import socket, sys; socket.create_connection((\"127.0.0.1\", int(sys.argv[1])))" "$1" 2>/dev/null
}
client_site() {
	mkdir -p client && client_port=$(shuf -n 1 -i 10000-32000) && # none that the kernel hands out to clients
	cat >client/nginx.conf <<-END &&
		daemon off; master_process off; pid client.pid; error_log error.log; events { }
		http {
		access_log access.log; client_max_body_size 0;
		client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
		server {
			listen 127.0.0.1:$client_port ssl;
			ssl_certificate $tls_dir/good.crt; ssl_certificate_key $tls_dir/good.key;
			ssl_client_certificate $tls_dir/ca.crt; ssl_verify_client on;
			location / { proxy_pass $QUIRK_ENDPOINT; proxy_set_header Host \$http_host; }
		}
		}
	END
	{ PATH=$PATH:/usr/sbin nginx -e "$PWD/client/error.log" -p "$PWD/client" -c "$PWD/client/nginx.conf" >client/log 2>&1 & } &&
	client_pid=$! && { (while kill -0 $$ && sleep 1; do :; done; kill $client_pid) >/dev/null 2>&1 & } &&
	while ! listens $client_port && kill -0 $client_pid; do sleep 0.05; done &&
	kill -0 $client_pid && CLIENT=https://127.0.0.1:$client_port
}
test_expect_success 'http.sslCert and http.sslKey' '
	for try in 1 2 3 4 5; do ! client_site || break; done && tls_repo down "$CLIENT" && test_must_fail download down all >out && cat out && grep "400" out &&
	git -C down config "http.$CLIENT/.sslCert" "$tls_dir/good.crt" && git -C down config "http.$CLIENT/.sslKey" "$tls_dir/good.key" &&
	download down all && has_objects down all
'

test_expect_success 'GIT_SSL_CERT and GIT_SSL_KEY' '
	tls_repo down "$CLIENT" && GIT_SSL_CERT=$tls_dir/good.crt GIT_SSL_KEY=$tls_dir/good.key download down all && has_objects down all
'

test_expect_success 'a key that is encrypted: nobody is asked at the terminal, and the error says what is wrong' '
	openssl ec -in "$tls_dir/good.key" -aes128 -passout pass:secret -out locked.key && tls_repo down "$CLIENT" &&
	git -C down config http.sslCert "$tls_dir/good.crt" && git -C down config http.sslKey "$PWD/locked.key" &&
	test_must_fail download down all >out && cat out && grep "http.sslKey" out && grep passphrase out
'

test_expect_success 'its passphrase comes from the credential helper' '
	cat >helper <<-\END && chmod +x helper &&
		#!/bin/sh
		[ "$1" = get ] || exit 0
		grep -q "^protocol=cert" && printf "username=x\npassword=secret\n"
	END
	git -C down config credential.helper "!\"$PWD/helper\"" && git -C down config http.sslCertPasswordProtected true &&
	download down all >out && has_objects down all && kill $client_pid
'

test_done
