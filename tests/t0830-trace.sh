#!/bin/sh
test_description='git dvx trace: what a commit, a file and a model were made of'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

test_expect_success 'setup: a pipeline of three stages, run and committed' '
	churn_project repo && git tag v1.0
'

test_expect_success 'a commit: who, when, all stages, all data, parameters, metrics' '
	git dvx trace >../out && git dvx trace HEAD >../out2 && test_cmp ../out ../out2 &&
	grep "^commit   $(git rev-parse HEAD | cut -c 1-10)  2023-12-01 10:00 +0000  A U Thor$" ../out && grep "^         train the first model$" ../out &&
	grep "^tags     v1.0$" ../out && test "$(grep "^stage" ../out | tr -s " " | tr "\n" ,)" = "stage evaluate,stage train,stage prepare," &&
	grep "^    command  sh code/train.sh$" ../out && grep "^    params   train.epochs=10  train.lr=0.1  (params.yaml)$" ../out &&
	grep "^data     data/customers.csv  .*, 100 rows, 3 columns, sha256:$(sha data/customers.csv | cut -c 1-12)$" ../out &&
	grep "^metrics  acc=0.[0-9]*  n=3  (metrics.json)$" ../out
'

test_expect_success 'the same as JSON, by its schema' '
	git dvx trace --json HEAD >../out && json ../out "j[\"schema\"] == \"dvx-trace/1\" and j[\"unknown\"] == []" &&
	json ../out "j[\"commit\"][\"id\"] == \"$(git rev-parse HEAD)\" and j[\"commit\"][\"author\"] == {\"name\": \"A U Thor\", \"email\": \"author@example.com\"}" &&
	json ../out "j[\"commit\"][\"date\"].startswith(\"2023-12-01T10:00:00\") and j[\"commit\"][\"subject\"] == \"train the first model\"" &&
	json ../out "j[\"tags\"] == [\"v1.0\"] and j[\"models\"] == [] and \"file\" not in j and \"model\" not in j" &&
	json ../out "[s[\"name\"] for s in j[\"stages\"]] == [\"evaluate\", \"train\", \"prepare\"] and all(s[\"ran\"] and s[\"changed_since\"] == [] for s in j[\"stages\"])" &&
	json ../out "j[\"data\"] == [{\"path\": \"data/customers.csv\", \"sha256\": \"$(sha data/customers.csv)\", \"size\": $(wc -c <data/customers.csv), \"storage\": \"object\", \"rows\": 100, \"columns\": 3, \"used_by\": [\"prepare\"]}]" &&
	json ../out "j[\"metrics\"][\"metrics.json\"][\"n\"] == 3 and j[\"params\"] == {\"params.yaml\": {\"train\": {\"epochs\": 10, \"lr\": 0.1}}}" &&
	json ../out "j[\"environment\"][\"os\"] and j[\"environment\"] == j[\"stages\"][0][\"environment\"]"
'

