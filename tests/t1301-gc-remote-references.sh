#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx gc --remote: what other refs of a Git remote need'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: data that is pushed with a ref that is neither branch nor tag' '
	git init -q --bare origin.git && dvx_repo ours && cd ours && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" &&
	random_file a.bin 100K a && git add -A && git commit -q -m a && git remote add origin "$TRASH/origin.git" && git push -q origin main &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q "$TRASH/origin.git" ../theirs && cd ../theirs && git dvx init && random_file b.bin 100K b && git add -A && git commit -q -m b && git dvx push && git push -q origin HEAD:refs/experiments/one &&
	cd ../ours && git fetch -q --all --tags
'

test_expect_success 'such a ref stops the clean-up, and the error says what to fetch' '
	test_expect_code 128 git dvx gc --remote --grace=0 2>err && grep "refs/experiments/one" err && grep "git fetch origin refs/experiments/one" err
'

test_expect_success 'when it is here, what it needs is kept' '
	git fetch -q origin refs/experiments/one && git dvx gc --remote --grace=0 && git dvx gc --remote --grace=0 &&
	git clone -q "$TRASH/origin.git" ../third && cd ../third && git fetch -q origin refs/experiments/one && git checkout -q FETCH_HEAD && git dvx pull && not_pointer b.bin && git dvx fsck
'

test_expect_success 'detached HEAD, several remotes, a project seen through its worktree and another repository in the environment' '
	cd ../theirs && git worktree add -q --detach ../theirs-tree && cd ../theirs-tree && random_file c.bin 100K c && git add -A && git commit -q -m c && git dvx push && random_file d.bin 100K d && git add -A && git dvx push d.bin && git dvx fsck --remote --quick &&
	cd ../ours && git init -q --bare ../second.git && git remote add second "$TRASH/second.git" && git push -q second main && git checkout -q --detach &&
	git dvx gc --remote --grace=0 -p ../theirs-tree && git dvx gc --remote --grace=0 -p ../theirs-tree && (cd ../theirs && git dvx fsck --remote) &&
	GIT_DIR=$PWD/.git GIT_WORK_TREE=$PWD GIT_INDEX_FILE=$PWD/.git/index git dvx gc --remote --grace=0 -p ../theirs && GIT_DIR=.git git dvx gc --remote --grace=0 -p ../theirs &&
	(cd ../theirs && git dvx fsck --remote && cd ../theirs-tree && git dvx fsck --remote HEAD)
'
test_done
