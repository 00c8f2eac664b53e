#!/bin/bash
# The Git LFS server of tests/tools/lfs-server.py, which has quirks when it is told to.
# usage: lfs-quirks.sh start DIR
#        lfs-quirks.sh stop DIR
# start prints QUIRK_ENDPOINT (its API is below /lfs) and QUIRK_DIR (objects, quirks, log).
set -u
. "$(dirname "$0")/common.bash"

server_enter "$@"
case $1 in
start)
	server_needs /usr/bin/python3
	server_watch
	rm -f "$dir/port"
	server_run quirks "$(dirname "$server_script")/../tools/lfs-server.py" "$dir"
	server_up quirks test -s "$dir/port" || server_die "the server did not start"
	server_export QUIRK_ENDPOINT "http://127.0.0.1:$(cat "$dir/port")"
	server_export QUIRK_DIR "$dir"
	;;
stop)
	server_end watch KILL
	server_end quirks KILL
	;;
*)
	echo "usage: $(basename "$0") start|stop DIR" >&2
	exit 129
	;;
esac