test_expect_success 'a stage: command, dependencies and who made them, outputs, parameters' '
	json ../out "[s for s in j[\"stages\"] if s[\"name\"] == \"train\"][0][\"cmd\"] == [\"sh code/train.sh\"]" &&
	json ../out "j[\"stages\"][1][\"deps\"] == [{\"path\": \"code/train.sh\", \"sha256\": \"$(sha code/train.sh)\", \"size\": $(wc -c <code/train.sh), \"kind\": \"code\", \"storage\": \"git\"},
		{\"path\": \"data/features.csv\", \"sha256\": \"$(sha data/features.csv)\", \"size\": $(wc -c <data/features.csv), \"kind\": \"data\", \"made_by\": \"prepare\", \"storage\": \"object\", \"rows\": 100, \"columns\": 3}]" &&
	json ../out "j[\"stages\"][1][\"outs\"][0][\"sha256\"] == \"$(sha models/churn.pkl)\" and j[\"stages\"][1][\"params\"] == {\"params.yaml\": {\"train.epochs\": 10, \"train.lr\": 0.1}}"
'

test_expect_success 'a file: its stage, and those that this one needed; the metrics of the stages that judge it' '
	git dvx trace models/churn.pkl >../out && grep "^file     models/churn.pkl  .*sha256:$(sha models/churn.pkl | cut -c 1-12)$" ../out && grep "^used by  evaluate$" ../out &&
	test "$(grep "^stage" ../out | tr -s " " | tr "\n" ,)" = "stage train,stage prepare," && grep "^metrics  acc=" ../out &&
	git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"stage\"] == \"train\" and j[\"file\"][\"as_made\"] is True and j[\"file\"][\"here\"] is True" &&
	json ../out "j[\"file\"][\"sha256\"] == \"$(sha models/churn.pkl)\" and j[\"target\"] == {\"rev\": None, \"path\": \"models/churn.pkl\", \"model\": None}" &&
	json ../out "[d[\"path\"] for d in j[\"data\"]] == [\"data/customers.csv\"] and j[\"params\"] == {\"params.yaml\": {\"train.epochs\": 10, \"train.lr\": 0.1}} and j[\"unknown\"] == []"
'

test_expect_success 'a file that no stage made: who changed it last, and who reads it' '
	on 2023-12-05 && echo >>code/train.sh && git commit -q -a -m "a line" && git dvx trace --json data/customers.csv >../out &&
	json ../out "j[\"file\"][\"stage\"] is None and j[\"stages\"] == [] and j[\"file\"][\"used_by\"] == [\"prepare\"] and j[\"file\"][\"rows\"] == 100" &&
	json ../out "j[\"file\"][\"changed\"][\"subject\"] == \"the project\" and j[\"commit\"][\"subject\"] == \"a line\"" &&
	git dvx trace code/train.sh >../out && grep "^used by  train" ../out && git dvx trace data/customers.csv >../out && grep "^since    .*  2023-12-01" ../out && grep "^         the project$" ../out
'

test_expect_success 'an older commit, a file of it, REV:PATH, from a directory below' '
	git dvx trace v1.0 >../out && grep "^         train the first model$" ../out && git dvx trace --json v1.0 models/churn.pkl >../out && json ../out "j[\"target\"][\"rev\"] == \"v1.0\" and j[\"file\"][\"as_made\"]" &&
	git dvx trace --json v1.0:models/churn.pkl >../out2 && test_cmp ../out ../out2 && (cd models && git dvx trace --json v1.0 churn.pkl) >../out2 && test_cmp ../out ../out2 &&
	(cd code && git dvx trace --json v1.0:../models/churn.pkl) >../out2 && test_cmp ../out ../out2 && git dvx trace --json HEAD~1 -- models/churn.pkl >../out2 && json ../out2 "j[\"commit\"][\"subject\"] == \"train the first model\""
'

test_expect_success 'an abbreviated id, a branch, the name of an experiment' '
	git branch side v1.0 && git dvx trace "$(git rev-parse --short v1.0)" >../out && git dvx trace side >../out2 && test_cmp ../out ../out2 &&
	git dvx exp run -n try -S train.lr=0.5 >../log && git dvx trace --json try >../out && json ../out "j[\"params\"][\"params.yaml\"][\"train\"][\"lr\"] == 0.5"
'

test_expect_success 'Markdown is a block that can be pasted' '
	git dvx trace --md v1.0 >../out && test "$(head -n 1 ../out)" = "\`\`\`" && test "$(tail -n 1 ../out)" = "\`\`\`" && grep "^stage    train" ../out
'

test_expect_success 'rows are counted once; without the data, or the cache, the answer is still right' '
	git dvx trace --json v1.0 >../out && test -s .git/dvx/rows && rm .git/dvx/rows && git dvx trace --json v1.0 >../out2 && test_cmp ../out ../out2 &&
	printf rubbish >.git/dvx/rows && git dvx trace --json v1.0 >../out2 && test_cmp ../out ../out2 && rm -rf .git/dvx/packs .git/lfs && git dvx trace --json v1.0 >../out2 && test_cmp ../out ../out2 &&
	rm .git/dvx/rows && git dvx trace --json v1.0 >../out2 && json ../out2 "j[\"data\"][0][\"rows\"] is None and j[\"data\"][0][\"sha256\"] == \"$(sha data/customers.csv)\""
'

test_expect_success 'what a file says reaches no terminal raw' '
	esc=$(printf "\033") && cd "$TRASH" && new_project hostile && printf "stages:\n  one:\n    cmd: \"echo \\\\e[31m >x\"\n    outs: [x]\n" >dvx.yaml && git dvx repro >/dev/null && git add -A &&
	git -c "user.name=A${esc}[31mB" commit -q -m "${esc}[2J" --author "E${esc}[1m <x@y>" && git dvx trace >../out && ! grep "$esc" ../out && git dvx trace --md >../out && ! grep "$esc" ../out && git dvx trace --json >../out && json ../out "j[\"commit\"]"
'

test_done
