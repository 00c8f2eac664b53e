#!/bin/bash
# shellcheck disable=SC2034
test_description='gc and the merging of a push, killed at each call that writes and with each call failing: nothing needed is lost, the next run completes'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/faults-lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/gc-lib.sh"

transfer=git-dvx-transfer
day=86401

# readable REQUESTS: a clone without anything can get them all, from the store as it is.
readable() {
	rm -rf ../check/.git/lfs ../check/.git/dvx &&
		(cd ../check && git-dvx-transfer batch download <"../$1" >../answers) && test "$(grep -c "^ok " ../answers)" = "$(grep -c . "../$1")" &&
		whole_objects_good ../check/.git/lfs/objects && whole_objects_good ../store
}
# settled: after runs that nothing disturbs, what is needed is all there is, and a writer agrees that it is there.
settled() {
	for again in 1 2 3 4 5; do
		gc . ../needed --repack >/dev/null && older ../store $day || return 1
	done
	gc . ../needed && test "$(said fragments)" -le 2 && test "$(said packs)" -le 2 && test "$(said missing)" = 0 && readable needed &&
		git-dvx-transfer batch upload <../needed >../answers && test "$(grep -c "^present " ../answers)" = "$(grep -c . ../needed)"
}
run_gc() {
	{ cat ../needed && echo "done"; } | git-dvx-transfer gc --repack >../gc.out || { gc_code=$?; sed -n "s/^fatal [a-z]* /error: /p" ../gc.out >&2; return $gc_code; }
}

# Every step at once: a due notice to act on, with what is covered, what is not needed and what is needed again; a spent one; fragments
# to merge, packs to copy, and what comes under notice.
prepare_gc() { rm -rf ../store .git/dvx && cp -a ../ready ../store; }
act_gc() { run_gc; }
judge_gc() { readable needed; }
again_gc() { settled; }

# A push that merges, and one that removes what another merged.
prepare_merge() { rm -rf ../store .git/dvx && cp -a ../many ../store; }
act_merge() { git-dvx-transfer batch upload <../one-more >../answers || { code=$?; sed -n "s/^fatal [a-z]* /error: /p; s/^error [0-9a-f]* [a-z]* /error: /p" ../answers >&2; return $code; }; }
judge_merge() { readable all && { [ "$code" != 0 ] || readable one-more; }; }
again_merge() { git-dvx-transfer batch upload <../one-more >../answers && readable one-more && readable all; }
prepare_unmerge() { rm -rf ../store .git/dvx && cp -a ../merged ../store; }
act_unmerge() { act_merge; }
judge_unmerge() { judge_merge; }
again_unmerge() { again_merge; }

test_expect_success 'set up a store with everything to do' '
	transfer_repo origin "$TRASH/store" && git init -q check && git -C check config dvx.remote storage && git -C check config dvx-remote.storage.url "$TRASH/store" &&
	: >all && for i in $(seq 12); do random_file "f$i" $((3000 * i)) "f$i" && store_file origin "f$i" >"r.$i" && cat "r.$i" >>all && upload origin "r.$i" >/dev/null || return 1; done &&
	many_files origin 200 >r.many && awk "NR % 4 == 0" r.many >r.some && upload origin r.many >/dev/null && older store $day &&
	cat r.1 r.2 r.some >n1 && (cd origin && cp ../n1 ../needed && run_gc) && older store $day && cat r.1 r.2 r.3 r.4 r.5 r.6 r.7 r.some >needed && upload origin r.5 >/dev/null &&
	for i in 1 2 3 4 5 6 7 8 9; do random_file "g$i" $((2000 * i)) "g$i" && store_file origin "g$i" >"s.$i" && cat "s.$i" >>needed && upload origin "s.$i" >/dev/null || return 1; done &&
	older store 43300 && older store 43300 && mv store ready
'
test_expect_success 'gc, killed at each call that writes' 'cd origin && sweep gc $transfer $writes KILL'
test_expect_success 'gc, each call with its usual error' 'sweep gc $transfer io usual'
test_expect_success 'gc, each allocation' 'sweep gc $transfer alloc ENOMEM'
test_expect_success 'gc, a disk that stays full' 'sweep gc $transfer create,write,mkdir,copy,rename,link ENOSPC+'

test_expect_success 'set up a store with many small fragments' '
	cd "$TRASH" && rm -rf store origin/.git/dvx && : >all && for i in $(seq 64); do random_file m $((100 + i)) "m$i" && store_file origin m >"m.$i" && cat "m.$i" >>all || return 1; done &&
	random_file m 999 m0 && store_file origin m >m.0 && cat m.0 >>all && for i in $(seq 0 64); do upload origin "m.$i" >/dev/null || return 1; done && test "$(blobs store idx)" = 65 && cp -a store many &&
	random_file more 5000 more && store_file origin more >one-more && random_file again 5001 again && store_file origin again >trigger && upload origin trigger >/dev/null &&
	test "$(blobs store idx)" = 67 && test "$(blobs store notice)" = 1 && older store $day && mv store merged
'
test_expect_success 'a push that merges, killed at each call that writes' 'cd origin && sweep merge $transfer $writes KILL'
test_expect_success 'a push that merges, each call with its usual error' 'sweep merge $transfer io usual'
test_expect_success 'a push that removes what was merged, killed at each call that writes' 'sweep unmerge $transfer $writes KILL'
test_expect_success 'a push that removes what was merged, each call with its usual error' 'sweep unmerge $transfer io usual'
test_done
