#!/bin/sh
# shellcheck disable=SC2034
test_description='what the hooks do'
. "$(dirname "$0")/lib.sh"

# `git status` has nothing to say.  (is_clean also wants that no filter runs, which Git itself does not grant to files that it has
# just read or written.)
unchanged() {
	test -z "$(git status --porcelain)" || { git status --porcelain; return 1; }
}

is_pointer_in_head() {
	git cat-file blob "HEAD:$1" >"$TRASH/pointer" && is_pointer "$TRASH/pointer"
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" && random_file a.bin 300K a &&
	git add -A && git commit -q -m one && git init -q --bare ../origin.git && git remote add origin ../origin.git && git push -q origin main
'

test_expect_success 'pre-commit: a whole file that should be a pointer is named' '
	random_file raw.bin 5000 raw && blob=$(git hash-object -w --no-filters raw.bin) && git update-index --add --cacheinfo 100644,$blob,raw.bin &&
	test_expect_code 1 git commit -q -m raw 2>../err && grep "raw.bin" ../err && grep "renormalize" ../err &&
	git add --renormalize raw.bin && git commit -q -m raw && git cat-file blob HEAD:raw.bin >../p && is_pointer ../p
'

test_expect_success 'pre-commit: filter=lfs without a filter of that name: what sets one up' '
	! grep "install --lfs" ../err && cp .gitattributes ../attributes && echo "*.raw filter=lfs diff=lfs merge=lfs -text" >>.gitattributes &&
	random_file x.raw 5000 x && git add .gitattributes x.raw && test_expect_code 1 git commit -q -m x 2>../err && grep "git dvx install --lfs" ../err &&
	git -c filter.lfs.process=git-dvx-filter add --renormalize x.raw && git cat-file blob :x.raw >../p && is_pointer ../p &&
	git rm -q --cached x.raw && rm x.raw && cp ../attributes .gitattributes && git add .gitattributes
'

test_expect_success 'pre-commit: the empty file, and files below the minimum size, are no pointers' '
	: >empty.bin && echo "*.csv filter=dvx dvx-min-size=1K -text" >>.gitattributes && echo 1,2 >small.csv && git add -A && git commit -q -m small &&
	test "$(git cat-file blob HEAD:small.csv)" = 1,2
'

test_expect_success 'pre-commit: a pointer without an object is named' '
	printf "version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 5\n" 7 >ghost.bin && git add ghost.bin &&
	test_expect_code 1 git commit -q -m ghost 2>../err && grep "ghost.bin" ../err && grep "no-verify" ../err &&
	git rm -q -f --cached ghost.bin && rm ghost.bin
'

test_expect_success 'pre-commit: an object that is not whole is named, and added again' '
	printf "seven small bytes" >small.bin && random_file large.bin 300K large && touch -d "1 minute ago" small.bin large.bin && git add small.bin large.bin &&
	o=$(sha256sum <large.bin | cut -c 1-64) && o=.git/lfs/objects/$(echo $o | cut -c 1-2)/$(echo $o | cut -c 3-4)/$o && chmod u+w $o &&
	printf "\\1\\2\\3" | dd of=$o bs=1 seek=1000 conv=notrunc status=none && sleep 0.01 &&
	test_expect_code 1 git commit -q -m large 2>../err && grep "large.bin.*damaged" ../err && ! grep "small.bin" ../err && grep "renormalize" ../err &&
	git add --renormalize large.bin && git commit -q -m large && test "$(sha256sum <$o)" = "$(sha256sum <large.bin)"
'

test_expect_success 'pre-commit: pointers that no attribute of the commit routes are warned of, in few words' '
	git init -q ../unrouted && (cd ../unrouted && git dvx init -q && git commit -q -m init && git dvx track "*.h5" && random_file a.h5 1K h5 &&
	git add a.h5 && git commit -q -m a 2>../err && is_pointer_in_head a.h5 &&
	grep -x "warning: .a.h5. is staged as a pointer, but no staged or committed .gitattributes routes it; run .git add .gitattributes." ../err &&
	for i in 1 2 3 4 5; do random_file $i.h5 1K $i || exit 1; done && git add "*.h5" && git commit -q -m five 2>../err &&
	test "$(grep -c "^warning: .[1-5].h5. is staged" ../err)" = 3 && grep -x "warning: ... and 2 more such pointers" ../err &&
	random_file 6.h5 1K 6 && git add .gitattributes 6.h5 && git commit -q -m attributes 2>../err && ! grep warning ../err &&
	random_file 7.h5 1K 7 && git add 7.h5 && git commit -q -m seven 2>../err && ! grep warning ../err)
'

test_expect_success 'pre-commit: a pointer with conflict markers is named' '
	{ echo "<<<<<<< ours"; git cat-file blob HEAD:a.bin; echo =======; git cat-file blob HEAD:raw.bin; echo ">>>>>>> theirs"; } >../marked &&
	blob=$(git hash-object -w --no-filters ../marked) && git update-index --cacheinfo 100644,$blob,a.bin &&
	test_expect_code 1 git commit -q -m marked 2>../err && grep "conflict" ../err && grep "a.bin" ../err && git reset -q --hard
'

test_expect_success 'pre-commit: an object that only the remote has will do' '
	git clone -q ../origin.git ../thin && cd ../thin && rm -rf .git/lfs/objects && git mv a.bin moved.bin && git commit -q -m moved &&
	git cat-file blob HEAD:moved.bin >copy.bin && git add copy.bin && git commit -q -m copy
'

test_expect_success 'pre-commit: so will one that only history names' '
	git rm -q -f copy.bin moved.bin && git commit -q -m without && mv ../blobs ../blobs.away && test_when_finished "mv ../blobs.away ../blobs" &&
	GIT_LFS_SKIP_SMUDGE=1 git checkout HEAD~1 -- moved.bin && git commit -q -m back && is_pointer_in_head moved.bin
'

test_expect_success 'pre-commit: partial commits and commit -a have an index of their own' '
	cd ../repo && random_file a.bin 300K a2 && git commit -q -a -m a2 && random_file b.bin 300K b && random_file c.bin 300K c && git add b.bin c.bin &&
	git commit -q -m b b.bin && test "$(git diff --cached --name-only)" = c.bin && git commit -q -m c && unchanged
'

test_expect_success 'pre-commit: nothing about data starts nothing but Git' '
	echo x >text && git add text && GIT_TRACE="$TRASH/trace" git commit -q -m text && ! grep -e git-dvx-transfer "$TRASH/trace"
'

test_expect_success 'pre-push: objects travel before refs move' '
	git push origin main 2>../err && grep "objects\{0,1\}, .* pushed to .storage." ../err &&
	git clone -q ../origin.git ../clone && cmp a.bin ../clone/a.bin && git -C ../clone status --porcelain >../out && ! test -s ../out
'

test_expect_success 'pre-push: only new history; nothing new, nothing said' '
	git push origin main 2>../err && ! grep pushed.to ../err && git branch same && git push origin same 2>../err && ! grep pushed.to ../err
'

test_expect_success 'pre-push: a failed upload stops the push' '
	before=$(git -C ../origin.git rev-parse main) && random_file a.bin 300K a3 && git commit -q -a -m a3 &&
	mv ../blobs ../blobs.away && : >../blobs && test_expect_code 1 git push -q origin main 2>../err && grep "^error: .*nothing was pushed" ../err &&
	test "$before" = "$(git -C ../origin.git rev-parse main)" && rm ../blobs && mv ../blobs.away ../blobs &&
	git push -q origin main && test "$before" != "$(git -C ../origin.git rev-parse main)"
'

test_expect_success 'pre-push: an object that is nowhere stops the push, unless allowed' '
	random_file gone.bin 300K gone && git add gone.bin && git commit -q -m gone &&
	find .git/lfs/objects -name "$(sha256sum <gone.bin | cut -c1-64)" -delete &&
	test_expect_code 1 git push -q origin main 2>../err && grep -x "  gone.bin: object [0-9a-f]* is not in the store" ../err &&
	grep allowincompletepush ../err &&
	test_expect_code 128 git dvx push 2>../err && sed -n 1p ../err >../first && grep "^error: 1 of .* could not be pushed to .storage.:$" ../first &&
	sed -n 2p ../err >../second && grep "^  gone.bin: " ../second && test "$(grep -c error: ../err)" = 1 &&
	git -c lfs.allowincompletepush=true push -q origin main 2>../err && grep "^warning:" ../err
'

test_expect_success 'pre-push: for an object that is damaged here, what mends it is named, and does' '
	random_file hurt.bin 300K hurt && git add hurt.bin && git commit -q -m hurt && o=$(sha256sum <hurt.bin | cut -c 1-64) &&
	o=.git/lfs/objects/$(echo $o | cut -c 1-2)/$(echo $o | cut -c 3-4)/$o && chmod u+w $o &&
	printf "\1\2\3" | dd of=$o bs=1 seek=1000 conv=notrunc status=none && touch -d "1 minute ago" hurt.bin &&
	test_expect_code 1 git -c lfs.allowincompletepush=true push -q origin main 2>../err && grep "^  hurt.bin: .*damaged" ../err &&
	mend=$(sed -n "s/^  hurt.bin: .*put the right file in place and run .\(git add [^'"'"']*\).*/\1/p" ../err) && test "$mend" = "git add --renormalize hurt.bin" &&
	$mend && git -c lfs.allowincompletepush=true push -q origin main && unchanged
