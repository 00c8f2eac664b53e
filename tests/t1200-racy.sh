#!/bin/sh
# shellcheck disable=SC2034
test_description='files that another content takes within one second, at equal sizes: Git must see it'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: two versions of a large and a small file, of equal sizes' '
	dvx_repo repo && cd repo && git dvx track "*.bin" &&
	for v in 1 2; do
		random_file large.bin 200000 l$v && random_file small.bin 1000 s$v && git add -A && git commit -q -m v$v && git tag v$v || return 1
	done
'

# Inode numbers are used again, so size, second and inode may all be those of the file that was there before.
test_expect_success 'git restore --worktree --source right after a checkout leaves modified files' '
	for i in 1 2 3 4 5 6 7 8; do
		git checkout -q v1 && git restore --source=v2 --worktree . &&
		test "$(git status --porcelain)" = "$(printf " M large.bin\n M small.bin")" && git checkout -q -f v2 || return 1
	done
'

test_expect_success 'an edit right after a checkout shows' '
	for i in 1 2 3 4 5 6 7 8; do
		git checkout -q v1 && for f in large small; do printf "edit %s" $i | dd of=$f.bin conv=notrunc status=none || return 1; done &&
		test "$(git status --porcelain)" = "$(printf " M large.bin\n M small.bin")" && git checkout -q -f v2 || return 1
	done
'

test_done
