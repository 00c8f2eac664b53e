#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx model: versions, stages, what ran when'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

test_expect_success 'register: an annotated tag with the file, its hash and size' '
	model_project repo && at "2023-12-01T09:00:00+01:00" git dvx model register churn_model models/churn.pkl --version 1.0.0 >out &&
	grep "^Created git tag .churn_model@v1.0.0. that registers version .v1.0.0.$" out && grep "model: models/churn.pkl sha256:[0-9a-f]\{12\}$" out && ! grep "git push" out &&
	test "$(git cat-file -t churn_model@v1.0.0)" = tag && test "$(git rev-parse "churn_model@v1.0.0^{commit}")" = "$(git rev-parse HEAD)" &&
	git cat-file tag churn_model@v1.0.0 | sed "1,/^$/d" >text &&
	printf "Registering artifact churn_model version v1.0.0\n\npath: models/churn.pkl\nsha256: %s\nsize: 102400\ncommit: %s\n" "$(sha256sum <models/churn.pkl | cut -c1-64)" "$(git rev-parse HEAD)" >expect && test_cmp expect text
'

test_expect_success 'promote: a tag with a counter, at the commit of the version' '
	next_model two "2023-12-10T08:00:00Z" && at "2023-12-02T08:00:00Z" git dvx model promote churn_model 1.0.0 production >out && grep "^Created git tag .churn_model#production#1. that assigns stage to version .v1.0.0.$" out &&
	test "$(git rev-parse "churn_model#production#1^{commit}")" = "$(git rev-parse HEAD^)" && git cat-file tag "churn_model#production#1" | grep "^Assigning stage production to artifact churn_model version v1.0.0$"
'

test_expect_success 'a second version, by --bump, with a message, of a revision; counters over all stages' '
	at "2023-12-11T08:00:00Z" git dvx model register churn_model models/churn.pkl --bump major --rev main -m "retrained
with more rows" && git cat-file tag churn_model@v2.0.0 | grep "^with more rows$" &&
	at "2023-12-12T08:00:00Z" git dvx model promote churn_model v2.0.0 staging && at "2023-12-20T08:00:00Z" git dvx model promote churn_model 2.0.0 production && git tag >tags &&
	printf "%s\n" churn_model#production#1 churn_model#production#3 churn_model#staging#2 churn_model@v1.0.0 churn_model@v2.0.0 >expect && test_cmp expect tags
'

test_expect_success 'what was running in production on date X' '
	git dvx model at production --date 2023-12-15 >out 2>err && grep "^churn_model v1.0.0 (since 2023-12-02 by C O Mitter; code $(git rev-parse HEAD^ | cut -c1-7), model models/churn.pkl sha256:$(git cat-file tag churn_model@v1.0.0 | sed -n "s/^sha256: \(.\{12\}\).*/\1/p"))$" out && test_must_be_empty err &&
	grep "^    data data/customers.csv: 15 B, 1 row, 2 columns, sha256:$(sha256sum <data/customers.csv | cut -c1-12)$" out &&
	stage_holds production v2.0.0 && stage_holds production v2.0.0 2023-12-20 && stage_holds production v1.0.0 2023-12-19 && git dvx model at production --date 2023-12-15 churn_model >out2 && test_cmp out out2
'

test_expect_success 'before the first: exit 1, and what the first was' '
	test_expect_code 1 git dvx model at production --date 2023-12-01 >out 2>err && test_must_be_empty out && grep "nothing was in .production. at the end of 2023-12-01; the first was churn_model v1.0.0, since 2023-12-02$" err &&
	test_expect_code 1 git dvx model at nosuch 2>err && grep "nothing is in .nosuch., nor ever" err && test_expect_code 128 git dvx model at production nosuch 2>err && grep "^error: no model .nosuch." err
'

test_expect_success 'list, show, history' '
	git dvx model list >out && printf "%s\n" "Model        Latest  production  staging  Registered  By" "churn_model  v2.0.0  v2.0.0      v2.0.0   2023-12-11  C O Mitter" >expect && test_cmp expect out &&
	git dvx model show churn_model >out && sed -n 2p out | grep "^v2.0.0 *production, staging *2023-12-11 *C O Mitter *$(git rev-parse HEAD | cut -c1-10) *models/churn.pkl$" && sed -n 3p out | grep "^v1.0.0  *-  *2023-12-01" &&
	git dvx model history >out && cut -c1-16 out >times && printf "%s\n" Time "2023-12-20 08:00" "2023-12-12 08:00" "2023-12-11 08:00" "2023-12-02 08:00" "2023-12-01 08:00" >expect && sed "s/ *$//" times >trimmed && test_cmp expect trimmed &&
	sed -n 2p out | grep "churn_model *assignment *v2.0.0 *production *$(git rev-parse HEAD | cut -c1-10) *C O Mitter$" && git dvx model history churn_model >out2 && sed "s/  churn_model//; s/  Model      //" out >expect && test_cmp expect out2 && ! grep ".\{81\}" out2
