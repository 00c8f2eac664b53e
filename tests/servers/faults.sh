#!/bin/bash
# The proxy that fails on request (tests/tools/faultproxy.py has its language), in front of an HTTP server.
# usage: faults.sh start DIR     UPSTREAM: what is behind (default $S3_ENDPOINT), http://host:port
#        faults.sh stop DIR
# start prints FAULT_ENDPOINT, FAULT_OTHER (its second port, "another host") and FAULT_DIR (rules, log).
set -u
. "$(dirname "$0")/common.bash"

server_enter "$@"
case $1 in
start)
	server_needs /usr/bin/python3
	upstream=${UPSTREAM:-${S3_ENDPOINT:-}}
	[ -n "$upstream" ] || server_die "set UPSTREAM to the URL of the server behind"
	server_watch
	rm -f "$dir/ports"
	server_run proxy "$(dirname "$server_script")/../tools/faultproxy.py" "$dir" "$upstream"
	server_up proxy test -s "$dir/ports" || server_die "the proxy did not start"
	read -r main other <"$dir/ports"
	server_export FAULT_ENDPOINT "http://127.0.0.1:$main"
	server_export FAULT_OTHER "http://127.0.0.1:$other"
	server_export FAULT_DIR "$dir"
	;;
stop)
	server_end watch KILL
	server_end proxy KILL
	;;
*)
	echo "usage: $(basename "$0") start|stop DIR" >&2
	exit 129
	;;
esac
