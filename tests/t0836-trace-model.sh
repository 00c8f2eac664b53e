#!/bin/sh
test_description='git dvx trace of models: the five things that one consists of'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

q="'"

test_expect_success 'setup: two versions, one in production' '
	churn_project repo && git dvx model register churn_model models/churn.pkl --version 1.0.0 && on 2023-12-02 && git dvx model promote churn_model 1.0.0 production &&
	on 2023-12-15 && customers 120 region >data/customers.csv && retrain "fresh data" && git dvx model register churn_model models/churn.pkl --version 2.0.0
'

test_expect_success 'model = file + code + data + metrics + hyperparameters' '
	git dvx trace churn_model@v1.0.0 >../out && grep "^model    churn_model v1.0.0, registered 2023-12-01 10:00 +0000 by C O Mitter; in production$" ../out && grep "^file     models/churn.pkl  .*sha256:$(git show v1.0.0:x 2>/dev/null | head -c 0)" ../out &&
	grep "^    code     code/train.sh" ../out && grep "^data     data/customers.csv  .*, 100 rows, 3 columns" ../out && grep "^metrics  acc=" ../out && grep "^    params   train.epochs=10  train.lr=0.1" ../out && grep "^    command  sh code/train.sh$" ../out && ! grep "cannot be known" ../out
'

test_expect_success 'the same as JSON' '
	git dvx trace --json churn_model@v1.0.0 >../out && json ../out "j[\"model\"][\"name\"] == \"churn_model\" and j[\"model\"][\"version\"] == \"v1.0.0\" and j[\"model\"][\"tag\"] == \"churn_model@v1.0.0\" and j[\"model\"][\"annotated\"] and j[\"model\"][\"stages\"] == [\"production\"]" &&
	json ../out "j[\"model\"][\"registered\"] == \"2023-12-01T10:00:00+00:00\" and j[\"model\"][\"path\"] == \"models/churn.pkl\" and j[\"models\"] == [j[\"model\"]] and j[\"target\"][\"model\"] == \"churn_model@v1.0.0\"" &&
	json ../out "j[\"commit\"][\"id\"] == \"$(git rev-parse "churn_model@v1.0.0^{commit}")\" and j[\"file\"][\"as_made\"] and j[\"unknown\"] == []"
'

test_expect_success 'other spellings: without the v, the latest, the one in a stage' '
	for spec in churn_model@1.0.0 "churn_model#production"; do git dvx trace --json "$spec" >../out2 && json ../out2 "j[\"model\"][\"version\"] == \"v1.0.0\"" || return 1; done && git dvx trace --json churn_model@latest >../out2 && json ../out2 "j[\"model\"][\"version\"] == \"v2.0.0\" and j[\"model\"][\"stages\"] == []"
'

test_expect_success 'the bare name of a model: which versions there are' '
	for word in churn_model "churn_model -- models/churn.pkl" "--diff churn_model HEAD"; do test_expect_code 128 git dvx trace $word 2>err && echo "error: ${q}churn_model${q} is a model; name a version of it: ${q}churn_model@latest${q} is v2.0.0, ${q}churn_model#production${q} is v1.0.0" >expect && test_cmp expect err || return 1; done &&
	git dvx model register models:bare --version 1.0.0 --rev HEAD~1 && test_expect_code 128 git dvx trace models:bare 2>err && grep "models:bare@latest. is v1.0.0$" err && git dvx model deprecate models:bare 1.0.0 && test_expect_code 128 git dvx trace models:bare 2>err && grep "^error: .models:bare. is a model that has no version$" err &&
	git branch churn_model && git dvx trace churn_model >out && git branch -D -q churn_model && test_expect_code 128 git dvx trace churn_modell 2>err && grep "unknown revision .churn_modell.; nor is there a file" err
'

test_expect_success 'a commit and a file name the models that are tagged there' '
	git dvx trace >../out && grep "^models   churn_model v2.0.0, registered 2023-12-15" ../out && git dvx trace --json models/churn.pkl >../out && json ../out "[m[\"tag\"] for m in j[\"models\"]] == [\"churn_model@v2.0.0\"] and \"model\" not in j"
'