'

test_expect_success 'show of a version: by number, the latest, what a stage holds, a tag' '
	git dvx model show churn_model@v2.0.0 >v2 && grep "^stages *production, staging$" v2 && grep "^registered *C O Mitter <committer@example.com>, 2023-12-11 08:00:00 +0000$" v2 && grep "^path *models/churn.pkl (100.0 KiB)$" v2 && grep "^with more rows$" v2 &&
	for name in churn_model@2.0.0 churn_model@latest churn_model@greatest "churn_model#production" "churn_model#staging#2"; do git dvx model show "$name" >out && test_cmp v2 out || return 1; done &&
	git dvx model show "churn_model#production#1" | grep "^version *v1.0.0$" &&
	test_expect_code 128 git dvx model show churn_model@3.0.0 2>err && grep "no version .churn_model@3.0.0. is registered; it has v2.0.0, v1.0.0$" err &&
	test_expect_code 128 git dvx model show "churn_model#prod" 2>err && grep "no version of .churn_model. is in .prod.; it is in .production., .staging.$" err &&
	test_expect_code 128 git dvx model show churn_modle 2>err && grep "most similar one is .churn_model." err
'

test_expect_success 'JSON of all of them' '
	git dvx model list --json >j && json j "[(m[\"name\"], m[\"latest\"], m[\"deprecated\"], m[\"stages\"]) for m in j[\"models\"]] == [(\"churn_model\", \"v2.0.0\", False, {\"production\": \"v2.0.0\", \"staging\": \"v2.0.0\"})] and j[\"notes\"] == []" &&
	git dvx model history --json >j && json j "[(e[\"event\"], e[\"version\"], e.get(\"stage\"), e[\"time\"]) for e in j[\"events\"]][0] == (\"assignment\", \"v2.0.0\", \"production\", \"2023-12-20T08:00:00+00:00\") and j[\"events\"][-1][\"time\"] == \"2023-12-01T09:00:00+01:00\" and j[\"events\"][-1][\"size\"] == 102400" &&
	git dvx model show --json churn_model >j && json j "[(v[\"version\"], v[\"active\"], v[\"stages\"]) for v in j[\"versions\"]] == [(\"v2.0.0\", True, [\"production\", \"staging\"]), (\"v1.0.0\", True, [])]" &&
	git dvx model show --json churn_model@v1.0.0 >j && json j "j[\"path\"] == \"models/churn.pkl\" and len(j[\"sha256\"]) == 64 and j[\"by\"] == {\"name\": \"C O Mitter\", \"email\": \"committer@example.com\"} and len(j[\"commit\"]) == 40" &&
	git dvx model at production --date 2023-12-15 --json >j && json j "j[\"stage\"] == \"production\" and j[\"at\"] == \"2023-12-15T23:59:59+00:00\" and j[\"models\"][0][\"version\"] == \"v1.0.0\" and j[\"models\"][0][\"registration\"][\"path\"] == \"models/churn.pkl\" and j[\"models\"][0][\"file\"][\"size\"] == 102400 and j[\"next\"] is None" &&
	test_expect_code 1 git dvx model at production --date 2023-11-01 --json >j && json j "j[\"models\"] == [] and j[\"next\"][\"version\"] == \"v1.0.0\""
'

test_expect_success 'Markdown' '
	git dvx model list --md >out && sed -n 1p out | grep "^| Model .*| Latest |" && sed -n 3p out | grep "^| churn_model | v2.0.0 |" && git dvx model history --md | grep "^| 2023-12-20 08:00 | churn_model |" && git dvx model show --md churn_model | grep "^| v1.0.0 "
'

