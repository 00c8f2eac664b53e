#!/bin/sh
# shellcheck disable=SC2317,SC2329 # functions that merge_case calls
test_description='merging dvx.lock, stage by stage'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/merge-lib.sh"

base() {
	cat >dvx.yaml <<-\END &&
	stages:
	  a: {cmd: cp a.in a.out, deps: [a.in], outs: [a.out]}
	  b: {cmd: cp b.in b.out, deps: [b.in], outs: [b.out]}
	  c: {cmd: cp c.in c.out, deps: [c.in], outs: [c.out]}
	END
	echo 1 >a.in && echo 1 >b.in && echo 1 >c.in && git dvx repro -q
}

test_expect_success 'setup' 'merge_team'

test_expect_success 'the first run writes the attribute, once; a line of the user stays' '
	mkdir first && cd first && git init -q && git dvx init -q && echo "stages: {a: {cmd: \"true\", always_changed: true}}" >dvx.yaml && git dvx repro -q && grep -x "dvx.lock merge=dvx" .gitattributes && cp .gitattributes ../before && git dvx repro -q && test_cmp ../before .gitattributes &&
	echo "dvx.lock -merge" >.gitattributes && git dvx repro -q && echo "dvx.lock -merge" | test_cmp - .gitattributes
'

test_expect_success 'init sets it up in a project that has run stages before' '
	rm .gitattributes && git dvx init >../out && grep "dvx.lock" ../out && echo "dvx.lock merge=dvx" | test_cmp - .gitattributes && git dvx init >../out && ! grep "dvx.lock" ../out
'
cd "$TRASH" || exit

test_expect_success 'different stages, neighbours: merged, nothing has to run' '
	ours() { echo 2 >a.in && git dvx repro -q; } && theirs() { echo 2 >b.in && git dvx repro -q; } &&
	merge_case stages && merge_theirs && git dvx status >../status && ! grep changed ../status && git dvx repro >../out && grep -c "didn.t change, skipping" ../out | grep -x 3
'

test_expect_success 'the same stage with the same result: merged' '
	ours() { echo 2 >a.in && git dvx repro -q; } && theirs() { echo 2 >a.in && git dvx repro -q; } && merge_case alike && merge_theirs && git dvx repro >../out && grep -c skipping ../out | grep -x 3
'

test_expect_success 'the same stage with another result: markers around it, the others are merged' '
	ours() { echo 2 >a.in && echo 2 >b.in && git dvx repro -q; } && theirs() { echo 3 >a.in && echo 2 >c.in && git dvx repro -q; } &&
	merge_case conflict && test_expect_code 1 merge_theirs && unmerged dvx.lock && grep "^conflict: both sides ran the stage .a. with different results" ../err &&
	sed -n "3p" dvx.lock >../actual && echo "<<<<<<< ours" | test_cmp - ../actual && grep -c "^  a:" dvx.lock | grep -x 2 && grep -c "^  [bc]:" dvx.lock | grep -x 2
'

test_expect_success 'repro and status refuse it, with the line and what to do; so does a commit' '
	for c in repro status; do test_expect_code 128 git dvx $c 2>../err && grep "^error: dvx.lock:3: .*keep one version" ../err || return 1; done &&
	test_might_fail git dvx checkout --ours a.in a.out 2>/dev/null && git checkout -q --ours a.in && git add -A && test_must_fail git commit -q -m bad 2>../err && grep "^error: dvx.lock:3: " ../err
'

test_expect_success 'one version kept: repro runs what differs, and the merge is whole' '
	sed -i "/^=======/,/^>>>>>>>/d; /^<<<<<<</d" dvx.lock && git dvx repro >../out && git add -A && git commit -q -m merged && git dvx status >../status && ! grep changed ../status && echo 2 | test_cmp - a.out && echo 2 | test_cmp - b.out && echo 2 | test_cmp - c.out
'

test_expect_success 'a stage removed here, another added there' '
	ours() { sed -i "/^  c:/d" dvx.yaml && git rm -q -f c.out && sed -i "/^  c:/,\$d" dvx.lock && git dvx repro -q; } && theirs() { sed -i "1a \ \ a0: {cmd: cp a.in a0.out, deps: [a.in], outs: [a0.out]}" dvx.yaml && git dvx repro -q; } &&
	merge_case added && merge_theirs && grep "^  [abc]" dvx.lock >../actual && printf "  a:\n  a0:\n  b:\n" | test_cmp - ../actual && git dvx repro >../out && grep -c skipping ../out | grep -x 3
'

test_expect_success 'a lock that cannot be read on one side: lines are merged, as Git does' '
	ours() { echo "# mine" >>dvx.lock; } && theirs() { echo "schema: 7" >dvx.lock; } && merge_case rubbish && test_expect_code 1 merge_theirs && grep "^<<<<<<< ours" dvx.lock && git merge --abort
'

test_expect_success 'lines that Git can merge are a conflict all the same: they may be halves of two runs' '
	base() { echo "dvx.lock merge=dvx" >>.gitattributes && sed "s/^schema: .*/schema: dvx\/9/" ../lock >dvx.lock; } && ours() { sed -i "0,/cmd: .*/s//cmd: ours/" dvx.lock; } && theirs() { sed -i "0,/outs:/s//outs: # theirs/" dvx.lock; } &&
	git show origin/rubbish-base:dvx.lock >../lock && merge_case halves && test_expect_code 1 merge_theirs && unmerged dvx.lock && grep "^conflict: the stages of .dvx.lock. cannot be merged: .*:1: its schema" ../err && grep "git dvx checkout --ours dvx.lock" ../err &&
	grep "cmd: ours" dvx.lock && grep "outs: # theirs" dvx.lock && git merge --abort
'

test_expect_success 'what explodes is not read: aliases in aliases, deep nesting' '
	python3 - >../laughs <<-\END &&
	print("schema: dvx/1\nx0: &x0 [" + ",".join(["lol"] * 10) + "]")
	for i in range(1, 12): print("x%d: &x%d [%s]" % (i, i, ",".join(["*x%d" % (i - 1)] * 10)))
	END
	(echo "schema: dvx/1" && echo "stages: $(printf "%10000s" | tr " " "[")") >../deep &&
	for f in laughs deep; do
		ours() { cp ../$f dvx.lock; } && theirs() { echo "# theirs" >>dvx.lock; } && base() { echo "dvx.lock merge=dvx" >>.gitattributes && printf "schema: dvx/1\nstages: {}\n" >dvx.lock; } &&
		merge_case $f && test_expect_code 1 merge_theirs && unmerged dvx.lock && grep "^conflict: the stages of .dvx.lock. cannot be merged: ours:.* more than" ../err && git merge --abort || return 1
	done
'

test_done