test_expect_success 'v1 against v2: what changed' '
	git dvx trace --diff churn_model@v1.0.0 churn_model@v2.0.0 >../out && grep -A 1 "^most likely$" ../out | grep "^    data/customers.csv: column added: region$" && test "$(head -n 1 ../out)" = "churn_model@v1.0.0 -> churn_model@v2.0.0" &&
	git dvx trace --diff --json "churn_model#production" churn_model@latest >../out && json ../out "j[\"old\"][\"model\"][\"version\"] == \"v1.0.0\" and j[\"new\"][\"model\"][\"version\"] == \"v2.0.0\" and j[\"new\"][\"file\"][\"path\"] == \"models/churn.pkl\""
'

test_expect_success 'a model against a commit: the same file there, not all of its data' '
	echo extra >data/extra.csv && git add . && git commit -q -m "data of others" && git dvx trace --diff --json churn_model@v2.0.0 >../out && json ../out "j[\"data\"] == [] and j[\"params\"] == {} and j[\"new\"][\"file\"][\"path\"] == \"models/churn.pkl\"" &&
	git dvx trace --diff --json HEAD churn_model@v1.0.0 >../out && json ../out "j[\"old\"][\"file\"][\"path\"] == \"models/churn.pkl\" and \"data/extra.csv\" not in [f[\"path\"] for f in j[\"data\"]]"
'

test_expect_success 'another file of a model'\''s commit is no doubt about the model' '
	git dvx trace --json churn_model@v1.0.0 data/customers.csv >../out && json ../out "j[\"unknown\"] == [] and j[\"data\"] == [] and j[\"file\"][\"rows\"] == 100"
'

test_expect_success 'GTO'\''s own tags, which have no path: an artifact of dvx.yaml, or the whole commit' '
	git tag -a -m "Registering artifact other version v0.1.0" other@v0.1.0 && git dvx trace --json other@v0.1.0 >../out && json ../out "\"file\" not in j and len(j[\"stages\"]) == 3 and \"which file the model is\" in j[\"unknown\"][0][\"reason\"]" &&
	printf "artifacts:\n  other: {path: models/churn.pkl, type: model}\n" >>dvx.yaml && git commit -q -a -m "an artifact" && git tag -a -m "Registering artifact other version v0.2.0" other@v0.2.0 && git dvx trace --json other@v0.2.0 >../out && json ../out "j[\"file\"][\"path\"] == \"models/churn.pkl\" and j[\"model\"][\"path\"] is None and j[\"unknown\"] == []"
'

test_expect_success 'a tag whose path is not in its commit' '
	git tag -a -m "Registering artifact gone version v1.0.0

path: models/gone.pkl
commit: $(git rev-parse HEAD)" gone@v1.0.0 && git dvx trace --json gone@v1.0.0 >../out && json ../out "j[\"model\"][\"version\"] == \"v1.0.0\" and j[\"file\"][\"path\"] == \"models/gone.pkl\" and \"no such file\" in j[\"unknown\"][0][\"reason\"]" && git dvx trace gone@v1.0.0 >../out && grep "^file     models/gone.pkl" ../out
'

test_expect_success 'a lightweight tag: the version is told, and what it does not say' '
	git tag light@v1.0.0 && git dvx trace --json light@v1.0.0 >../out && json ../out "j[\"model\"][\"annotated\"] is False and any(\"lightweight\" in u[\"reason\"] for u in j[\"unknown\"])"
'

test_expect_success 'a model that was deregistered is no version any more; its tag names a commit as any does' '
	git tag -a -m x "light@v1.0.0!" && git dvx trace light@v1.0.0 >../out && grep "^models *gone v1.0.0" ../out && ! grep "light v1.0.0" ../out && test_expect_code 128 git dvx trace light@v7.0.0 2>../err && grep "^error: " ../err
'

test_expect_success STRACE 'few processes, no network, nothing written but caches' '
	git dvx trace churn_model@v1.0.0 >../out && strace -f -e trace=execve -o ../trace git-dvx trace churn_model@v1.0.0 >../out2 && test_cmp ../out ../out2 && test "$(grep -c "execve(.*= 0" ../trace)" -le 6 && ! grep git-dvx-transfer ../trace && git status --porcelain >../st && test ! -s ../st
'

test_done
