#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx exp apply: the work tree becomes the experiment, and nothing of the user is lost'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/exp-lib.sh"

holds() { # holds NAME: the work tree is this experiment
	git ls-tree -r --name-only "$(exp_ref "$1")" >"$TRASH/holds" &&
		while read -r f; do
			git hash-object --path="$f" "$f" >"$TRASH/here" && git rev-parse "$(exp_ref "$1"):$f" >"$TRASH/there" &&
				test_cmp "$TRASH/there" "$TRASH/here" || return 1
		done <"$TRASH/holds"
}

test_expect_success 'applied: data and all, unstaged, and up to date' '
	exp_project "$TRASH/repo" && git dvx exp run -S lr=0.5 -n half >"$TRASH/out" && git dvx exp run -S lr=0.75 -S +extra=1 -n more >"$TRASH/out" &&
	sha256sum .git/index >"$TRASH/index" && git dvx exp apply half >"$TRASH/out" && grep "experiment .half. have been applied" "$TRASH/out" &&
	sha256sum -c --quiet "$TRASH/index" && holds half && not_pointer model.bin && tail -n 1 model.bin >"$TRASH/tail" && grep -a "0.5" "$TRASH/tail" &&
	git diff --cached --quiet && git diff --name-only >"$TRASH/names" && printf "%s\n" dvx.lock metrics.json model.bin params.yaml >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/names" &&
	git dvx repro >"$TRASH/out" && grep "Data and pipelines are up to date" "$TRASH/out" && git diff --name-only >"$TRASH/names" && test_cmp "$TRASH/expect" "$TRASH/names"
'

test_expect_success 'one upon the other: what an experiment holds is not lost' '
	git dvx exp apply more >"$TRASH/out" 2>"$TRASH/err" && test_must_be_empty "$TRASH/err" && holds more &&
	git dvx exp apply half 2>"$TRASH/err" && test_must_be_empty "$TRASH/err" && holds half && git for-each-ref refs/dvx/exps-overwritten >"$TRASH/refs" && test_must_be_empty "$TRASH/refs" &&
	git commit -q -a -m applied && is_clean && git dvx repro >"$TRASH/out" && grep "up to date" "$TRASH/out"
'

test_expect_success 'from another commit: only by force' '
	test_expect_code 128 git dvx exp apply more 2>"$TRASH/err" && grep "^error: experiment .more. was made from commit .* and HEAD is" "$TRASH/err" &&
	git reset -q --hard HEAD~1
'

test_expect_success 'changes of the user are refused, and named' '
	echo "# mine" >>params.yaml && echo "# mine too" >>train.sh && before &&
	test_expect_code 128 git dvx exp apply half 2>"$TRASH/err" && grep "^  params.yaml" "$TRASH/err" && grep "changes that are in no commit would be lost" "$TRASH/err" &&
	! grep train.sh "$TRASH/err" && untouched
'

test_expect_success 'with --force they are kept aside' '
	cp params.yaml "$TRASH/mine" && cp train.sh "$TRASH/mine.sh" &&
	git dvx exp apply -f half 2>"$TRASH/err" && ref=$(sed -n "s/^note: .* kept as //p" "$TRASH/err") && grep "lr: 0.5" params.yaml &&
	git show "$ref:params.yaml" >"$TRASH/kept" && test_cmp "$TRASH/mine" "$TRASH/kept" && git show "$ref:train.sh" >"$TRASH/kept" && test_cmp "$TRASH/mine.sh" "$TRASH/kept" &&
	test_cmp "$TRASH/mine.sh" train.sh &&
	git reset -q --hard
'

test_expect_success 'a file that Git does not know stays, if it is in the way' '
	echo "stages: {s: {cmd: echo new >fresh, outs: [{fresh: {cache: false}}]}}" >dvx.yaml && git dvx exp run -n fresh >"$TRASH/out" && git checkout -q dvx.yaml &&
	echo precious >fresh && echo other >other && test_expect_code 128 git dvx exp apply fresh 2>"$TRASH/err" && grep "^  fresh" "$TRASH/err" && grep precious fresh &&
	git dvx exp apply --force fresh 2>"$TRASH/err" && ref=$(sed -n "s/^note: .* kept as //p" "$TRASH/err") && git show "$ref:fresh" >"$TRASH/kept" && grep precious "$TRASH/kept" &&
	grep new fresh && grep other other && git clean -fdq && git reset -q --hard
'

test_expect_success 'what the experiment started from may go: it is kept aside' '
	echo "# tried" >>params.yaml && git dvx exp run -S lr=0.85 -n tried >"$TRASH/out" && git dvx exp apply tried 2>"$TRASH/err" && holds tried &&
	grep "# tried" params.yaml && grep "lr: 0.85" params.yaml && ref=$(sed -n "s/^note: .* kept as //p" "$TRASH/err") && git show "$ref:params.yaml" >"$TRASH/kept" && grep "lr: 0.1" "$TRASH/kept" &&
	git reset -q --hard
'

test_expect_success 'changes that have nothing to do with the experiment stay' '
	git show "HEAD:train.sh" >train.sh && echo notes >notes.txt && git add notes.txt && git commit -q -m notes && git dvx exp run -S lr=0.33 -n third >"$TRASH/out" &&
	echo "my notes" >>notes.txt && echo "# mine" >>train.sh && cp train.sh "$TRASH/mine.sh" && git dvx exp apply third 2>"$TRASH/err" && test_must_be_empty "$TRASH/err" &&
	grep "my notes" notes.txt && test_cmp "$TRASH/mine.sh" train.sh && grep "lr: 0.33" params.yaml && git reset -q --hard HEAD~1
'

test_expect_success 'staged changes of other files stay staged' '
	echo new >staged.txt && git add staged.txt && git dvx exp apply half && git diff --cached --name-only >"$TRASH/names" && echo staged.txt >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/names" &&
	test -e staged.txt && holds half && git reset -q --hard
'

test_expect_success 'data that is not here: a pointer, and a word about it; again when it is' '
	object=$(find .git/lfs -name "$(git show "$(exp_ref half):model.bin" | sed -n "s/^oid sha256://p")") && mv "$object" "$TRASH/object" &&
	git dvx exp apply half 2>"$TRASH/err" && is_pointer model.bin && grep "note: 1 file is without data; .git dvx fetch" "$TRASH/err" &&
	mv "$TRASH/object" "$object" && git dvx exp apply half 2>"$TRASH/err" && test_must_be_empty "$TRASH/err" && not_pointer model.bin && holds half
'

test_done
