#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx exp: sweeps, the queue, several at once, show and diff'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/exp-lib.sh"

test_expect_success 'a sweep queues one for each combination, and touches nothing' '
	exp_project "$TRASH/repo" && before && git dvx exp run --queue -n sweep -S "lr=0.2,0.3" -S "epochs=range(1,4)" >"$TRASH/out" &&
	grep -c "^Queued experiment .sweep-[1-6]. for future execution" "$TRASH/out" >"$TRASH/n" && echo 6 >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/n" &&
	untouched && no_leftovers && git show "$(exp_ref sweep-4):params.yaml" >"$TRASH/params" && printf "lr: 0.3 # the rate\nepochs: 1\n" >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/params" &&
	git dvx exp list --name-only >"$TRASH/names" && printf "sweep-%d\n" 1 2 3 4 5 6 >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/names"
'

test_expect_success 'a sweep is not run at once' '
	test_expect_code 129 git dvx exp run -S lr=0.2,0.3 2>"$TRASH/err" && grep "2 experiments; add --queue" "$TRASH/err" &&
	test_expect_code 129 git dvx exp run --run-all -S lr=1 2>"$TRASH/err"
'

test_expect_success 'values: lists, quotes, choice, steps' '
	git dvx exp run --queue -S "lr=[0.1, 0.2]" -n list >"$TRASH/out" && git show "$(exp_ref list):params.yaml" >"$TRASH/params" && grep -F "lr: [0.1, 0.2]" "$TRASH/params" &&
	git dvx exp run --queue -S "lr=choice(0.7,0.8)" -n pick >"$TRASH/out" && exp_ref pick-2 &&
	git dvx exp run --queue -S "lr=range(0.1,0.35,0.1)" -n step >"$TRASH/out" && git show "$(exp_ref step-3):params.yaml" >"$TRASH/params" && grep "lr: 0.3 " "$TRASH/params" && ! exp_ref step-4 &&
	test_expect_code 128 git dvx exp run --queue -S "lr=range(1,x)" 2>"$TRASH/err" && grep "range(start,stop" "$TRASH/err" &&
	test_expect_code 128 git dvx exp run --queue -S "lr=range(0,1000000)" 2>"$TRASH/err" &&
	test_expect_code 128 git dvx exp run --queue -S "lr=[1,2" 2>"$TRASH/err" && grep "not closed" "$TRASH/err" &&
	test_expect_code 128 git dvx exp run --queue -S "lr=range(0,200)" -S "epochs=range(0,200)" 2>"$TRASH/err" && grep "more than 10000" "$TRASH/err" &&
	git dvx exp remove list pick-1 pick-2 step-1 step-2 step-3 >"$TRASH/out"
'

test_expect_success 'all that are queued, several at once, each line with its name' '
	git dvx exp run --queue -S lr=fail -n bad >"$TRASH/out" && STARTED=$TRASH/s && export STARTED &&
	SLEEP=0.1 test_expect_code 128 git dvx exp run --run-all -j 3 >"$TRASH/out" 2>"$TRASH/err" && grep "^error: failed: bad;" "$TRASH/err" &&
	grep "^sweep-1 | training with 0.2" "$TRASH/out" && grep "^sweep-6 | training with 0.3" "$TRASH/out" && grep "^bad | training with fail" "$TRASH/out" &&
	! grep -v -e "^sweep-[1-6] | " -e "^bad | " "$TRASH/out" | grep training && grep "^Ran experiment(s): sweep-1, sweep-2, sweep-3, sweep-4, sweep-5, sweep-6$" "$TRASH/out" &&
	git dvx exp logs sweep-1 >"$TRASH/log" && grep "^training with 0.2" "$TRASH/log" && untouched && no_leftovers &&
	git dvx exp run --run-all >"$TRASH/out" && grep "No experiments in the queue" "$TRASH/out"
'

test_expect_success 'show: a row each, metrics and parameters' '
	git dvx exp run --queue -S lr=0.9 -n later >"$TRASH/out" && git dvx exp show >"$TRASH/out" &&
	head -n 1 "$TRASH/out" >"$TRASH/head" && grep "^Experiment  *Created  *State  *acc  *lr  *epochs$" "$TRASH/head" &&
	sed -n 2p "$TRASH/out" >"$TRASH/row" && grep "^workspace  *-  *0.1  *0.1  *3$" "$TRASH/row" && sed -n 3p "$TRASH/out" >"$TRASH/row" && grep "^main .* 0.1  *0.1  *3$" "$TRASH/row" &&
	grep "^├── [0-9a-f]* \[sweep-2\] .* 0.2  *0.2  *2$" "$TRASH/out" && grep "\[bad\] .* failed  *-  *fail  *3$" "$TRASH/out" &&
	tail -n 1 "$TRASH/out" >"$TRASH/row" && grep "^└── [0-9a-f]* \[later\] .* queued  *-  *0.9  *3$" "$TRASH/row"
