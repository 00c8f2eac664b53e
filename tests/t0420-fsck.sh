#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx fsck, here and on the remote'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" &&
	random_file big.bin 5M big && random_file mid.bin 100K mid && for i in 1 2 3 4 5; do random_file s$i.bin $((i * 100)) s$i || return 1; done &&
	: >empty.bin && git add -A && git commit -q -m one && random_file mid.bin 100K mid2 && git commit -q -a -m two && git dvx push -A &&
	cp -r "$TRASH/blobs" "$TRASH/good-blobs" && cp -r "$TRASH/repo" "$TRASH/good-repo"
'

test_expect_success 'all is well' '
	for o in "" --objects --pointers -A "HEAD~1" "-T -a" mid.bin --remote "--remote --quick" "--remote mid.bin"; do
		git dvx fsck $o >out && grep OK out || return 1
	done && git dvx fsck --json >out && json out "j[\"ok\"] and j[\"problems\"] == []"
'

test_expect_success 'a flipped byte in a whole object: named, moved aside and fetched with --repair' '
	oid=$(oid_of big.bin) && flip_byte "$(object_path . $oid)" 4000000 &&
	test_expect_code 1 git dvx fsck >out && grep -x "objects: corruptObject: big.bin ($oid) is corrupt" out && test ! -e .git/dvx/bad &&
	test_expect_code 1 git dvx fsck --json >out && json out "j[\"problems\"][0][\"kind\"] == \"corruptObject\" and j[\"problems\"][0][\"path\"] == \"big.bin\"" &&
	git dvx fsck --repair >out && grep "moving corrupt objects to .*/bad" out && test -e .git/dvx/bad/$oid && git dvx fsck && test "$(oid_of "$(object_path . $oid)")" = $oid
'

test_expect_success GITLFS 'git lfs fsck agrees on a shared store' '
	git init -q ../lfs && (cd ../lfs && git lfs install --local && git lfs track "*.bin" && random_file a.bin 70K la && random_file b.bin 80K lb && git add -A && git commit -q -m lfs &&
		git dvx fsck && git lfs fsck && flip_byte "$(object_path . "$(oid_of a.bin)")" 5 && rm -f "$(object_path . "$(oid_of b.bin)")" &&
		test_expect_code 1 git dvx fsck --objects >../dvx.out && test_expect_code 1 git lfs fsck --objects >../lfs.out &&
		grep "^objects: corruptObject" ../lfs.out >../expect && grep "^objects: corruptObject" ../dvx.out >../actual && test_cmp ../expect ../actual &&
		cut -d: -f1-2 ../lfs.out | grep openError && sed -n "s/\(openError: [^ ]* ([^)]*) could not be checked\).*/\1/p" ../lfs.out >../expect &&
		sed -n "s/\(openError: [^ ]* ([^)]*) could not be checked\).*/\1/p" ../dvx.out >../actual && test_cmp ../expect ../actual)
'

test_expect_success 'a missing object' '
	oid=$(oid_of mid.bin) && rm -f "$(object_path . $oid)" && test_expect_code 1 git dvx fsck >out && grep "objects: openError: mid.bin ($oid) could not be checked" out &&
	git dvx fsck --repair >out && grep "repaired: 1 object" out && git dvx fsck
'

