#!/bin/bash
# Our own Git LFS server, git-dvx-server.
# usage: dvx-server.sh start DIR [OPTION...]  options of git-dvx-server; without --store its store is DIR/store
#        dvx-server.sh stop DIR               SIGTERM
#        dvx-server.sh kill DIR               kill -9
#        dvx-server.sh again DIR              start it again after either, at the same port, with the same options
# start prints DVX_SERVER_URL, DVX_SERVER_STORE, DVX_SERVER_STATE, DVX_SERVER_LOG.
set -u
. "$(dirname "$0")/common.bash"

# run: with the options in DIR/options; its first line of output says where it listens.
run() {
	local options
	mapfile -d '' -t options <"$dir/options"
	: >"$dir/stdout"
	server_run server sh -c 'out=$1; shift; exec "$@" >>"$out"' sh "$dir/stdout" \
		git-dvx-server --state "$dir/state" "${options[@]}"
	server_up server grep -q '^listening on ' "$dir/stdout"
}
url() {
	sed -n 's/^listening on //p' "$dir/stdout"
}

# end: SIGTERM; what waits is brought to the store first, which takes as long as it takes.
end() {
	local pid i
	pid=$(server_pid server) || return 0
	kill -TERM "$pid" 2>/dev/null
	for ((i = 0; i < 1200; i++)); do
		server_pid server >/dev/null || break
		sleep 0.05
	done
	server_end server KILL
}

server_enter "${1:-}" "${2:-}"
action=$1
shift 2
case $action in
start)
	server_needs git-dvx-server
	server_watch
	store=$dir/store
	listen=127.0.0.1:$(server_port) # not one that the kernel hands out: nobody takes it while the server is away
	for ((i = 1; i < $#; i++)); do
		next=$((i + 1))
		case ${!i} in
		--store) store=${!next} ;;
		--http) listen=${!next} ;;
		esac
	done
	printf '%s\0' --http "$listen" --store "$store" --log "$@" >"$dir/options"
	run || server_die "git-dvx-server did not start"
	# The same port at the next start.
	address=$(url)
	printf '%s\0' --http "${address#*://}" >>"$dir/options"
	server_export DVX_SERVER_URL "$address"
	server_export DVX_SERVER_STORE "$store"
	server_export DVX_SERVER_STATE "$dir/state"
	server_export DVX_SERVER_LOG "$dir/server.log"
	;;
again)
	server_pid watch >/dev/null || server_watch # `stop` has ended it
	run || { sleep 1 && run; } || server_die "git-dvx-server did not start again"
	;;
stop)
	server_end watch KILL
	end
	;;
kill)
	server_end server KILL
	;;
*)
	echo "usage: $(basename "$0") start|stop|kill|again DIR" >&2
	exit 129
	;;
esac
