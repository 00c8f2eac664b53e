#!/bin/bash
# shellcheck disable=SC2034
test_description='a full disk during clean, rehydration and push: a clear error, nothing lost, nothing half-written'
test_fs=ext4
test_fs_size=160M
. "$(dirname "$0")/lib.sh"

err=$(mktemp /dev/shm/dvx-full.XXXXXX) # not on the full disk
fill() { dd if=/dev/zero of="$TRASH/filler" bs=64k 2>/dev/null; sync -f "$TRASH"; dd if=/dev/zero of="$TRASH/filler2" bs=1k 2>/dev/null; true; }
unfill() { rm -f "$TRASH/filler" "$TRASH/filler2"; }

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "*.bin" &&
	for v in 1 2; do random_file a.bin $((6000000 + v)) a$v && random_file b.bin $((6000000 + v)) b$v && git add -A && git commit -q -m v$v && git tag v$v &&
		sha256sum *.bin >../sums$v || return 1; done
'

test_expect_success 'rehydration: pointers stay, the summary says why, git dvx checkout completes' '
	mv .git/hooks/post-checkout ../hook &&
	printf "#!/bin/sh\ndd if=/dev/zero of=\"%s\" bs=64k 2>/dev/null; true\n" "$TRASH/filler" >.git/hooks/post-checkout &&
	chmod +x .git/hooks/post-checkout && git checkout -q v1 2>"$err" && mv ../hook .git/hooks/post-checkout &&
	{ is_pointer a.bin || is_pointer b.bin; } && grep -i "no space" "$err" && grep "git dvx" "$err" && unfill &&
	is_clean && git dvx checkout && sha256sum --quiet -c ../sums1 && is_clean && git checkout -q main && sha256sum --quiet -c ../sums2
'

test_expect_success 'clean: git add fails, says why, and stores nothing half' '
	random_file c.bin 9M c && fill &&
	test_must_fail git add c.bin 2>"$err" && unfill && grep -i "no space" "$err" &&
	find .git/lfs -name "*$(sha256sum <c.bin | cut -c1-64)*" -type f >../found && test_must_be_empty ../found &&
	git add c.bin && git commit -q -m c && is_clean
'

test_expect_success 'push: fails before the refs move, leaves no half pack, and the next one completes' '
	git init -q --bare ../remote.git && git remote add origin ../remote.git && git dvx remote add -d storage "$TRASH/blobs" && git add -A && git commit -q -m remote &&
	fill && test_must_fail git push -q origin main 2>"$err" && unfill && grep -i "no space" "$err" &&
	test_must_fail git -C ../remote.git rev-parse -q --verify main && git push -q origin main &&
	rm -rf .git/lfs/objects .git/dvx && rm a.bin b.bin c.bin && git dvx pull && git checkout -q v2 && sha256sum --quiet -c ../sums2
'

rm -f "$err"
test_done
