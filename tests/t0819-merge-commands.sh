#!/bin/sh
# shellcheck disable=SC2317,SC2329 # functions that merge_case calls
test_description='merging tables and data: rebase, cherry-pick, stash, merge-tree, bare repositories, several bases, worktrees'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/merge-lib.sh"

base() { printf 'id,v\n1,a\n2,b\n3,c\n4,d\n' >t.csv && random_file m.bin 5K base; }
ours() { sed -i 's/a$/A/' t.csv; }
theirs() { sed -i 's/d$/D/' t.csv; }
both='id,v\n1,A\n2,b\n3,c\n4,D\n'

test_expect_success 'setup' 'merge_team && merge_case one'

test_expect_success 'rebase' 'git rebase -q origin/one-bob 2>../err && merged_is t.csv "$both" && is_clean'

test_expect_success 'rebase with a conflict in rows, continued' '
	git checkout -q -f -B work origin/one-ann && sed -i "s/d\$/E/" t.csv && git commit -q -a -m E && test_must_fail git rebase origin/one-bob 2>../err && grep "^  id=4" ../err && unmerged t.csv &&
	printf "$both" >t.csv && git add t.csv && git rebase --continue >/dev/null 2>&1 && merged_is t.csv "$both"
'

test_expect_success 'cherry-pick and revert' '
	git checkout -q -f -B work origin/one-ann && git cherry-pick origin/one-bob >/dev/null 2>../err && merged_is t.csv "$both" && git revert --no-edit HEAD~1 >/dev/null 2>../err && merged_is t.csv "id,v\n1,a\n2,b\n3,c\n4,D\n" && is_clean
'

test_expect_success 'stash pop' '
	git checkout -q -f -B work origin/one-ann && sed -i "s/c\$/C/" t.csv && git stash -q && git cherry-pick origin/one-bob >/dev/null 2>&1 && git stash pop -q 2>../err && merged_is t.csv "id,v\n1,A\n2,b\n3,C\n4,D\n" && git checkout -q -f
'

test_expect_success 'checkout -m' '
	git checkout -q -f -B work origin/one-ann && sed -i "s/c\$/C/" t.csv && git checkout -q -m -B other origin/one-bob 2>../err && merged_is t.csv "id,v\n1,a\n2,b\n3,C\n4,D\n" && git checkout -q -f
'

test_expect_success 'merge-tree: rows are merged, nothing is written to the worktree' '
	git checkout -q -f -B work origin/one-ann && tree=$(git merge-tree --write-tree origin/one-ann origin/one-bob 2>../err) && git cat-file blob "$tree:t.csv" | git dvx smudge >../actual && printf "$both" | test_cmp - ../actual && is_clean
'

test_expect_success 'merge-tree: of a binary no versions are put beside' '
	ours() { random_file m.bin 5K mo; } && theirs() { random_file m.bin 5K mt; } && merge_case binary && test_expect_code 1 git merge-tree --write-tree origin/binary-ann origin/binary-bob >../out 2>../err && grep "conflict: both sides changed the data of .m.bin." ../err && ls -A >../files && ! grep "m.bin.ours\|m.bin.theirs" ../files && is_clean
'

test_expect_success 'a bare repository: rows are merged with the attributes it has' '
	git clone -q --bare ../hub.git ../bare.git && cd ../bare.git && git show main:.gitattributes >info/attributes && git show main:.dvxconfig >/dev/null && git config dvx.remote storage && git config dvx-remote.storage.url "$TRASH/blobs" &&
	tree=$(git merge-tree --write-tree one-ann one-bob 2>../err) && git cat-file blob "$tree:t.csv" >../blob && is_pointer ../blob && git dvx smudge <../blob >../actual && printf "$both" | test_cmp - ../actual &&
	test_expect_code 1 git merge-tree --write-tree binary-ann binary-bob >../out 2>../err && grep "conflict: both sides changed the data" ../err && test -z "$(find . -name "m.bin*")"
'
cd "$TRASH/mia" || exit

