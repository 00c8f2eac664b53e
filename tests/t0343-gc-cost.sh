#!/bin/bash
test_description='what a push to a large store costs, and what many pushes leave: bounded numbers of requests and fragments'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/gc-lib.sh"

# traced COMMAND...: its requests to the remote, in trace.
traced() {
	rm -f "$TRASH/trace" && GIT_DVX_TRACE=$TRASH/trace "$@"
}
# requests [OPERATION]: how many there were.
requests() {
	awk -v op="${1:-}" 'op == "" || $2 == op' "$TRASH/trace" | grep -c .
}

test_expect_success 'set up a store of 1,000,000 objects in 60 fragments' '
	big-store store 1000000 60 && transfer_repo origin "$TRASH/store" && many_files origin 200 >all && head -n 100 all >first && tail -n 100 all >second
'
test_expect_success 'the first push of a clone reads each fragment once' '
	traced upload origin first >out && test "$(grep -c "^ok " out)" = 100 && test "$(requests get)" = 60 && test "$(requests list)" = 1 && test "$(requests put)" = 2
'
test_expect_success 'the next push of 100 objects makes a handful of requests' '
	traced upload origin second >out && test "$(grep -c "^ok " out)" = 100 && cat trace && test "$(requests)" -le 5 && test "$(requests put)" = 2
'
test_expect_success 'a push of what is there makes one request, and asks for the packs of a near store only' '
	traced upload origin second >out && test "$(grep -c "^present " out)" = 100 && test "$(requests list)" = 1 && test "$(requests)" -le 3
'

pushes=${DVX_COST_PUSHES:-300}
test_expect_success "$pushes pushes of 10 objects: each makes few requests, and fragments do not become more and more" '
	rm -rf store origin && transfer_repo origin "$TRASH/store" && many_files origin $((pushes * 10)) >all && split -l 10 -a 4 -d all part. && most=0 &&
	for part in part.*; do
		traced upload origin "$part" >/dev/null && n=$(requests) && if [ "$n" -gt "$most" ]; then most=$n; fi || return 1
		[ "${part#*00}" = "$part" ] || older store 90000 || return 1
	done && echo "at most $most requests a push, $(blobs store idx) fragments, $(blobs store notice) notices" && test "$most" -le 80 &&
	older store 90000 && for i in 1 2 3 4 5 6; do random_file last 1000 "last $i" && store_file origin last >r.last && traced upload origin r.last >/dev/null && older store 90000 || return 1; done &&
	test "$(blobs store idx)" -le 140 && test "$(blobs store notice)" -le 8
'
test_expect_success 'and all of it can be read, by a clone that fetches each fragment once' '
	transfer_repo reader "$TRASH/store" && traced download reader all >out && test "$(grep -c "^ok " out)" = $((pushes * 10)) && test "$(requests list)" = 1 && test "$(grep -c " get fragments/" trace)" -le 140
'

test_done
