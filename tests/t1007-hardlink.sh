#!/bin/sh
# shellcheck disable=SC2034
test_description='dvx.link = hardlink: files of the work tree are the objects of the store, read-only, and the store stays whole'
. "$(dirname "$0")/lib.sh"

oid_of() { sha256sum <"$1" | cut -c1-64; }
object_of() { echo ".git/lfs/objects/$(oid_of "$1" | sed 's,^\(..\)\(..\),\1/\2/\1\2,')"; }
inode() { stat -c %i "$1"; }
is_link() { test "$(inode "$1")" = "$(inode "$(object_of "$1")")" || { echo "$1 is no link"; return 1; }; }
is_copy() { test "$(stat -c %h "$1")" = 1 || { echo "$1 is a link"; return 1; }; }
mode_of() { stat -c %a "$1"; }

# Every object holds what its name says.
store_is_whole() {
	find .git/lfs/objects -type f | while read -r dvx_object; do
		test "$(oid_of "$dvx_object")" = "${dvx_object##*/}" || echo "$dvx_object"
	done >"$TRASH/broken"
	test_must_be_empty "$TRASH/broken"
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git config dvx.link hardlink && git dvx track "*.bin" && mkdir -p deep/er &&
	for v in 1 2; do
		random_file big.bin 300K big$v && random_file deep/er/b.bin 200K deep$v && random_file small.bin 3000 small$v &&
		random_file run.bin 150K run$v && chmod +x run.bin && cp deep/er/b.bin same.bin && echo code $v >code.txt &&
		git add -A && git commit -q -m v$v && git tag v$v && sha256sum big.bin deep/er/b.bin small.bin run.bin same.bin >../sums$v || return 1
	done
'

check() {
	sha256sum --quiet -c "../sums$1" && is_clean && is_link big.bin && is_link deep/er/b.bin && is_copy run.bin && is_copy small.bin &&
		store_is_whole
}

test_expect_success 'files share the inode with the object and are read-only; executables and small files are copies' '
	git checkout -q v1 && check 1 && is_link same.bin && test "$(inode same.bin)" = "$(inode deep/er/b.bin)" &&
	test "$(mode_of big.bin)" = 444 && test "$(mode_of "$(object_of big.bin)")" = 444 &&
	test "$(mode_of run.bin)" = 755 && test "$(mode_of small.bin)" = 644
'

test_expect_success 'switching versions, by every way, leaves the store alone' '
	for i in 1 2 3; do
		git checkout -q v2 && check 2 && git checkout -q v1 && check 1 || return 1
	done &&
	git reset -q --hard v2 && check 2 && git stash list && git checkout -q main && check 2 &&
	rm big.bin && git checkout -q -- big.bin && check 2
'

test_expect_success 'git dvx checkout links too' '
	GIT_LFS_SKIP_SMUDGE=1 git checkout -q v1 && is_pointer big.bin && git dvx checkout && sha256sum --quiet -c ../sums1 &&
	is_link big.bin && is_clean && git checkout -q v2 && check 2
'

test_expect_success 'who edits makes a copy first; a new version is committed, and the old one comes back' '
	cp big.bin new && chmod u+w new && printf changed | dd of=new conv=notrunc status=none && mv -f new big.bin &&
	test "$(git status --porcelain)" = " M big.bin" && git commit -q -a -m edited && store_is_whole &&
	test -w big.bin && git checkout -q v2 && check 2 && git checkout -q main && is_link big.bin && store_is_whole && is_clean
'

test_expect_success 'a second work tree shares the same objects' '
	git worktree add -q ../second v1 && (cd ../second && sha256sum --quiet -c ../sums1) &&
	test "$(inode ../second/big.bin)" = "$(inode ".git/lfs/objects/$(oid_of ../second/big.bin | sed "s,^\(..\)\(..\),\1/\2/\1\2,")")" &&
	git checkout -q v1 && sha256sum --quiet -c ../sums1 && test "$(inode ../second/big.bin)" = "$(inode big.bin)" &&
	is_clean && test -z "$(git -C ../second status --porcelain)" &&
	git worktree remove --force ../second && sha256sum --quiet -c ../sums1 && store_is_whole && git checkout -q v2 && check 2
'

test_expect_success 'a flipped bit is noticed before the file is used' '
	git checkout -q v1 && object=$(object_of big.bin) && git checkout -q v2 && cp -p "$object" ../good &&
	chmod u+w "$object" && printf X | dd of="$object" bs=1 seek=200000 conv=notrunc status=none && chmod a-w "$object" &&
	touch -r ../good "$object" && git checkout -q v1 2>../err && is_pointer big.bin && grep "big.bin" ../err && is_clean &&
	cp -f ../good "$object" && git dvx checkout && check 1
'

test_expect_success 'a bit flipped through the link is noticed by status and by the next checkout' '
	git checkout -q v2 && object=$(object_of big.bin) && cp -pf big.bin ../good && chmod u+w big.bin &&
	printf X | dd of=big.bin bs=1 seek=1000 conv=notrunc status=none && test "$(git status --porcelain)" = " M big.bin" &&
	git checkout -q -f v1 && git checkout -q v2 2>../err && is_pointer big.bin && grep big.bin ../err &&
	cp -f ../good "$object" && git dvx checkout && check 2
'

test_expect_success ROOT 'the work tree on another file system: copies' '
	mkdir ../other && on_fs ext4 sh -c "
		git --git-dir=\"$PWD/.git\" --work-tree=\"\$PWD\" checkout -q -f v1 && sha256sum --quiet -c \"$TRASH/sums1\" &&
		test \$(stat -c %h big.bin) = 1 && test -w big.bin &&
		test -z \"\$(git --git-dir=\"$PWD/.git\" --work-tree=\"\$PWD\" status --porcelain)\"" &&
	git checkout -q -f v2 && check 2
'

test_expect_success 'back to copies' '
	git config --unset dvx.link && git checkout -q v1 && sha256sum --quiet -c ../sums1 && is_copy big.bin && test -w big.bin && is_clean
'

test_done