'

test_expect_success 'pre-push: GIT_LFS_SKIP_PUSH, deletions' '
	random_file d.bin 300K d && git add d.bin && git commit -q -m d && GIT_LFS_SKIP_PUSH=1 git push -q origin main 2>../err && ! grep pushed.to ../err &&
	git push -q origin :same && git push -q origin main:refs/heads/again
'

test_expect_success 'post-*: nothing pending, no process' '
	GIT_TRACE="$TRASH/trace2" git dvx hook post-commit && ! grep "built-in" "$TRASH/trace2" | grep -v hook
'

test_expect_success 'hooks never fail a checkout' '
	mkdir -p .git/dvx/pending && echo garbage >.git/dvx/pending/1-1-1.journal && git checkout -q -b other && git checkout -q main
'

test_expect_success 'where pre-commit owns the hooks: the entry of .pre-commit-hooks.yaml' '
	git clone -q ../origin.git ../framework && cd ../framework && rm -f .git/hooks/* && entry=$(sed -n "s/^  entry: //p" "$dvx_top/.pre-commit-hooks.yaml") &&
	random_file new.bin 200K framework && git add new.bin && $entry && rm -r .git/lfs/objects && test_expect_code 1 $entry 2>../err && grep new.bin ../err
'

test_expect_success 'no hooks at all: the Makefile of docs/hooks.md' '
	cd .. && dvx_repo plain && cd plain && rm -f .git/hooks/* && sed -n "/^## A Makefile/,\$s/^    //p" "$dvx_top/docs/hooks.md" >../Makefile &&
	git init -q --bare ../plain.git && git remote add origin ../plain.git && git config push.default current &&
	git dvx remote add -d storage "$TRASH/plain-blobs" && git dvx track "*.bin" && random_file new.bin 200K plain && cp new.bin ../new.bin &&
	git add -A && git commit -q -m new && make -s -f ../Makefile publish && make -s -f ../Makefile publish &&
	rm -r new.bin .git/lfs/objects && make -s -f ../Makefile data && cmp new.bin ../new.bin && git clone -q ../plain.git ../other && cmp new.bin ../other/new.bin
'

test_expect_success 'unknown hook' '
	test_expect_code 129 git dvx hook frob && test_expect_code 129 git dvx hook
'

test_done
