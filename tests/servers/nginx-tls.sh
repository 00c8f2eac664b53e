#!/bin/bash
# The same HTTP server behind certificates good and bad.
# usage: nginx-tls.sh start DIR     UPSTREAM: what is behind (default $S3_ENDPOINT), http://host:port
#        nginx-tls.sh stop DIR
# start prints TLS_CA (the authority of all but the self-signed) and the URLs TLS_GOOD, TLS_H2 (speaks HTTP/2), TLS_EXPIRED,
# TLS_WRONGHOST, TLS_SELFSIGNED, TLS_OLD (TLS 1.1 only), TLS_NOTTLS (no TLS at all at an https URL).
set -u
. "$(dirname "$0")/common.bash"

# certify NAME COMMON-NAME ALT-NAMES VALIDITY-OPTION...: NAME.key and NAME.crt by our authority.
certify() {
	local name=$1
	printf 'subjectAltName=%s\n' "$3" >"$name.ext"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$2" || return
	shift 3
	: >ca.index
	openssl ca -batch -config ca.cnf -cert ca.crt -keyfile ca.key -in "$name.csr" -out "$name.crt" -notext \
		-extfile "$name.ext" "$@"
}

make_certificates() {
	cd "$dir" || return
	cat >ca.cnf <<-\END
		[ca]
		default_ca = d
		[d]
		new_certs_dir = .
		database = ca.index
		default_md = sha256
		policy = p
		rand_serial = yes
		[p]
		commonName = supplied
	END
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 \
		-subj '/CN=Test authority' &&
		certify good localhost DNS:localhost,IP:127.0.0.1 -days 2 &&
		certify expired localhost DNS:localhost,IP:127.0.0.1 -startdate 20200101000000Z -enddate 20200102000000Z &&
		certify wronghost other.example DNS:other.example -days 2 &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self.key -out self.crt -days 2 \
			-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
} >"$dir/openssl.log" 2>&1

# site PORT CERTIFICATE [LISTEN-OPTION [DIRECTIVE...]]
site() {
	local port=$1 name=$2 option=${3:-}
	shift 3 2>/dev/null || shift $#
	echo "server { listen 127.0.0.1:$port ssl $option; ssl_certificate $name.crt; ssl_certificate_key $name.key; $* $pass }"
}

# The request as it came, Host included, since S3 signatures cover that; nothing is kept on disk.
write_config() { # FIRST-PORT
	local pass="location / { proxy_pass $upstream; proxy_set_header Host \$http_host; proxy_http_version 1.1;
		proxy_set_header Connection ''; proxy_request_buffering off; proxy_buffering off; proxy_read_timeout 600; }"
	cat >"$dir/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $dir/nginx.own.pid;
		error_log $dir/error.log;
		events { worker_connections 512; }
		http {
		access_log $dir/access.log;
		client_max_body_size 0;
		client_body_temp_path tmp/a; proxy_temp_path tmp/b; fastcgi_temp_path tmp/c; uwsgi_temp_path tmp/d; scgi_temp_path tmp/e;
		$(site "$1" good)
		$(site $(($1 + 1)) good http2)
		$(site $(($1 + 2)) expired)
		$(site $(($1 + 3)) wronghost)
		$(site $(($1 + 4)) self)
		$(site $(($1 + 5)) good '' 'ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;')
		server { listen 127.0.0.1:$(($1 + 6)); $pass }
		}
	END
}

server_enter "$@"
case $1 in
start)
	server_needs nginx openssl perl
	upstream=${UPSTREAM:-${S3_ENDPOINT:-}}
	[ -n "$upstream" ] || server_die "set UPSTREAM to the URL of the server behind"
	server_watch
	mkdir -p "$dir/tmp" && make_certificates || server_die "cannot make certificates"
	for _ in 1 2 3 4 5; do
		port=$(server_port 7) && write_config "$port" || server_die "cannot configure"
		server_run nginx nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf"
		server_up nginx server_listens $((port + 6)) && break
		port=
	done
	[ -n "$port" ] || server_die "nginx did not start"
	server_export TLS_CA "$dir/ca.crt"
	for name in GOOD H2 EXPIRED WRONGHOST SELFSIGNED OLD NOTTLS; do
		server_export "TLS_$name" "https://127.0.0.1:$port"
		port=$((port + 1))
	done
	;;
stop)
	server_end watch KILL
	server_end nginx TERM
	;;
*)
	echo "usage: $(basename "$0") start|stop DIR" >&2
	exit 129
	;;
esac
