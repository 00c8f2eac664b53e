#!/bin/sh
# shellcheck disable=SC2034
test_description='the run cache grows old: bundles are merged, objects go, remotes that keep none'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/runs-lib.sh"

test_expect_success 'many bundles are merged into one, and nothing is lost' '
	new_team merge local_blob "$TRASH/merge-blob" && for i in $(seq 70); do
		echo "$i" >"in" && git dvx repro -q train >out.log 2>&1 && git dvx push --run-cache >out || return 1
	done &&
	test "$(ls "$TRASH/merge-blob/runs" | wc -l)" -le 10 && mate 3 && git dvx fetch --run-cache >out && grep "^76 runs fetched" out
'

entries() {
	find .git/dvx/runs -type f -path '*/*/*/*' | grep -v '\.runs$' | sort
}

test_expect_success 'git dvx gc: entries without their objects are misses, and go when they are old' '
	new_team gc local_blob "$TRASH/gc-blob" && git dvx push --run-cache && test "$(entries | wc -l)" = 6 &&
	git dvx gc --prune=never && test "$(entries | wc -l)" = 6 && git dvx gc --prune=now --dry-run && test "$(entries | wc -l)" = 6 &&
	sleep 0.1 && git dvx gc --prune=now >out && grep "^4 entries of the run cache without their objects removed" out &&
	test "$(entries | wc -l)" = 2 && rm -rf model report && git dvx repro >out.log && runs 6 && same_as_run 3 &&
	echo "rate: 1" >params.yaml && git dvx repro && runs 8 && same_as_run 1
'

test_expect_success 'git dvx gc keeps what dvx.lock of another worktree names' '
	new_project trees && echo 1 >in && printf "stages:\n  s: {cmd: cp in out && echo >>../trees-ran, deps: [in], outs: [out]}\n" >dvx.yaml && git dvx repro -q && git add -A && git commit -q -m one &&
	git worktree add -q ../trees-linked && cd ../trees-linked && echo 2 >in && git dvx repro -q && cd ../trees && echo 3 >in && git dvx repro -q &&
	sleep 0.1 && git dvx gc --prune=now && git -C ../trees-linked dvx gc --prune=now && test "$(wc -l <../trees-ran)" = 3 &&
	rm out && git dvx repro -q && holds out 3 && cd ../trees-linked && rm out && git dvx repro -q && holds out 2 && test "$(wc -l <../trees-ran)" = 3
'

test_expect_success 'young entries stay although an object is gone, and are no error' '
	new_team young local_blob "$TRASH/young-blob" && git add -A && git dvx push --run-cache && entries >before &&
	rm -rf .git/lfs/objects .git/dvx/packs && git dvx gc && entries | test_cmp before - &&
	echo "rate: 1" >params.yaml && git dvx repro && runs 8 && same_as_run 1 &&
	echo "rate: 2" >params.yaml && git dvx repro --pull && runs 8 && same_as_run 2
'

test_expect_success FAKETIME,!ASAN 'git dvx gc --remote: bundles stay, an entry without objects is a miss, never an error' '
	new_team far local_blob "$TRASH/far-blob" && git dvx push --run-cache && ls "$TRASH/far-blob/runs" >before &&
	git dvx gc --remote && with_clock +3d git dvx gc --remote --repack && ls "$TRASH/far-blob/runs" | test_cmp before - &&
	git dvx fsck --remote && rm -rf "$TRASH"/far-blob/packs "$TRASH"/far-blob/fragments && git dvx push -A && mate 3 && git dvx repro --pull && runs 6 && same_as_run 3 &&
	mate 1 && git dvx repro --pull 2>err && ! grep "^error" err && same_as_run 1 && runs 8
'

test_expect_success 'git dvx du --remote and fsck --remote know of them' '
	new_team du local_blob "$TRASH/du-blob" && git dvx push --run-cache && (git-dvx-transfer du >out) && grep -x "runs 1" out &&
	git dvx du --remote && git dvx fsck --remote
'

test_expect_success DVXSERVER 'a Git LFS server keeps none: told, and repro --pull goes on without' '
	start_dvx_server && new_team lfs local_blob "$DVX_SERVER_URL/team" &&
	test_expect_code 128 git dvx push --run-cache 2>err && grep "^error: .*Git LFS server.*keeps no run cache" err &&
	test_expect_code 128 git dvx fetch --run-cache 2>err && grep "^error: .*keeps no run cache" err &&
	git config dvx.runCache push && git dvx push && echo 2 >in && git dvx repro && git add -A && git commit -qm two &&
	git push -q origin HEAD 2>err && ! grep -i "run cache" err && runs 8 && rm -f err &&
	GIT_LFS_SKIP_SMUDGE=1 && export GIT_LFS_SKIP_SMUDGE && mate 3 && unset GIT_LFS_SKIP_SMUDGE && is_pointer model/weights &&
	rm -rf model report && git dvx repro --pull 2>err && ! grep -i "warning\|error" err && runs 8 && echo 2 >data && diff data in &&
	not_pointer report model/weights && holds metrics.txt 3
'

test_done
