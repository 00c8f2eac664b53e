#!/bin/sh
test_description='git dvx trace --diff: what differs between two commits, files or models'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# line N TEXT: line N behind the heading "most likely" of ../out.
cause() {
	test "$(grep -A "$1" "^most likely$" ../out | tail -n 1)" = "    $2" || { grep -A 3 "^most likely" ../out; return 1; }
}
section() {
	sed -n "/^$1\$/,/^\$/p" ../out
}

test_expect_success 'setup: the same pipeline on a table with a column more' '
	churn_project repo && git tag v1 && on 2023-12-15 && customers 120 region >data/customers.csv && retrain "fresh data" && git tag v2
'

test_expect_success 'a column that slipped into the data is named first' '
	git dvx trace --diff v1 v2 >../out && cause 1 "data/customers.csv: column added: region" && test "$(head -n 1 ../out)" = "v1 -> v2" && section data >../data && grep "^    data/customers.csv  modified: " ../data && grep "^        column added: region$" ../data && grep "20 rows added (of 100 -> 120)" ../data &&
	section metrics >../m && grep "^    metrics.json  acc  0\.[0-9]* -> 0\.[0-9]*  (-\{0,1\}+\{0,1\}0\.[0-9]*)$" ../m && grep "^no difference in params, commands, environment, code$" ../out && section commits >../c && grep "2023-12-15 A U Thor: fresh data$" ../c && test "$(wc -l <../c)" = 3 &&
	git dvx trace --diff v1 >../out2 && sed 1d ../out >../a && sed 1d ../out2 >../b && test_cmp ../a ../b
'

test_expect_success 'the same as JSON, by its schema' '
	git dvx trace --diff --json v1 v2 >../out && json ../out "j[\"schema\"] == \"dvx-trace-diff/1\" and j[\"old\"][\"name\"] == \"v1\" and j[\"new\"][\"commit\"][\"subject\"] == \"fresh data\"" &&
	json ../out "j[\"causes\"][0] == {\"kind\": \"columns\", \"what\": \"data/customers.csv\", \"text\": \"column added: region\"}" &&
	json ../out "[(d[\"path\"], d[\"status\"], d[\"role\"]) for d in j[\"data\"]] == [(\"data/customers.csv\", \"modified\", \"source\"), (\"data/features.csv\", \"modified\", \"made\"), (\"models/churn.pkl\", \"modified\", \"made\")]" &&
	json ../out "j[\"data\"][0][\"table\"][\"columns\"] == [{\"change\": \"added\", \"old\": None, \"new\": \"region\"}] and j[\"data\"][0][\"table\"][\"added\"] == 20 and j[\"data\"][0][\"table\"][\"changed\"] == 0" &&
	json ../out "j[\"data\"][0][\"old\"][\"rows\"] == 100 and j[\"data\"][0][\"new\"][\"columns\"] == 4 and j[\"params\"] == {} and j[\"stages\"] == [] and j[\"environment\"] == {} and j[\"unknown\"] == []" &&
	json ../out "j[\"code\"][\"commits_total\"] == 1 and j[\"code\"][\"commits\"][0][\"subject\"] == \"fresh data\" and j[\"code\"][\"files\"] == [] and set(j[\"metrics\"][\"metrics.json\"][\"acc\"]) == {\"old\", \"new\", \"diff\"}"
'

test_expect_success 'of a file: only what led to it' '
	git dvx trace --diff v1 v2 models/churn.pkl >../out && cause 1 "data/customers.csv: column added: region" && git dvx trace --diff --json v1:models/churn.pkl v2:models/churn.pkl >../out && json ../out "j[\"old\"][\"file\"][\"sha256\"] != j[\"new\"][\"file\"][\"sha256\"]"
'

test_expect_success 'of data that no stage made: the file itself, the files of a directory' '
	for path in data/customers.csv data; do git dvx trace --diff v1 v2 $path >../out && cause 1 "data/customers.csv: column added: region" && section data >../data && grep "20 rows added (of 100 -> 120)" ../data && ! grep "no difference in data" ../out || return 1; done &&
	git dvx trace --json data >../out && json ../out "\"data/customers.csv\" in [f[\"path\"] for f in j[\"data\"]]"
'

