#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx exp: experiments are run aside and kept as refs'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/exp-lib.sh"

test_expect_success 'an experiment with another parameter is a commit upon HEAD' '
	exp_project "$TRASH/repo" && before &&
	git dvx exp run -S lr=0.5 -n half >"$TRASH/out" && grep "Running stage .train." "$TRASH/out" && grep "Ran experiment(s): half" "$TRASH/out" &&
	untouched && no_leftovers &&
	git rev-parse HEAD >"$TRASH/a" && git rev-parse "$(exp_ref half)^" >"$TRASH/b" && test_cmp "$TRASH/a" "$TRASH/b" &&
	git show "$(exp_ref half):params.yaml" >"$TRASH/params" && grep -x "lr: 0.5 # the rate" "$TRASH/params" &&
	git show "$(exp_ref half):metrics.json" >"$TRASH/metrics" && grep "0.5" "$TRASH/metrics" &&
	git show "$(exp_ref half):model.bin" >"$TRASH/model" && is_pointer "$TRASH/model" &&
	git diff --name-only HEAD "$(exp_ref half)" >"$TRASH/names" &&
	printf "%s\n" dvx.lock metrics.json model.bin params.yaml >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/names"
'

test_expect_success 'what is like an earlier run costs nothing' '
	git dvx exp run -S lr=0.5 -n again >"$TRASH/out" && ! grep "training" "$TRASH/out" &&
	git rev-parse "$(exp_ref half)^{tree}" >"$TRASH/a" && git rev-parse "$(exp_ref again)^{tree}" >"$TRASH/b" && test_cmp "$TRASH/a" "$TRASH/b"
'

test_expect_success 'changes of the work tree are part of it, staged or not, and stay where they are' '
	echo "# edited" >>train.sh && echo new >staged.txt && git add staged.txt && echo alien >untracked.txt && before &&
	git dvx exp run -S epochs=5 -n dirty >"$TRASH/out" && grep training "$TRASH/out" && untouched &&
	git show "$(exp_ref dirty):train.sh" >"$TRASH/train" && test_cmp train.sh "$TRASH/train" &&
	git show "$(exp_ref dirty):staged.txt" >"$TRASH/staged" && test_cmp staged.txt "$TRASH/staged" &&
	test_must_fail git show "$(exp_ref dirty):untracked.txt" && git reset -q --hard && rm untracked.txt
'

test_expect_success 'a pipeline that Git does not know yet is taken along' '
	dvx_repo "$TRASH/young" && cd "$TRASH/young" && git commit -q --allow-empty -m empty &&
	printf "stages:\n  s:\n    cmd: grep a params.yaml >out\n    params: [a]\n    outs: [{out: {cache: false}}]\n" >dvx.yaml && echo "a: 1" >params.yaml &&
	git dvx exp run -S a=2 -n young >"$TRASH/out" && git show "$(exp_ref young):out" >"$TRASH/out" && grep "a: 2" "$TRASH/out" && cd "$TRASH/repo"
'

test_expect_success 'in a directory: parameters and stages are those of the directory' '
	mkdir -p sub && printf "stages:\n  inner:\n    cmd: cp params.yaml copy\n    params: [depth]\n    outs: [{copy: {cache: false}}]\n" >sub/dvx.yaml &&
	echo "depth: 1" >sub/params.yaml && git add sub && git commit -q -m sub &&
	(cd sub && git dvx exp run -S depth=7 -n deep inner) >"$TRASH/out" && git show "$(exp_ref deep):sub/copy" >"$TRASH/copy" && grep -x "depth: 7" "$TRASH/copy" &&
	(cd sub && git dvx exp run -S ../params.yaml:lr=0.9 -n up ../dvx.yaml:train) >"$TRASH/out" &&
	git show "$(exp_ref up):metrics.json" >"$TRASH/metrics" && grep 0.9 "$TRASH/metrics"
'

test_expect_success 'a failed experiment is listed as failed, with its log; the status is 128' '
	before && test_expect_code 128 git dvx exp run -S lr=fail -n bad >"$TRASH/out" 2>"$TRASH/err" && grep "^error: .*bad.*exp logs" "$TRASH/err" &&
	untouched && no_leftovers && git dvx exp list >"$TRASH/out" && grep "\[bad\] failed" "$TRASH/out" &&
	git dvx exp logs bad >"$TRASH/log" && grep "training with fail" "$TRASH/log" && grep "exited with status 3" "$TRASH/log"
'

