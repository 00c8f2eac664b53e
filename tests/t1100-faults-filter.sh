#!/bin/bash
test_description='git-dvx-filter when calls into the system fail: clean and late rehydration lose nothing, say why, and complete the next time'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/faults-lib.sh"

filter=git-dvx-filter

# --- clean -------------------------------------------------------------------------------------------------------

prepare_clean() { rm -rf .git/lfs .git/dvx && cp ../index.empty .git/index; }
act_clean() { git add large.bin small.bin; }
judge_clean() {
	whole_objects_good .git/lfs/objects && no_temporaries .git/lfs/tmp || return 1
	[ "$code" != 0 ] || staged_is large.bin small.bin
}
again_clean() {
	git add -A && test "$(git status --porcelain)" = "$(printf 'A  large.bin\nA  small.bin')" && staged_is large.bin small.bin &&
		whole_objects_good .git/lfs/objects
}

# The object is here already.
prepare_clean_known() { rm -rf .git/lfs .git/dvx && cp -a ../known/. .git/ && cp ../index.empty .git/index; }
act_clean_known() { act_clean; }
judge_clean_known() { judge_clean; }
again_clean_known() { again_clean; }

test_expect_success 'setup' '
	dvx_repo clean && cd clean && git dvx track "*.bin" && git add -A && git commit -q -m start && cp .git/index ../index.empty &&
	random_file large.bin 1500001 large && random_file small.bin 3000 small && git add -A && mkdir ../known && cp -a .git/lfs .git/dvx ../known/
'

test_expect_success 'git add, each call with its usual error' 'sweep clean $filter io usual'
test_expect_success 'git add, each allocation' 'sweep clean $filter alloc ENOMEM'
test_expect_success 'git add, interrupted reads and writes' 'sweep clean $filter read,receive,write,send,copy,fsync EINTR'
test_expect_success 'git add, half of each read and write' 'sweep clean $filter read,receive,write,send,copy short'
test_expect_success 'git add, a disk that stays full' 'sweep clean $filter create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'git add of objects that are here, each call' 'sweep clean_known $filter io usual'
test_expect_success 'git add, killed at each call that writes' 'sweep clean $filter $writes KILL'
test_expect_success 'what a killed one left is removed a day later' '
	prepare_clean && mkdir -p .git/lfs/tmp && echo x >.git/lfs/tmp/dvx-young && echo x >.git/lfs/tmp/dvx-old && echo x >.git/lfs/tmp/other &&
	touch -d "25 hours ago" .git/lfs/tmp/dvx-old .git/lfs/tmp/other && act_clean && test "$(ls .git/lfs/tmp)" = "$(printf "dvx-young\nother")"
'

# --- late rehydration --------------------------------------------------------------------------------------------

sums() { sha256sum *.bin; }
prepare_late() { rm -f .git/index.lock && git checkout -q -f v2 && git dvx checkout && sums | cmp - ../sums2 && no_temporaries .git/dvx/tmp .git/dvx/pending; }
act_late() { git -c core.hooksPath=/dev/null -c dvx.jobs="$jobs" checkout -q v1; }
judge_late() {
	local file sum
	for file in *.bin; do
		sum=$(sha256sum "$file")
		grep -q "^$sum$" ../sums1 || is_pointer "$file" || { [ "$code" != 0 ] && grep -q "^$sum$" ../sums2; } || return 1
	done
	[ "$code" = 0 ] && [ ! -s "$err" ] || return 0
	sums | cmp - ../sums1 && test -z "$(git status --porcelain)"
}
again_late() {
	case $struck in
	unlink*) rm -f .git/index.lock ;;
	esac
	{ [ "$code" = 0 ] || git checkout -q -f v1; } && git dvx checkout && sums | cmp - ../sums1 && test -z "$(git status --porcelain)" &&
		whole_objects_good .git/lfs/objects
}

test_expect_success 'setup of late rehydration' '
	cd "$TRASH" && dvx_repo late && cd late && git dvx track "*.bin" &&
	for v in 1 2; do
		for f in a b c; do random_file $f.bin $((100000 + v)) $f$v || return 1; done && random_file s.bin 2000 s$v &&
		git add -A && git commit -q -m v$v && git tag v$v && sums >../sums$v || return 1
	done && jobs=1
'
test_expect_success 'checkout, each call with its usual error' 'sweep late $filter io usual'
test_expect_success 'checkout, each allocation' 'sweep late $filter alloc ENOMEM'
test_expect_success 'checkout, interrupted reads and writes' 'sweep late $filter read,receive,write,send,copy,fsync EINTR'
test_expect_success 'checkout, half of each read and write' 'sweep late $filter read,receive,write,send,copy short'
test_expect_success 'checkout, a disk that stays full' 'sweep late $filter create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'checkout, several files at a time' 'jobs=4 && sweep late $filter io usual'
test_done