test_expect_success 'demote: the one before holds again; then none' '
	at "2023-12-22T08:00:00Z" git dvx model demote churn_model production >out && grep "that unassigns stage from version .v2.0.0.$" out && grep "^In .production. is v1.0.0 again, since 2023-12-02 08:00:00 +0000.$" out && git rev-parse -q --verify "refs/tags/churn_model#production!#4" &&
	stage_holds production v1.0.0 && stage_holds production v2.0.0 2023-12-21 &&
	at "2023-12-23T08:00:00Z" git dvx model demote churn_model production v1.0.0 >out && grep "^No version of .churn_model. is in .production. now.$" out && test_expect_code 1 git dvx model at production 2>err && grep "nothing is in .production.; the last that came in was churn_model v2.0.0, since 2023-12-20$" err &&
	test_expect_code 128 git dvx model demote churn_model production 2>err && grep "no version of .churn_model. is in .production." err && test_expect_code 128 git dvx model demote churn_model production 2.0.0 2>err && grep ".churn_model. v2.0.0 is not in .production." err
'

test_expect_success 'back: the older version is promoted again' '
	at "2023-12-24T08:00:00Z" git dvx model promote churn_model 2.0.0 production && at "2023-12-25T08:00:00Z" git dvx model promote churn_model 1.0.0 production && stage_holds production v1.0.0 &&
	git tag >before && test_expect_code 128 git dvx model promote churn_model 1.0.0 production 2>err && grep "v1.0.0 is in .production. already (by C O Mitter on 2023-12-25)" err && git tag >after && test_cmp before after
'

test_expect_success 'deprecate a version: it is in no stage any more, and may come back' '
	at "2023-12-26T08:00:00Z" git dvx model deprecate churn_model 1.0.0 >out && grep "Created git tag .churn_model@v1.0.0!. that deregisters" out && stage_holds production v2.0.0 && stage_holds production v1.0.0 2023-12-25 &&
	test_expect_code 128 git dvx model promote churn_model 1.0.0 staging 2>err && grep "no version .churn_model@v1.0.0. is registered; it has v2.0.0$" err && git dvx model show churn_model | grep "^v1.0.0  *(deregistered)" &&
	at "2023-12-27T08:00:00Z" git dvx model register churn_model models/churn.pkl --version 1.0.0 --rev HEAD~1 >out && grep "tag .churn_model@v1.0.0#8." out && stage_holds production v1.0.0
'

test_expect_success 'deprecate a model, until something happens to it' '
	at "2023-12-28T08:00:00Z" git dvx model deprecate churn_model >out && grep "Created git tag .churn_model@deprecated. that deprecates the model" out && git dvx model list | grep "^churn_model (deprecated)" && git dvx model show churn_model | grep "^churn_model is deprecated, by C O Mitter on 2023-12-28$" &&
	test_expect_code 128 git dvx model deprecate churn_model 2>err && grep "is deprecated already" err && at "2023-12-29T08:00:00Z" git dvx model promote churn_model 2.0.0 staging2 && ! git dvx model list | grep deprecated &&
	at "2023-12-30T08:00:00Z" git dvx model deprecate churn_model >out && grep "churn_model@deprecated#10" out
'

test_expect_success 'registered and deprecated in one second' '
	at "2024-01-02T08:00:00Z" git dvx model register brief models/churn.pkl --version 1.0.0 && at "2024-01-02T08:00:00Z" git dvx model deprecate brief && git dvx model list --json >j && json j "[m[\"deprecated\"] for m in j[\"models\"] if m[\"name\"] == \"brief\"] == [True]"
'

test_expect_success 'wrong usage' '
	test_expect_code 129 git dvx model && test_expect_code 129 git dvx model nosuch && test_expect_code 129 git dvx model promote churn_model 1.0.0 && test_expect_code 129 git dvx model register && test_expect_code 129 git dvx model register a --version 1.0.0 --bump major &&
	test_expect_code 129 git dvx model register a --bump more && test_expect_code 128 git dvx model register a --version 1.0 2>err && grep "is no semantic version" err && git dvx model -h | grep "git dvx model at" &&
	test_expect_code 129 git dvx model list --date 2023-01-01 2>err && grep "^error: .model list. has no option .--date." err && test_expect_code 129 git dvx model promote --version 1.0.0 churn_model 2.0.0 production && test_expect_code 129 git dvx model show --push churn_model && test_expect_code 129 git dvx model at --md production && test_expect_code 129 git dvx model list --json --md &&
	test_expect_code 128 git dvx model at churn_model production 2>err && grep "behind the stage" err && test_expect_code 128 git dvx model at production 2023-12-15 2>err && grep "behind .--date." err
'

test_done
