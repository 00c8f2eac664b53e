#!/bin/bash
# shellcheck disable=SC2034
test_description='git-dvx when calls into the system fail: add, the pre-commit hook and checkout lose nothing, say why, and complete the next time'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/faults-lib.sh"

# --- git dvx add -------------------------------------------------------------------------------------------------

prepare_add() { rm -f .gitattributes.tmp-*; rm -rf .git/lfs .git/dvx .git/index.lock && cp ../index.start .git/index && cp ../attributes.start .gitattributes; }
act_add() { git dvx add data; }
# (A git that is stopped just as it has made index.lock leaves it: that is Git's.)
judge_add() {
	whole_objects_good .git/lfs/objects && no_temporaries .git/lfs/tmp || return 1
	[ "$fault" = KILL ] || case $struck in unlink* | send*) ;; *) [ ! -e .git/index.lock ] || { echo "index.lock is left"; return 1; } ;; esac
	[ "$code" != 0 ] || staged_is data/*
}
again_add() {
	rm -f .git/index.lock && git dvx add data && git status --porcelain >../status && test_cmp ../status.added ../status && staged_is data/* &&
		whole_objects_good .git/lfs/objects
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git add -A && git commit -q -m start && touch .gitattributes && git add .gitattributes && git commit -q -m attributes &&
	cp .git/index ../index.start && cp .gitattributes ../attributes.start && mkdir data &&
	for i in 1 2 3 4; do random_file "data/small $i" $((i * 700)) s$i || return 1; done && : >data/empty &&
	random_file data/large1 100001 l1 && random_file data/large2 1200001 l2 && git dvx add data && git status --porcelain >../status.added &&
	test "$(grep -c "^A " ../status.added)" = 7 && cp .git/index ../index.staged && cp .gitattributes ../attributes.staged
'
test_expect_success 'git dvx add, each call with its usual error' 'sweep add git-dvx io usual'
test_expect_success 'git dvx add, each allocation' 'sweep add git-dvx alloc ENOMEM'
test_expect_success 'git dvx add, interrupted reads and writes' 'sweep add git-dvx read,receive,write,send,copy,fsync EINTR'
test_expect_success 'git dvx add, half of each read and write' 'sweep add git-dvx read,receive,write,send,copy short'
test_expect_success 'git dvx add, a disk that stays full' 'sweep add git-dvx create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'git dvx add, killed at each call that writes' 'sweep add git-dvx $writes KILL'

# --- finding the repository --------------------------------------------------------------------------------------

prepare_find() { cd "$TRASH/repo/inner" && rm -rf .git/dvx; }
act_find() { git-dvx env; }
judge_find() { [ "$code" != 0 ] || grep -q "^git_dir=.*/inner/.git$" "$fault_log.out"; }
again_find() { :; }

test_expect_success 'a repository inside another is never taken for the outer one' '
	test_when_finished "cd \"$TRASH/repo\" && rm -rf inner" &&
	git init -q inner && git-dvx env >../env && sweep find git-dvx io usual && sweep find git-dvx alloc ENOMEM
'

# --- git commit (the hook makes the objects durable) -------------------------------------------------------------

prepare_commit() { rm -rf .git/lfs .git/dvx && cp -a ../stored/. .git/ && git update-ref refs/heads/main start && cp ../index.staged .git/index; }
act_commit() { git commit -q -m data; }
judge_commit() {
	if [ "$code" = 0 ]; then
		case $fault:$struck in EIO:fsync* | usual:fsync*) echo "durability failed unnoticed"; return 1 ;; esac
		test "$(git rev-parse HEAD^)" = "$(git rev-parse start)"
	else
		test "$(git rev-parse HEAD)" = "$(git rev-parse start)"
	fi && staged_is data/*
}
again_commit() {
	{ [ "$code" = 0 ] || git commit -q -m data; } && test "$(git rev-parse HEAD^)" = "$(git rev-parse start)" && test -z "$(git status --porcelain)" && staged_is data/*
}

test_expect_success 'setup of commits' '
	git tag start && prepare_add && git dvx add data && mkdir ../stored && cp -a .git/lfs .git/dvx ../stored/ && cp .git/index ../index.staged
'
test_expect_success 'git commit, each call with its usual error' 'sweep commit git-dvx io usual'
test_expect_success 'git commit, each allocation' 'sweep commit git-dvx alloc ENOMEM'
test_expect_success 'git commit fails when an object cannot be flushed' 'sweep commit git-dvx fsync EIO'

# --- git dvx checkout --------------------------------------------------------------------------------------------

prepare_checkout() { rm -rf .git/index.lock data && GIT_LFS_SKIP_SMUDGE=1 git -c core.hooksPath=/dev/null checkout -q -f main && is_pointer data/large1; }
act_checkout() { git dvx checkout; }
judge_checkout() {
	local file
	for file in data/*; do
		grep -q "^$(sha256sum "$file")$" ../sums || is_pointer "$file" || return 1
	done
	no_temporaries .git/dvx/tmp || return 1
	[ "$code" != 0 ] || [ -s "$err" ] || { sha256sum --quiet -c ../sums && test -z "$(git status --porcelain)"; }
}
again_checkout() {
	rm -f .git/index.lock && git dvx checkout && sha256sum --quiet -c ../sums && test -z "$(git status --porcelain)" && whole_objects_good .git/lfs/objects &&
		test -z "$(find .git/dvx/pending -name "*.journal" 2>/dev/null)"
}

test_expect_success 'setup of checkouts' 'prepare_commit && git commit -q -m data && sha256sum data/* >../sums'
test_expect_success 'git dvx checkout, each call with its usual error' 'sweep checkout git-dvx io usual'
test_expect_success 'git dvx checkout, each allocation' 'sweep checkout git-dvx alloc ENOMEM'
test_expect_success 'git dvx checkout, interrupted reads and writes' 'sweep checkout git-dvx read,receive,write,send,copy,fsync EINTR'
test_expect_success 'git dvx checkout, a disk that stays full' 'sweep checkout git-dvx create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'git dvx checkout, killed at each call that writes' 'sweep checkout git-dvx $writes KILL'
test_done
