# shellcheck shell=sh disable=SC1090,SC2034,SC2154
# Servers for shell tests; to be read after lib.sh.  A test that cannot do without one says
#
#	. "$dvx_top/tests/servers-lib.sh"
#	skip_all_unless RGW "needs Ceph's radosgw"
#	test_expect_success 'a server' 'start_rgw && new_bucket data'
#
# What was started ends with the test, however that ends.  Prerequisites: RGW SSHD NGINX RCLONE FAKETIME JGIT.
#
# start_rgw, start_sshd, start_tls, start_faults set the variables that the scripts in tests/servers (and
# tests/tools/faultproxy.py) describe: S3_ENDPOINT…, SSH_CONFIG…, TLS_GOOD…, FAULT_ENDPOINT….

dvx_have() {
	for dvx_program do
		PATH=$PATH:/usr/sbin:/sbin command -v "$dvx_program" >/dev/null || return 1
	done
}
! dvx_have radosgw ceph-mon ceph-osd ceph || test_set_prereq RGW
! dvx_have sshd ssh || test_set_prereq SSHD
! dvx_have nginx || test_set_prereq NGINX
! dvx_have rclone || test_set_prereq RCLONE
! dvx_have faketime || test_set_prereq FAKETIME
! dvx_have jgit java || test_set_prereq JGIT

# Nothing of the caller's accounts, certificates and proxies leaks in.
for dvx_var in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\|RCLONE_[A-Z0-9_]*\|SSH_[A-Z0-9_]*\)=.*/\1/p') CURL_CA_BUNDLE \
	SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY; do
	unset "$dvx_var"
done
AWS_EC2_METADATA_DISABLED=true # tests that want it have a server of their own
export AWS_EC2_METADATA_DISABLED

PATH=$dvx_top/tests/tools:$PATH
DVX_SERVER_OWNER=$$
export DVX_SERVER_OWNER

# Not in the trash directory: the paths of that have spaces, and it goes before the servers do.
dvx_servers=$(mktemp -d /tmp/dvx-servers.XXXXXX) || exit 1
dvx_started_servers=
stop_servers() {
	for dvx_server in $dvx_started_servers; do
		"$dvx_top/tests/servers/${dvx_server%%:*}" stop "$dvx_servers/${dvx_server#*:}"
	done
	dvx_started_servers=
	rm -rf "$dvx_servers" # and with it what a watcher would look after
}
# shellcheck disable=SC2154 # die is the harness's own: it tells of a test that ended before its time
trap 'dvx_code=$?; stop_servers; (exit "$dvx_code"); die' EXIT

# dvx_server_start SCRIPT NAME: start, and take the variables over.
dvx_server_start() {
	mkdir -p "$dvx_servers/$2" && dvx_started_servers="$dvx_started_servers $1:$2" &&
		"$dvx_top/tests/servers/$1" start "$dvx_servers/$2" >"$dvx_servers/$2/env" && . "$dvx_servers/$2/env"
}

# --- S3 ----------------------------------------------------------------------------------------------------------

# start_rgw [NAME]: a server, "rgw" by default; the variables are of the last one.  stop_rgw forgets all of its data.
start_rgw() {
	dvx_server_start ceph-rgw.sh "${1:-rgw}"
}
stop_rgw() {
	"$dvx_top/tests/servers/ceph-rgw.sh" stop "$dvx_servers/${1:-rgw}"
}

# kill_gateway [NAME], start_gateway [NAME]: kill -9, and again with the same data at the same ports.
kill_gateway() {
	"$dvx_top/tests/servers/ceph-rgw.sh" kill-gateway "$dvx_servers/${1:-rgw}"
}
start_gateway() {
	"$dvx_top/tests/servers/ceph-rgw.sh" start-gateway "$dvx_servers/${1:-rgw}"
}

# new_bucket NAME; s3.py (in PATH) puts, gets, lists and removes.
new_bucket() {
	s3.py mb "$1"
}

# s3_mark: requests are counted from here.  s3_requests [REGEX]: print the number that arrived since whose
# '"METHOD /path HTTP/1.1" status' matches REGEX (grep -E); s3_request_log prints them.
s3_mark() {
	dvx_mark=$(wc -l <"$S3_LOG")
}
s3_request_log() {
	tail -n +$((${dvx_mark:-0} + 1)) "$S3_LOG" | sed -n 's/.* beast: .*\("[A-Z]* .*" [0-9]* [0-9]*\) .*/\1/p' |
		grep -E "${1:-.}"
}
s3_requests() {
	s3_request_log "${1:-.}" | wc -l
}

