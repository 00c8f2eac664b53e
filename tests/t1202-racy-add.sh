#!/bin/sh
# shellcheck disable=SC2034
test_description='a file edited while git dvx add is at work, at equal size: Git must see it'
. "$(dirname "$0")/lib.sh"

test_expect_success 'an edit after the file was read, in the same second, shows' '
	dvx_repo repo && cd repo && git dvx track "*.bin" && git add -A && git commit -q -m 0 && random_file seed 20M seed &&
	for i in 1 2 3; do
		for f in a b c d e f g h; do cp seed $f.bin && printf "%s%s" $i $f | dd of=$f.bin conv=notrunc status=none || return 1; done &&
		{ git dvx add . >/dev/null 2>&1 & } && pid=$! && sleep 0.$((i * 2)) &&
		for f in a b c d e f g h; do printf edit | dd of=$f.bin conv=notrunc status=none || return 1; done && wait $pid
		for f in a b c d e f g h; do
			staged=$(git cat-file -p :$f.bin 2>/dev/null | sed -n s/^oid.sha256://p) && test -n "$staged" || continue
			test "$staged" = "$(sha256sum <$f.bin | cut -c1-64)" || git status --porcelain $f.bin | grep "^.M" || return 1
		done
	done
'

test_done