'

test_expect_success 'show: sorted, only what differs, without columns' '
	git dvx exp show --sort-by acc --sort-order desc --csv >"$TRASH/csv" && cut -d, -f1,6 "$TRASH/csv" | sed -n 4p >"$TRASH/row" && grep "^sweep-[456],0.3$" "$TRASH/row" && cut -d, -f5 "$TRASH/csv" | tail -n 2 | sort >"$TRASH/row" && printf "failed\nqueued\n" >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/row" &&
	git dvx exp show --drop . --keep "^lr$" >"$TRASH/out" && ! grep epochs "$TRASH/out" && grep "Experiment.* lr$" "$TRASH/out" &&
	test_expect_code 128 git dvx exp show --sort-by nosuch 2>"$TRASH/err" && grep "no column .nosuch." "$TRASH/err" && test_expect_code 129 git dvx exp show --drop "(" 2>"$TRASH/err" &&
	git dvx exp remove --queue -A >"$TRASH/out" && git dvx exp run -S lr=0.4 -n one >"$TRASH/out" && git dvx exp show --only-changed >"$TRASH/out" && ! grep epochs "$TRASH/out" && grep lr "$TRASH/out"
'

test_expect_success 'show: JSON, Markdown, CSV' '
	git dvx exp show --json >"$TRASH/json" && json "$TRASH/json" "[r[\"type\"] for r in j] == [\"workspace\", \"baseline\", \"experiment\"]" &&
	json "$TRASH/json" "j[2][\"metrics\"][\"metrics.json\"][\"acc\"] == 0.4 and j[2][\"params\"][\"params.yaml\"] == {\"lr\": 0.4, \"epochs\": 3} and j[2][\"state\"] == \"done\" and j[2][\"base\"] == j[1][\"rev\"]" &&
	git dvx exp show --md >"$TRASH/md" && grep "^| Experiment .*| *acc |" "$TRASH/md" && grep "^|.*\[one\].*| *0.4 |" "$TRASH/md" &&
	git dvx exp show --csv >"$TRASH/csv" && grep "^one,[0-9a-f]\{40\},experiment,.*Z,done,0.4,0.4,3$" "$TRASH/csv" && test_expect_code 129 git dvx exp show --csv --md
'

test_expect_success 'experiments belong to the commit that they were made from' '
	git commit -q --allow-empty -m next && git dvx exp show >"$TRASH/out" && ! grep "\[one\]" "$TRASH/out" && git dvx exp list >"$TRASH/out" && test_must_be_empty "$TRASH/out" &&
	git dvx exp show -A >"$TRASH/out" && grep "\[one\]" "$TRASH/out" && git dvx exp show --num 2 >"$TRASH/out" && grep "\[one\]" "$TRASH/out" &&
	git dvx exp show --rev HEAD~1 >"$TRASH/out" && grep "^HEAD~1" "$TRASH/out" && grep "\[one\]" "$TRASH/out" && git tag old HEAD~1 &&
	git dvx exp show -T >"$TRASH/out" && grep "^old " "$TRASH/out" && git branch side old && git dvx exp list -a >"$TRASH/out" && grep "\[one\]" "$TRASH/out"
'

test_expect_success 'diff' '
	git dvx exp run -S lr=0.45 -S epochs=9 -n two >"$TRASH/out" && git dvx exp diff one two >"$TRASH/out" &&
	grep "^Path  *Metric  *one  *two  *Change$" "$TRASH/out" && grep "^metrics.json  *acc  *0.4  *0.45  *+\{0,1\}0.05$" "$TRASH/out" && grep "^params.yaml  *epochs  *3  *9  *+\{0,1\}6$" "$TRASH/out" &&
	git dvx exp diff --json one >"$TRASH/json" && json "$TRASH/json" "j[\"metrics\"][\"metrics.json\"][\"acc\"][\"new\"] == 0.1 and \"epochs\" not in j[\"params\"][\"params.yaml\"]" &&
	git dvx exp diff >"$TRASH/out" && test_must_be_empty "$TRASH/out" && test_expect_code 128 git dvx exp diff nosuch
'

test_expect_success 'an experiment is a revision for metrics, params and plots' '
	git dvx metrics diff one two >"$TRASH/out" && grep "acc  *0.4  *0.45" "$TRASH/out" && git dvx params show --rev two >"$TRASH/out" && grep 0.45 "$TRASH/out" &&
	test_expect_code 128 git dvx metrics diff one nosuch 2>"$TRASH/err" && grep "nosuch" "$TRASH/err" && test_expect_code 128 git dvx metrics diff "*" one
'

test_done
