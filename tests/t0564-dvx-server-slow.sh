#!/bin/sh
test_description='git-dvx-server: slow clients, too many of them, and its end'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"

# clients SCENARIO...: all at once.
clients() {
	pids=
	for scenario do
		slowclient.py "$DVX_SERVER_URL" $scenario &
		pids="$pids $!"
	done
	for pid in $pids; do wait $pid || return 1; done
}

test_expect_success 'connections that say nothing, that stall or drip are closed' '
	start_dvx_server --timeout 2 && clients silent stalled drip-head drip-body && test -z "$(find "$DVX_SERVER_STATE/incoming" -type f)"
'

test_expect_success 'more connections than are served wait' '
	stop_dvx_server && start_dvx_server --timeout 2 --connections 4 && clients crowd
'

test_expect_success 'SIGTERM: what is under way is finished, nobody else is let in, what came is in the store' '
	stop_dvx_server && start_dvx_server && clients "sigterm $(cat "$dvx_servers/dvx/server.pid")" && stop_dvx_server &&
	test -z "$(find "$DVX_SERVER_STATE/incoming" -type f)" && ls "$DVX_SERVER_STORE"/packs/*/*.pack
'

test_done
