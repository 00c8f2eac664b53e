#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx gc with a scope: what is no copy to rely on'
. "$(dirname "$0")/lib.sh"

# two_versions DIR: a repository with an old and a new version of a large and a small file.
two_versions() {
	dvx_repo "$1" && (cd "$1" && git dvx track "*.bin" && random_file a.bin 300K "$1" && random_file s.bin 300 "s$1" && git add -A && git commit -q -m one &&
		random_file a.bin 300K "$1-2" && random_file s.bin 300 "s$1-2" && git commit -q -a -m two)
}

# kept: gc -w, and everything can still be had.
kept() {
	git dvx push -A && git dvx gc -w --prune=now && { git dvx fetch -A || :; } && git dvx fsck -A
}

test_expect_success 'the remote is this repository, by several names' '
	two_versions r && cd r && ln -s "$TRASH/r" "$TRASH/link" && git config dvx.remote storage &&
	for url in ../r .git "$TRASH/link" "file://$TRASH/r" "$TRASH/link/.git"; do git config dvx-remote.storage.url "$url" && kept || return 1; done &&
	git config --unset dvx.remote && git remote add origin . && kept
'

test_expect_success 'the remote borrows from this repository, or is a worktree of it' '
	cd .. && two_versions lender && git clone -q --shared --bare lender borrower.git && mkdir -p borrower.git/lfs/objects && cd lender && git remote add origin ../borrower.git && kept &&
	git worktree add -q --detach ../lender-tree && git remote set-url origin ../lender-tree && kept
'

test_expect_success 'the remote shares the directory of objects' '
	cd .. && two_versions shares && git init -q --bare shared.git && mkdir shared.git/lfs && ln -s "$TRASH/shares/.git/lfs/objects" shared.git/lfs/objects && cd shares && git remote add origin ../shared.git && kept &&
	cd .. && two_versions storage && git init -q --bare storage.git && git -C storage.git config lfs.storage "$TRASH/storage/.git/lfs" && cd storage && git remote add origin ../storage.git && kept
'

test_expect_success 'a real copy counts, also one that is another link to the file' '
	cd .. && two_versions real && git init -q --bare real.git && mkdir -p real.git/lfs/objects && cd real && git remote add origin ../real.git && git dvx push -A && old=$(git cat-file blob HEAD~1:a.bin | sed -n "s/^oid sha256://p") &&
	git dvx gc -w --prune=now && test ! -e ".git/lfs/objects/$(echo $old | cut -c1-2)/$(echo $old | cut -c3-4)/$old" && git dvx fetch -A && git dvx fsck -A
'

test_expect_success 'a copy on the blob remote does not count for commits that were not pushed: others do not know them' '
	cd .. && two_versions ours && git init -q --bare shared-git.git && cd ours && git dvx remote add -d storage "$TRASH/team" && git add -A && git commit -q -m three && git remote add origin ../shared-git.git && git push -q origin main &&
	git checkout -q -b private && random_file a.bin 300K p1 && git commit -q -a -m p1 && random_file a.bin 300K p2 && git commit -q -a -m p2 && git dvx push -A && git checkout -q main && rm -rf .git/logs && git dvx gc -w --prune=now >out && grep removed out &&
	git clone -q ../shared-git.git ../theirs && (cd ../theirs && git dvx gc --remote --grace=0 && git dvx gc --remote --grace=0 && git dvx gc --remote --grace=0) && git dvx fetch -A && git dvx fsck -A
'
test_done
