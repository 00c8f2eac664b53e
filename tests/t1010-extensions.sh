#!/bin/bash
# shellcheck disable=SC2034
test_description="Git LFS's pointer extensions: the user's programs between worktree and store, as Git LFS runs them"
. "$(dirname "$0")/lib.sh"
skip_all_unless GITLFS "the peer is Debian's git-lfs"

PATH=$TRASH/bin:$PATH EXT_LOG=$TRASH/log
export PATH EXT_LOG

# ours: git-dvx runs filter=lfs in the current repository.
ours() {
	local d
	git dvx init && for d in clean smudge process required; do
		git config filter.lfs.$d "$(git config filter.dvx.$d)" || return 1
	done
}

# Two extensions: upside down, and letters turned; both are undone by the opposite.
configure() {
	git config lfs.extension.turn.clean "rot13 %f" &&
	git config lfs.extension.turn.smudge "rot13 %f" &&
	git config lfs.extension.turn.priority 0 &&
	git config lfs.extension.flip.clean "upside %f" &&
	git config lfs.extension.flip.smudge "upside %f" &&
	git config lfs.extension.flip.priority 1
}

test_expect_success 'setup: the programs, and what Git LFS makes of them' '
	mkdir bin && cat >bin/rot13 <<-\EOF &&
	#!/bin/sh
	test $# = 1 && echo "rot13 $1" >>"$EXT_LOG"
	exec tr A-Za-z N-ZA-Mn-za-m
	EOF
	cat >bin/upside <<-\EOF &&
	#!/bin/sh
	test $# = 1 && echo "upside $1" >>"$EXT_LOG"
	exec tac
	EOF
	chmod +x bin/* &&
	git init lfs && (
		cd lfs && configure && git lfs install --local &&
		git lfs track "*.txt" &&
		seq -f "line %.0f of it" 20000 >"a b.txt" &&
		seq -f "%.0f few" 5 >few.txt &&
		yes | head -n 3 >same.txt &&
		git add . && git commit -m one
	)
'

test_expect_success 'clean writes the pointers that Git LFS writes' '
	git init ours && (
		cd ours && configure && ours &&
		cp ../lfs/*.txt . && cp ../lfs/.gitattributes . && : >"$EXT_LOG" &&
		git add . && git commit -m one &&
		for f in "a b.txt" few.txt same.txt; do
			git -C ../lfs cat-file blob "HEAD:$f" >expect &&
			git cat-file blob "HEAD:$f" >actual && test_cmp expect actual || return 1
		done &&
		git cat-file blob "HEAD:a b.txt" >pointer &&
		grep "^ext-0-turn sha256:" pointer && grep "^ext-1-flip sha256:" pointer &&
		grep "^rot13 a b.txt$" "$EXT_LOG" && rm expect actual pointer
	)
'

test_expect_success 'checkout undoes them, and status stays clean' '
	git clone lfs theirs-to-ours --no-checkout && (
		cd theirs-to-ours && configure && ours && git checkout HEAD -- . &&
		for f in "a b.txt" few.txt same.txt; do
			cmp "../lfs/$f" "$f" || return 1
		done &&
		git status --porcelain -- "*.txt" >out && test_must_be_empty out &&
		git dvx status >out && ! grep "a b.txt" out &&
		touch -r "a b.txt" .git/index && git dvx status >out && ! grep "a b.txt" out
	) &&
	git -C ours checkout -B other && rm ours/few.txt &&
	git -C ours dvx checkout && cmp lfs/few.txt ours/few.txt
'

test_expect_success 'Git LFS reads what we wrote' '
	git clone -n ours back && (
		cd back && configure && git lfs install --local && mkdir -p .git/lfs &&
		cp -r ../ours/.git/lfs/objects .git/lfs/ && git checkout HEAD -- . &&
		cmp "../lfs/a b.txt" "a b.txt" && cmp ../lfs/same.txt same.txt
	)
'

test_expect_success 'without the extension the pointer stays, named, and can be had later' '
	git clone -n lfs bare-hands && (
		cd bare-hands && ours && git checkout HEAD -- . 2>err &&
		grep "a b.txt.*extension .flip. is not configured" err &&
		git cat-file blob "HEAD:a b.txt" | cmp - "a b.txt" &&
		git dvx checkout 2>err; git cat-file blob "HEAD:a b.txt" | cmp - "a b.txt" &&
		configure && git dvx checkout && cmp "../lfs/a b.txt" "a b.txt" &&
		git status --porcelain -- "*.txt" >out && test_must_be_empty out
	)
'

test_expect_success 'a program that fails, or gives back other bytes, changes nothing' '
	(
		cd ours && seq 7 >new.txt &&
		test_must_fail git -c lfs.extension.flip.clean=false add new.txt 2>err &&
		grep "extension .flip.*exit status 1" err &&
		test_must_fail git -c lfs.extension.flip.priority=0 add new.txt 2>err &&
		grep "same priority" err && git add new.txt
	) &&
	git clone -n lfs liar && (
		cd liar && configure && git config lfs.extension.flip.smudge cat && ours &&
		git checkout HEAD -- . 2>err && grep "other bytes than there were" err &&
		git cat-file blob "HEAD:a b.txt" | cmp - "a b.txt"
	)
'

test_expect_success 'git dvx add takes the same way' '
	(
		cd ours && seq 100 200 >added.txt && git dvx add added.txt &&
		git cat-file blob :added.txt >pointer && grep "^ext-0-flip sha256:" pointer &&
		rm added.txt && git checkout -- added.txt && seq 100 200 | cmp - added.txt && rm pointer
	)
'

test_expect_success 'a committed file cannot name programs' '
	git init tree && (
		cd tree && ours && git dvx track "*.txt" &&
		git config -f .lfsconfig lfs.extension.x.clean "rot13 %f" &&
		git config -f .lfsconfig lfs.extension.x.priority 0 &&
		: >"$EXT_LOG" && seq 9 >a.txt && git add . &&
		git cat-file blob :a.txt >pointer && ! grep ext- pointer && test_must_be_empty "$EXT_LOG"
	)
'

test_done