test_expect_success 'parameters, a command, code, and other files' '
	sed -i "s/lr: 0.1/lr: 0.25/" params.yaml && sed -i "s/cmd: sh code.train/cmd: sh -e code\/train/" dvx.yaml && echo "# a remark" >>code/prepare.sh && echo hello >README && git mv code/evaluate.sh code/judge.sh && sed -i s/evaluate.sh/judge.sh/ dvx.yaml && retrain "many things" && git tag v3 &&
	git dvx trace --diff v2 v3 >../out && cause 1 "params.yaml: train.lr 0.1 -> 0.25" && section params >../s && grep "^    params.yaml  train.lr  0.1 -> 0.25  (+0.15)$" ../s && section commands >../s && grep -A 2 "^    train  modified$" ../s >../t && grep "^        - sh code/train.sh$" ../t && grep "^        + sh -e code/train.sh$" ../t &&
	section code >../s && grep "^    code/prepare.sh  modified, run by prepare$" ../s && grep "^    README  added$" ../s && grep "^    dvx.yaml  modified$" ../s && ! grep dvx.lock ../out && grep "^    code/judge.sh  added, run by evaluate$" ../s &&
	git dvx trace --diff --json v2 v3 >../out && json ../out "[c[\"kind\"] for c in j[\"causes\"]][:2] == [\"params\", \"command\"] and j[\"code\"][\"files_total\"] == 4" &&
	json ../out "{\"path\": \"code/judge.sh\", \"status\": \"renamed\", \"old_path\": \"code/evaluate.sh\"} in j[\"code\"][\"files\"]"
'

test_expect_success 'rows that changed, and a declared key; the other direction' '
	echo "data/*.csv dvx-key=name" >>.gitattributes && sed -i "s/^7,name7,city0/7,name7,Rome/; /^9,/d" data/customers.csv && retrain "corrected" && git dvx trace --diff v3 HEAD >../out && cause 1 "data/customers.csv: 1 row removed, 1 changed" &&
	git dvx trace --diff --json HEAD v3 >../out && json ../out "j[\"data\"][0][\"table\"][\"added\"] == 1 and j[\"data\"][0][\"table\"][\"key\"] == [\"name\"] and j[\"data\"][0][\"table\"][\"changed_cells\"] == {\"city\": 1}" && json ../out "j[\"code\"][\"commits_total\"] == 0 and j[\"code\"][\"commits_only_old_total\"] == 1"
'

test_expect_success 'a column that slips in on the way: the stage that made it' '
	git tag v4 && echo "awk -F, '\''{ print \$0 \",\" (NR == 1 ? \"leak\" : NR) }'\'' data/customers.csv >data/features.csv" >code/prepare.sh && retrain "prepare does more" && git dvx trace --diff v4 HEAD >../out && cause 1 "data/features.csv: column added: leak" && cause 2 "code/prepare.sh: modified (stage '\''prepare'\'')" && section data >../s && grep "^    data/features.csv  modified: .*  <- prepare$" ../s
'

test_expect_success 'a renamed data file did not change' '
	git tag v5 && git mv data/customers.csv data/clients.csv && sed -i s/customers.csv/clients.csv/ dvx.yaml code/prepare.sh && retrain "another name" && git dvx trace --diff v5 HEAD >../out && section data >../s && grep "^    data/clients.csv  renamed from data/customers.csv: " ../s && ! grep "data/customers.csv  deleted" ../out
'

test_expect_success 'another environment' '
	git tag v6 && sed -i "s/^\( *os: \).*/\1Plan 9/" dvx.lock && git commit -q -a -m "elsewhere" && git dvx trace --diff v6 HEAD >../out && section environment >../s && grep "^    train  os  .* -> Plan 9$" ../s && cause 1 "evaluate: os $(sed -n "s/^PRETTY_NAME=\"\(.*\)\"/\1/p" /etc/os-release) -> Plan 9"
'

test_expect_success 'two branches: commits of either side' '
	git checkout -q -b other v2 && echo 1 >only-here && git add . && git commit -q -m "on the other side" && git dvx trace --diff v3 other >../out && section commits >../s && grep "on the other side$" ../s && grep "many things  (not in the new one)$" ../s && git checkout -q main
'