test_expect_success 'a damaged pack: its objects are fetched, what is good in it is kept' '
	pack=$(ls .git/dvx/packs/*.pack | head -n 1) && flip_byte "$pack" 120 && test_expect_code 1 git dvx fsck >out && grep "store: damagedPack: .*$(basename "$pack")" out && grep corruptObject out &&
	git dvx fsck --repair >out && grep "moved damaged pack" out && git dvx fsck && ls .git/dvx/bad/*.pack
'

test_expect_success 'damaged sums, a damaged journal' '
	sums=$(find .git/dvx/sums -type f | head -n 1) && flip_byte "$sums" 50 && test_expect_code 1 git dvx fsck >out && grep damagedSums out && git dvx fsck --repair && git dvx fsck &&
	mkdir -p .git/dvx/pending && echo garbage >.git/dvx/pending/1-2-3.journal && test_expect_code 1 git dvx fsck >out && grep "damagedJournal" out && git dvx checkout && git dvx fsck
'

test_expect_success 'what cannot be repaired is named with its commit and what to do' '
	mv "$TRASH/blobs" "$TRASH/away" && oid=$(oid_of mid.bin) && flip_byte "$(object_path . $oid)" 1 && test_expect_code 1 git dvx fsck --repair >out &&
	grep "not repaired: mid.bin ($oid) in $(git log -1 --format=%h)" out && grep "git dvx push -A" out && mv "$TRASH/away" "$TRASH/blobs" && git dvx fsck --repair && git dvx fsck
'

test_expect_success 'pointers: another spelling, and a file that should be one' '
	cp -r . ../pointers && cd ../pointers && oid=$(oid_of mid.bin) && blob=$(printf "version https://hawser.github.com/spec/v1\noid sha256:%s\nsize 102400\n" $oid | git hash-object -w --stdin) &&
	plain=$(echo plain | git hash-object -w --stdin) && git update-index --add --cacheinfo 100644,$blob,odd.bin --cacheinfo 100644,$plain,plain.bin && git commit -q --no-verify -m odd &&
	test_expect_code 1 git dvx fsck >out && grep -x "pointer: nonCanonicalPointer: Pointer for $oid (blob $blob) was not canonical" out &&
	grep "pointer: unexpectedGitObject: \"plain.bin\" (treeish HEAD) should have been a pointer but was not" out && git dvx fsck --objects && test_expect_code 1 git dvx fsck --pointers && cd ../repo
'

restore() {
	rm -rf "$TRASH/blobs" && cp -r "$TRASH/good-blobs" "$TRASH/blobs"
}

test_expect_success 'remote: a flipped byte in a pack is found, named and repaired' '
	cd "$TRASH/repo" && restore && pack=$(find "$TRASH/blobs/packs" -name "*.pack" -size +1M | head -n 1) && flip_byte "$pack" 3000000 &&
	git dvx fsck --remote --quick && test_expect_code 1 git dvx fsck --remote >out && grep "remote: damaged: big.bin" out && grep "$(basename "$pack")" out &&
	git dvx fsck --remote --repair >out && grep "repaired: 1 object" out && git dvx fsck --remote && git clone -q . ../reader && (cd ../reader && git dvx pull -r "$TRASH/blobs" && git dvx fsck) && rm -rf ../reader
'

test_expect_success 'remote: a missing pack, a short one' '
	for how in "rm -f" "truncate -s -100"; do
		restore && for p in "$TRASH"/blobs/packs/*/*.pack; do chmod u+w "$p" && $how "$p" || return 1; done && test_expect_code 1 git dvx fsck --remote --quick >out && grep "remote: missing: " out &&
		test_expect_code 1 git dvx fsck --remote && git dvx fsck --remote --repair && git dvx fsck --remote && git dvx fsck --remote --quick || return 1
	done
'

test_expect_success 'remote: a damaged fragment, though a good copy is cached here' '
	restore && f=$(find "$TRASH/blobs/fragments" -name "*.idx" | head -n 1) && flip_byte "$f" 60 && test_expect_code 1 git dvx fsck --remote >out 2>err && grep "$(basename "$f")" out err &&
	git dvx fsck --remote --repair && rm -rf .git/dvx/remotes && git dvx fsck --remote 2>err
'

test_expect_success 'remote: what no good copy exists of is named' '
	restore && rm -rf "$TRASH/blobs/packs" && cp -r . ../poor && cd ../poor && oid=$(oid_of mid.bin) && rm -f "$(object_path . $oid)" && test_expect_code 1 git dvx fsck --remote --repair >out &&
	grep "mid.bin ($oid).*there is no good copy here" out && test "$(grep -c "no good copy" out)" = 1 && cd ../repo && git dvx fsck --remote --repair && git dvx fsck --remote
'

test_expect_success 'remote: a Git repository' '
	git init -q --bare ../origin.git && git remote add origin ../origin.git && git dvx push -A -r origin && git dvx fsck --remote -r origin &&
	pack=$(find ../origin.git/dvx -name "*.pack" -size +1M | head -n 1) && flip_byte "$pack" 2000000 && test_expect_code 1 git dvx fsck --remote -r origin && git dvx fsck --remote -r origin --repair && git dvx fsck --remote -r origin
'

test_expect_success 'usage and failures' '
	test_expect_code 128 git dvx fsck nosuch && test_expect_code 129 git dvx fsck --nosuch && test_expect_code 1 git dvx fsck --remote -r "$TRASH/nothing" >out && grep "remote: missing: big.bin" out && git dvx fsck -h | grep repair
'

test_done