test_expect_success 'names: given, made up, taken, impossible' '
	git dvx exp run -S lr=0.5 >"$TRASH/out" && sed -n "s/^Ran experiment(s): //p" "$TRASH/out" >"$TRASH/name" && grep "^[a-z]*-[a-z]*$" "$TRASH/name" &&
	test_expect_code 128 git dvx exp run -n half 2>"$TRASH/err" && grep "there is an experiment .half." "$TRASH/err" &&
	for name in a/b .. -x @ "a b" a~b logs ""; do
		test_expect_code 128 git dvx exp run -S lr=0.5 -n "$name" 2>"$TRASH/err" && grep "no name for an experiment" "$TRASH/err" || return 1
	done && test_expect_code 128 git dvx exp run -f -S lr=fail -n half >"$TRASH/out" 2>&1 && git show "$(exp_ref half | grep exps/):metrics.json" >"$TRASH/metrics" && grep 0.5 "$TRASH/metrics" &&
	git dvx exp run -f -S lr=0.6 -n half >"$TRASH/out" && git show "$(exp_ref half):metrics.json" >"$TRASH/metrics" && grep 0.6 "$TRASH/metrics"
'

test_expect_success 'parameters that are not there are refused, unless they are to be added' '
	before && git for-each-ref refs/dvx >"$TRASH/all" &&
	test_expect_code 128 git dvx exp run -S nosuch=1 2>"$TRASH/err" && grep "^error: no parameter .nosuch. in .params.yaml.; -S .+nosuch=1. adds it" "$TRASH/err" &&
	test_expect_code 128 git dvx exp run -S +lr=1 2>"$TRASH/err" && test_expect_code 128 git dvx exp run -S nofile.yaml:a=1 2>"$TRASH/err" && grep "nofile.yaml" "$TRASH/err" &&
	test_expect_code 128 git dvx exp run -S lr 2>"$TRASH/err" && grep "write .file:.key=value" "$TRASH/err" &&
	test_expect_code 128 git dvx exp run trian 2>"$TRASH/err" && grep "the most similar one is .train." "$TRASH/err" &&
	git for-each-ref refs/dvx >"$TRASH/now" && test_cmp "$TRASH/all" "$TRASH/now" && untouched && no_leftovers &&
	git dvx exp run -S +extra.deep.er=7 -S ++lr=0.3 -n more >"$TRASH/out" && git show "$(exp_ref more):params.yaml" >"$TRASH/params" &&
	grep "^lr: 0.3 # the rate" "$TRASH/params" && git dvx params show --rev "$(exp_ref more)" --json >"$TRASH/json" && grep "\"er\":.*7" "$TRASH/json"
'

test_expect_success 'branch and remove' '
	git dvx exp branch half tried >"$TRASH/out" && git rev-parse tried >"$TRASH/a" && git rev-parse "$(exp_ref half)" >"$TRASH/b" && test_cmp "$TRASH/a" "$TRASH/b" &&
	test_expect_code 128 git dvx exp branch half tried 2>"$TRASH/err" && grep "there is a branch .tried." "$TRASH/err" &&
	test_expect_code 128 git dvx exp branch bad tried2 2>"$TRASH/err" && grep "has no result" "$TRASH/err" &&
	test_expect_code 128 git dvx exp remove half nosuch 2>"$TRASH/err" && grep "no experiment .nosuch." "$TRASH/err" && exp_ref half &&
	git dvx exp remove half bad && ! exp_ref half && ! test -e .git/dvx/exps/logs/half.log &&
	git dvx exp remove -A >"$TRASH/out" && git for-each-ref refs/dvx >"$TRASH/out" && test_must_be_empty "$TRASH/out"
'

test_expect_success 'files that Git does not have are copied where they are asked for, and are not kept' '
	printf "stages:\n  s:\n    cmd: cp secret/key out\n    params: [a]\n    outs: [{out: {cache: false}}]\n" >"$TRASH/young/dvx.yaml" && cd "$TRASH/young" &&
	mkdir secret && echo 42 >secret/key && echo secret/ >.git/info/exclude && git dvx exp run -n copied -C secret >"$TRASH/out" &&
	git show "$(exp_ref copied):out" >"$TRASH/out" && grep 42 "$TRASH/out" && test_must_fail git show "$(exp_ref copied):secret/key"
'

test_expect_success 'dependencies that Git does not know are named' '
	cd "$TRASH/repo" && git rm -q --cached train.sh && test_expect_code 128 git dvx exp run -S lr=0.11 2>"$TRASH/err" && grep "note: Git does not know .train.sh." "$TRASH/err" && git add train.sh &&
	git dvx exp run -S lr=0.12 2>"$TRASH/err" && test_must_be_empty "$TRASH/err"
'

test_expect_success 'without a commit there is nothing to start from' '
	dvx_repo "$TRASH/unborn" && cd "$TRASH/unborn" && echo "stages: {s: {cmd: echo}}" >dvx.yaml && test_expect_code 128 git dvx exp run 2>err && grep "no commit yet" err
'

test_done