test_expect_success 'rows cannot be compared where data is not here: said, with the way to get it' '
	cp -r ../repo ../poor && cd ../poor && rm -rf .git/dvx/packs .git/lfs && git dvx trace --diff --json v1 v2 >../out && json ../out "\"table\" not in j[\"data\"][0] and j[\"data\"][0][\"status\"] == \"modified\"" &&
	json ../out "any(u[\"what\"] == \"data/customers.csv\" and \"git dvx diff --rows\" in u[\"reason\"] and \"not here\" in u[\"reason\"] for u in j[\"unknown\"])" &&
	rm .git/dvx/rows && printf "id,name\n1,z\n" >data/customers.csv && git add data && git commit -q -m "the only one here" && git dvx trace --diff --json v1 HEAD data/customers.csv >../out && json ../out "j[\"data\"][0][\"old\"][\"rows\"] is None and j[\"data\"][0][\"new\"][\"rows\"] > 0" &&
	git dvx trace --diff v1 HEAD data/customers.csv >../out && grep "^    data/customers.csv  modified: " ../out && ! grep "data/customers.csv  modified.*rows" ../out && cd ../repo
'

test_expect_success 'of very many tables the first are compared: how many were not is said' '
	dvx_repo ../many && cd ../many && git dvx track "*.csv" >/dev/null && for i in $(seq 103); do printf "id\n%s\n" "$i" >"$i.csv" || return 1; done && git add . && git commit -q -m old && git tag old && for i in $(seq 103); do echo 200 >>"$i.csv" || return 1; done && git add . && git commit -q -m new &&
	git dvx trace --diff --json old >../out && json ../out "j[\"tables_not_compared\"] == 3 and sum(\"table\" in f for f in j[\"data\"]) == 100 and len(j[\"data\"]) == 103 and [u[\"what\"] for u in j[\"unknown\"]] == [\"data\"]" && git dvx trace --diff old >../out && grep "^    data: which rows and columns changed in 3 more tables: the first 100 are compared; .git dvx diff --rows .*. compares all$" ../out &&
	git dvx trace --diff --json HEAD >../out && json ../out "j[\"tables_not_compared\"] == 0 and j[\"unknown\"] == []" && cd ../repo
'

test_expect_success 'a file with too many keys to be a table is one that cannot be known; the others are told' '
	dvx_repo ../keys && cd ../keys && git dvx track "*.jsonl" >/dev/null && { printf "{\"k\":0" && seq -f ",\"k%.0f\":0" 100000 && echo "}"; } | tr -d "\n" >k.jsonl && echo "{\"a\":1}" >s.jsonl && git add . && git commit -q -m old &&
	echo >>k.jsonl && echo "{\"a\":2}" >>s.jsonl && git commit -q -a -m new && git dvx trace --diff --json HEAD^ >../out && json ../out "j[\"unknown\"][0][\"what\"] == \"k.jsonl\" and \"more than 100000 different keys\" in j[\"unknown\"][0][\"reason\"] and j[\"data\"][1][\"table\"][\"added\"] == 1" && cd ../repo
'

test_expect_success 'Markdown for a pull request' '
	git dvx trace --diff --md v1 v2 >../out && grep "^## v1 -> v2$" ../out && grep "^- .data/customers.csv.: column added: region$" ../out && grep "^| metrics.json | acc | 0\.[0-9]* | 0\.[0-9]* | [-+]0\.[0-9]* |$" ../out && grep "^### Data$" ../out
'

test_expect_success 'against a commit in which stages never ran: what they made was added, not modified' '
	git dvx trace --diff v1~ v1 >../out && section data >../s && grep "^    data/features.csv  added: .*<- prepare$" ../s && grep "^    models/churn.pkl  added: " ../s && ! grep "modified" ../s && git dvx trace --diff v1 v1~ >../out && section data >../s && grep "^    data/features.csv  deleted: " ../s && git dvx trace --diff v1~ v1~ >../out && ! grep "^data$" ../out &&
	git dvx trace --diff --json v1~ v1 >../out && json ../out "all(f[\"status\"] == \"added\" and f[\"old\"] is None and f[\"new\"][\"sha256\"] for f in j[\"data\"]) and len(j[\"data\"]) == 2"
'

test_expect_success 'nothing differs' '
	git dvx trace --diff v1 v1 >../out && grep "^no difference in data, params, commands, environment, metrics, code$" ../out && ! grep "most likely" ../out
'

test_done
