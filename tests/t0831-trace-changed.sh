#!/bin/sh
test_description='git dvx trace says what cannot be known, and what the commit has otherwise than the run'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# changes STAGE LIST: what the last answer in ../out says of a stage's changed_since.
changes() {
	json ../out "[s[\"changed_since\"] for s in j[\"stages\"] if s[\"name\"] == \"$1\"] == [$2]"
}

test_expect_success 'setup' '
	churn_project repo && on 2023-12-10
'

test_expect_success 'a script that was changed and committed without a run' '
	echo "# a remark" >>code/train.sh && git commit -q -a -m "a remark" && git dvx trace --json HEAD >../out && changes train "[\"deps: code/train.sh\"]" && changes prepare "[]" &&
	git dvx trace models/churn.pkl >../out && grep "^    changed since it ran: deps: code/train.sh$" ../out
'

test_expect_success 'a parameter, a command, data' '
	sed -i "s/epochs: 10/epochs: 20/" params.yaml && sed -i "s/sh code.evaluate.sh/sh -e code\/evaluate.sh/" dvx.yaml && customers 50 >data/customers.csv && git add -A && git commit -q -m "more" &&
	git dvx trace --json HEAD >../out && changes train "[\"deps: code/train.sh\", \"params: params.yaml:train.epochs\"]" && changes evaluate "[\"cmd\"]" && changes prepare "[\"deps: data/customers.csv\"]" &&
	json ../out "j[\"stages\"][1][\"params\"][\"params.yaml\"][\"train.epochs\"] == 10 and j[\"stages\"][0][\"cmd\"] == [\"sh code/evaluate.sh\"]" &&
	retrain again && git dvx trace --json HEAD >../out && changes train "[]" && changes evaluate "[]" && changes prepare "[]"
'

test_expect_success 'a model that was changed by hand is not what its stage made' '
	echo by hand >>models/churn.pkl && git commit -q -a -m "by hand" && git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"as_made\"] is False and j[\"file\"][\"sha256\"] == \"$(sha models/churn.pkl)\"" &&
	json ../out "len(j[\"unknown\"]) == 1 and j[\"unknown\"][0][\"what\"] == \"models/churn.pkl\" and \"changed afterwards\" in j[\"unknown\"][0][\"reason\"]" && changes train "[\"outs: models/churn.pkl\"]" &&
	git dvx trace models/churn.pkl >../out && grep "NOT what stage .train. made" ../out && git revert --no-edit HEAD >/dev/null && git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"as_made\"] is True"
'

test_expect_success 'what is not committed yet' '
	echo more >>models/churn.pkl && git dvx trace --json models/churn.pkl >../out && json ../out "\"not committed\" in j[\"unknown\"][0][\"reason\"] and j[\"file\"][\"as_made\"]" && git checkout -q models/churn.pkl &&
	git dvx trace --json models/churn.pkl >../out && json ../out "j[\"unknown\"] == []" && rm models/churn.pkl && git dvx trace --json -- models/churn.pkl >../out && json ../out "\"not committed\" in j[\"unknown\"][0][\"reason\"]" && git checkout -q models/churn.pkl &&
	echo new >data/new.csv && test_must_fail git dvx trace data/new.csv 2>../err && grep "^error: no file .data/new.csv. in HEAD; what was never committed has no history$" ../err && rm data/new.csv
'

test_expect_success 'a stage that never ran, and a lock file that was not committed' '
	cat >>dvx.yaml <<-\END &&
	  report:
	    cmd: sh code/report.sh
	    deps: [models/churn.pkl]
	    outs: [report.txt]
	END
	git commit -q -a -m "a stage" && git dvx trace --json HEAD >../out && json ../out "[s[\"ran\"] for s in j[\"stages\"] if s[\"name\"] == \"report\"] == [False] and [u[\"what\"] for u in j[\"unknown\"]] == [\"report\"]" &&
	json ../out "[s for s in j[\"stages\"] if s[\"name\"] == \"report\"][0][\"deps\"][0][\"sha256\"] == \"$(sha models/churn.pkl)\"" && git dvx trace >../out && grep "^stage    report  (never ran)$" ../out && grep "^cannot be known$" ../out &&
	git rm -q --cached dvx.lock && git commit -q -m "no lock" && git dvx trace --json HEAD >../out && json ../out "not any(s[\"ran\"] for s in j[\"stages\"]) and len(j[\"unknown\"]) == 4" &&
	git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"as_made\"] is None and j[\"file\"][\"stage\"] == \"train\"" && git reset -q --hard HEAD~2
'

test_expect_success 'an output that Git ignores' '
	cd "$TRASH" && new_project ignored && printf "stages:\n  one:\n    cmd: echo 1 >out.txt\n    outs: [out.txt]\n" >dvx.yaml && echo out.txt >.gitignore && git dvx repro >/dev/null && git add -A && git commit -q -m one &&
	git dvx trace --json HEAD >../out && changes one "[\"outs: out.txt (not in the commit)\"]" && git dvx trace --json HEAD -- out.txt >../out && json ../out "j[\"file\"][\"stage\"] == \"one\" and j[\"file\"][\"sha256\"] is None and len(j[\"unknown\"]) == 1"
'

test_expect_success 'a directory that a stage makes, as made and not' '
	cd "$TRASH" && new_project dir && git dvx track "parts/**" >/dev/null && printf "stages:\n  split:\n    cmd: mkdir parts; for i in 1 2 3; do echo \$i >parts/\$i.csv; done\n    outs: [parts]\n" >dvx.yaml && git dvx repro >/dev/null && git add -A && git commit -q -m one &&
	git dvx trace --json parts >../out && json ../out "j[\"file\"][\"directory\"] and j[\"file\"][\"nfiles\"] == 3 and j[\"file\"][\"as_made\"] is True and j[\"file\"][\"sha256\"] == \"$(git dvx hash parts | cut -c 1-64)\"" &&
	git dvx trace --json parts/2.csv >../out && json ../out "j[\"file\"][\"stage\"] == \"split\" and j[\"file\"][\"as_made\"] is None" &&
	echo 5 >parts/2.csv && git commit -q -a -m two && git dvx trace --json parts/ >../out && json ../out "j[\"file\"][\"as_made\"] is False"
'

test_expect_success 'a damaged dvx.lock and a broken dvx.yaml of a commit are named with their line' '
	cd "$TRASH/repo" && git tag good && printf "<<<<<<< ours\n" >>dvx.lock && git add dvx.lock && git commit -q -m conflict && test_must_fail git dvx trace HEAD 2>../err && grep "^error: HEAD: dvx.lock:[0-9]*: a merge left a conflict" ../err &&
	git dvx trace good >../out && git reset -q --hard good && echo "  x: [" >>dvx.yaml && git commit -q -a -m broken && test_must_fail git dvx trace HEAD 2>../err && grep "^error: HEAD: dvx.yaml:[0-9]*:" ../err
'

test_done