# s3_remote BUCKET [ENDPOINT]: in the current repository, make s3://BUCKET its default remote "storage".
s3_remote() {
	git config dvx.remote storage && git config dvx-remote.storage.url "s3://$1" &&
		git config dvx-remote.storage.endpointurl "${2:-$S3_ENDPOINT}"
}

# with_clock OFFSET COMMAND...: "+20m", "-1d": for the command the clock is off by that much.
with_clock() {
	dvx_offset=$1
	shift
	FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "$dvx_offset" "$@"
}

# --- SSH, TLS ----------------------------------------------------------------------------------------------------

# start_sshd [NAME]: far programs have our PATH.  need_sshd, outside of a case: the same, or the file is skipped, for there are
# users whom no sshd lets in (no shell, a locked account).
start_sshd() {
	SSHD_PATH=$PATH dvx_server_start sshd.sh "${1:-sshd}"
}
need_sshd() {
	skip_all_unless SSHD "needs OpenSSH"
	start_sshd 2>"$TRASH/.sshd" || {
		skip_all="no SSH server for us: $(cat "$TRASH/.sshd")"
		test_done
	}
}
stop_sshd() {
	"$dvx_top/tests/servers/sshd.sh" stop "$dvx_servers/${1:-sshd}"
}
kill_ssh_sessions() {
	"$dvx_top/tests/servers/sshd.sh" kill-sessions "$dvx_servers/${1:-sshd}"
}

# start_tls [UPSTREAM]: nginx in front of $S3_ENDPOINT, or of that URL.
start_tls() {
	UPSTREAM=${1:-$S3_ENDPOINT} dvx_server_start nginx-tls.sh tls
}

# --- Git LFS -----------------------------------------------------------------------------------------------------

# start_jgit [NAME]: JGit's Git LFS server at $JGIT_URL.
start_jgit() {
	dvx_server_start jgit-lfs.sh "${1:-jgit}"
}

# start_dvx_server [OPTION...]: git-dvx-server with these options, on loopback and without accounts unless they say otherwise, at
# $DVX_SERVER_URL, with its store in $DVX_SERVER_STORE; stop_dvx_server (SIGTERM), kill_dvx_server (kill -9),
# restart_dvx_server: again, at the same port.
start_dvx_server() {
	mkdir -p "$dvx_servers/dvx" && dvx_started_servers="$dvx_started_servers dvx-server.sh:dvx" &&
		"$dvx_top/tests/servers/dvx-server.sh" start "$dvx_servers/dvx" "$@" >"$dvx_servers/dvx.env" &&
		. "$dvx_servers/dvx.env"
}
stop_dvx_server() {
	"$dvx_top/tests/servers/dvx-server.sh" stop "$dvx_servers/dvx"
}
kill_dvx_server() {
	"$dvx_top/tests/servers/dvx-server.sh" kill "$dvx_servers/dvx"
}
restart_dvx_server() {
	"$dvx_top/tests/servers/dvx-server.sh" again "$dvx_servers/dvx"
}
! dvx_have git-dvx-server || test_set_prereq DVXSERVER

# --- a network that fails ----------------------------------------------------------------------------------------

# start_faults [UPSTREAM]: the proxy of tests/tools/faultproxy.py in front of $S3_ENDPOINT, or of that URL.
start_faults() {
	UPSTREAM=${1:-$S3_ENDPOINT} dvx_server_start faults.sh faults && : >"$FAULT_DIR/log"
}

# fault 'METHOD REGEX WHICH ACTION…'…: from now on, and counting from here; without arguments all is well again.
fault() {
	printf '%s\n' "$@" >"$FAULT_DIR/rules.new" && mv "$FAULT_DIR/rules.new" "$FAULT_DIR/rules" && fault_mark
}

# fault_mark: fault_log counts from here, too.  fault_log [REGEX]: the log's lines that match (grep -E).
fault_mark() {
	dvx_fault_mark=$(wc -l <"$FAULT_DIR/log")
}
fault_log() {
	tail -n +$((${dvx_fault_mark:-0} + 1)) "$FAULT_DIR/log" | grep -E "${1:-.}"
}

# fault_requests [REGEX]: how many; fault_bytes_up, fault_bytes_down [REGEX]: bytes of the bodies they sent, got.
fault_requests() {
	fault_log "${1:-.}" | wc -l
}
fault_bytes_up() {
	fault_log "${1:-.}" | awk '{ n += $5 } END { printf "%d\n", n }'
}
fault_bytes_down() {
	fault_log "${1:-.}" | awk '{ n += $6 } END { printf "%d\n", n }'
}
