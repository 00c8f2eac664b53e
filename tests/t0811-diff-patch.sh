#!/bin/sh
# shellcheck disable=SC2034
test_description='patches of data: git diff | git apply, format-patch, add -p, stash -p, and what else reads diffs'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "data/**" && mkdir data && printf "id,x\n1,a\n2,b\n" >data/c.csv && random_file data/a.bin 2M a &&
	random_file data/gone.bin 100K gone && printf "one\ntwo\n" >code.txt && git add -A && git commit -q -m one && git tag one &&
	printf "id,x\n1,a\n2,B\n" >data/c.csv && random_file data/a.bin 2M a2 && rm data/gone.bin && random_file data/new.bin 100K new && printf "one\n2\n" >code.txt &&
	git add -A && git commit -q -m two && git tag two && git ls-files -s >../two.files
'

test_expect_success 'what git diff writes into a file can be applied, forward and backward' '
	git diff one two >../p && grep "^    ~ id=2: x b -> B$" ../p && git apply -R ../p && git add -A && git diff --cached --quiet one &&
	git apply --index ../p && git diff --cached --quiet two && git diff --quiet && not_pointer data/c.csv data/a.bin data/new.bin && git reset -q --hard two &&
	git diff one two | git apply -R --index && git diff --cached --quiet one && git reset -q --hard two
'

test_expect_success 'of the worktree, too, and the data is kept' '
	printf "id,x\n1,a\n2,C\n" >data/c.csv && random_file data/a.bin 2M a3 && cp data/a.bin ../a3 && git diff >../p && git checkout -q . && git apply ../p &&
	cmp data/a.bin ../a3 && grep "2,C" data/c.csv && git checkout -q . && git diff --quiet
'

test_expect_success 'with rows before and behind, apply sees the patch only' '
	git diff one two -- data/c.csv code.txt >../p && test $(grep -c "^@@" ../p) = 2 && git apply --stat ../p >../out && grep "2 files changed" ../out &&
	git apply --check -R ../p
'

test_expect_success 'a table whose cells look like a patch' '
	printf "id,x\n1,\"\n@@ -1,1 +1,1 @@\n-- a\ndiff --git a/x b/x\n\"\n" >data/c.csv && git add -A && git commit -q -m evil && printf "id,x\n1,\"\n@@ -1,1 +1,1 @@\n+++ b\n\"\n@@ -1 +1 @@,z\n" >data/c.csv &&
	git diff >../p && cp data/c.csv ../c && git checkout -q . && git apply ../p && test_cmp ../c data/c.csv && git reset -q --hard two
'

test_expect_success 'for a terminal: no pointers, only rows' '
	GIT_PAGER_IN_USE=true git diff one two >../out && ! grep "oid sha256" ../out && grep "x b -> B" ../out
'

test_expect_success 'format-patch and am; rebase by patches' '
	git format-patch --stdout one..two >../mbox && grep "^+oid sha256:" ../mbox && ! grep "row changed" ../mbox && git checkout -q -b am one && git am -q ../mbox && git diff --quiet two &&
	git checkout -q -b topic one && echo x >other.txt && git add -A && git commit -q -m other && git rebase -q --apply two && git ls-files -s | grep -v other.txt >../out && test_cmp ../two.files ../out && git checkout -q main
'

test_expect_success 'add -p and stash -p take pointers by their lines' '
	printf "id,x\n1,a\n2,D\n" >data/c.csv && echo "y" | git add -p data/c.csv >../out 2>&1 && git diff --cached --name-only >../out && grep data/c.csv ../out && git diff --quiet && git reset -q --hard &&
	printf "id,x\n1,a\n2,E\n" >data/c.csv && echo y | git stash push -p >../out 2>&1 && git diff --quiet && grep "2,B" data/c.csv && git stash pop -q && grep "2,E" data/c.csv && git checkout -q .
'

test_expect_success 'stash show -p can be applied' '
	printf "id,x\n1,a\n2,F\n" >data/c.csv && echo more >>code.txt && git stash -q && git stash show -p >../p && git apply ../p && grep "2,F" data/c.csv && git checkout -q . && git stash drop -q
'

test_expect_success 'patch-id, range-diff, cherry and diff-tree go on' '
	git diff one two | git patch-id >../a && test -s ../a && git range-diff one..two one..am >../out && grep " = " ../out && git cherry two am >../out && grep "^- " ../out && ! grep "^+" ../out &&
	git diff-tree -p one two >../out && grep "^+oid sha256:" ../out && ! grep "row changed" ../out && git diff-index -p one >../out && ! grep "row changed" ../out
'

test_done