test_expect_success '-Xours and -Xtheirs do not reach a driver: what both changed is a conflict all the same' '
	base() { printf "id,v\n1,a\n2,b\n3,c\n" >t.csv; } && ours() { sed -i "s/a\$/A/; s/b\$/OURS/" t.csv; } && theirs() { sed -i "s/c\$/C/; s/b\$/THEIRS/" t.csv; } && merge_case pick &&
	for x in ours theirs; do
		test_expect_code 1 merge_theirs -X$x && unmerged t.csv && grep "^2,OURS" t.csv && grep "^2,THEIRS" t.csv && git merge --abort || return 1
	done
'

test_expect_success 'rerere: the resolution of a row is used again' '
	git config rerere.enabled true && test_expect_code 1 merge_theirs && printf "id,v\n1,A\n2,BOTH\n3,C\n" >t.csv && git commit -q -a -m merged && git reset -q --hard HEAD~1 && test_expect_code 1 merge_theirs && merged_is t.csv "id,v\n1,A\n2,BOTH\n3,C\n" && git merge --abort && git config --unset rerere.enabled
'

test_expect_success 'an octopus, and the strategy resolve, ask no driver: never a merge of pointers' '
	git branch -f left origin/pick-ann && git branch -f right origin/pick-bob && git checkout -q -f -B work origin/pick-base && test_must_fail git merge -q --no-edit left right >../out 2>&1 && git reset -q --hard && merged_is t.csv "id,v\n1,a\n2,b\n3,c\n" &&
	git checkout -q left && test_expect_code 1 git merge -s resolve right >../out 2>&1 && unmerged t.csv && git dvx checkout --theirs t.csv && merged_is t.csv "id,v\n1,a\n2,THEIRS\n3,C\n" && git reset -q --hard && merged_is t.csv "id,v\n1,A\n2,OURS\n3,c\n"
'

test_expect_success 'renamed on one side, a row changed on the other' '
	base() { printf "id,v\n1,a\n2,b\n" >t.csv; } && ours() { mkdir -p d && git mv t.csv d/u.csv; } && theirs() { sed -i "s/b\$/B/" t.csv; } && merge_case renamed && merge_theirs && merged_is d/u.csv "id,v\n1,a\n2,B\n" && ! test -e t.csv && is_clean
'

test_expect_success 'several merge bases (criss-cross)' '
	base() { printf "id,v\n1,a\n2,b\n3,c\n4,d\n" >t.csv; } && ours() { sed -i "s/a\$/A/" t.csv; } && theirs() { sed -i "s/d\$/D/" t.csv; } && merge_case cross &&
	git checkout -q -B left origin/cross-ann && git checkout -q -B right origin/cross-bob && git merge -q --no-edit left 2>../err && sed -i "s/c\$/C/" t.csv && git commit -q -a -m right &&
	git checkout -q left && git merge -q --no-edit origin/cross-bob 2>../err && sed -i "s/b\$/B/" t.csv && git commit -q -a -m left && test "$(git merge-base --all left right | wc -l)" = 2 &&
	git merge -q --no-edit right 2>../err && merged_is t.csv "id,v\n1,A\n2,B\n3,C\n4,D\n" && is_clean
'

test_expect_success 'a linked worktree' '
	git worktree add -q ../linked origin/one-ann && cd ../linked && git merge -q --no-edit origin/one-bob 2>../err && merged_is t.csv "$both" && is_clean &&
	git checkout -q origin/binary-ann && test_expect_code 1 git merge origin/binary-bob 2>../err && test -f m.bin.ours && test -f m.bin.theirs && test_must_fail git add m.bin.ours 2>/dev/null && git add m.bin && git commit -q -m m && ! test -e m.bin.ours
'
cd "$TRASH/mia" || exit

test_expect_success 'from a subdirectory' '
	base() { mkdir -p s && printf "id,v\n1,a\n2,b\n" >s/t.csv; } && ours() { sed -i "s/a\$/A/" s/t.csv; } && theirs() { sed -i "s/b\$/B/; s/a\$/Z/" s/t.csv; } && merge_case sub && cd s && test_expect_code 1 git merge origin/sub-bob 2>../../err && grep "git dvx checkout --ours s/t.csv" ../../err && git dvx checkout --theirs t.csv && printf "id,v\n1,Z\n2,B\n" | test_cmp - t.csv && cd .. && git add -A && git commit -q -m sub
'

test_done
