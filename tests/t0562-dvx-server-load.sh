#!/bin/sh
test_description='git-dvx-server: 64 clients at once, killed and started again in the middle: nothing is lost'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"

# How long the clients push and pull: a minute with LARGE=1.
: "${DVX_STRESS_SECONDS:=$([ "${LARGE:-0}" = 1 ] && echo 60 || echo 10)}"

# memory: the most that the server had of it since its start, in MiB.
memory() {
	awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$(cat "$dvx_servers/dvx/server.pid")/status"
}
# The figures are printed with the test's own lines.
figure() {
	echo "# $*" >>"$TRASH/figures"
}
# store_is_whole: every pack and fragment of the server's store, read and hashed.
store_is_whole() {
	rm -rf look && git init -q look &&
		(cd look && git config dvx.remote served && git config dvx-remote.served.url "$DVX_SERVER_STORE" && git-dvx-transfer fsck)
}

test_expect_success '64 clients push and pull while the server is killed and started again' '
	start_dvx_server && url=$DVX_SERVER_URL/load/info/lfs && : >record &&
	{ lfsload.py --seconds "$DVX_STRESS_SECONDS" "$url" record >load.out 2>load.err & } && load=$! &&
	sleep $((DVX_STRESS_SECONDS / 3)) && while ! test -s record && kill -0 $load; do sleep 0.1; done && before=$(wc -l <record) && first=$(memory) && kill_dvx_server && restart_dvx_server &&
	sleep $((DVX_STRESS_SECONDS / 3)) && kill_dvx_server && sleep 1 && restart_dvx_server &&
	{ wait $load || { cat load.err; false; }; } && cat load.out &&
	figure "$(cat load.out); memory $first MiB before the first kill, $(memory) after the last" &&
	test "$before" -gt 0 && test "$(wc -l <record)" -gt "$before"
'

test_expect_success 'all that was acknowledged is there, and is what it was' '
	lfsload.py --check "$DVX_SERVER_URL/load/info/lfs" record >load.out && cat load.out && figure "read back: $(cat load.out)"
'

test_expect_success 'the store is whole, also when the server has ended, and holds everything' '
	stop_dvx_server && test -z "$(find "$DVX_SERVER_STATE/incoming" -type f ! -name "tmp-*")" && store_is_whole &&
	rm -rf "$DVX_SERVER_STATE/cache" && restart_dvx_server &&
	lfsload.py --check --clients 16 "$DVX_SERVER_URL/load/info/lfs" record && stop_dvx_server
'

test_expect_success GITLFS 'four Git LFS clients among 32 others' '
	start_dvx_server && url=$DVX_SERVER_URL/mixed/info/lfs &&
	{ lfsload.py --clients 32 --seconds 5 "$url" record2 >load.out 2>load.err & } && load=$! && clients= &&
	for n in 1 2 3 4; do
		(
			git init -q --bare lfs$n.git && git init -q lfs$n && cd lfs$n && git lfs install --local && git lfs track "*.bin" &&
				git config -f .lfsconfig lfs.url "$url" && for f in 1 2 3 4 5 6 7 8 9; do random_file $f.bin ${f}0000 $n.$f || exit; done &&
				git add . .lfsconfig && git commit -qm data && git push -q "$TRASH/lfs$n.git" main && cd .. &&
				GIT_LFS_SKIP_SMUDGE=1 git clone -q lfs$n.git lfs$n.copy && cd lfs$n.copy && git lfs install --local && git lfs pull &&
				cd .. && for f in 1 2 3 4 5 6 7 8 9; do cmp lfs$n/$f.bin lfs$n.copy/$f.bin || exit; done
		) >lfs$n.log 2>&1 &
		clients="$clients $!"
	done &&
	for client in $clients; do wait $client || { cat lfs?.log; return 1; }; done && { wait $load || { cat load.err; false; }; }
'

# The sanitizers take memory of their own.
test_expect_success !ASAN '64 clients with large objects: 256 MiB of memory are enough' '
	stop_dvx_server && start_dvx_server && size=$([ "${LARGE:-0}" = 1 ] && echo 33554432 || echo 8388608) &&
	lfsload.py --each 1 --size $size "$DVX_SERVER_URL/large/info/lfs" record3 >load.out && cat load.out &&
	figure "64 clients, objects of $((size / 1048576)) MiB: $(cat load.out), $(memory) MiB of memory" && test "$(memory)" -le 256
'

cat "$TRASH/figures" 2>/dev/null
test_done
