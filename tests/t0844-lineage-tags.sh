#!/bin/sh
test_description='models and lineage where tags were moved, deleted or made by hand, and clocks went backwards'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

release() { # N DAY
	on "$2" && customers "$1" >data/customers.csv && retrain "train $1" && git dvx model register churn models/churn.pkl --version "$1.0.0" && git dvx model promote churn "$1.0.0" production
}
id_at() { git show "$1:models/churn.pkl" | sed -n "s/^oid sha256://p"; }
said() { cat ../out ../err >../both && grep "$1" ../both; }

test_expect_success 'setup: three releases; all caches are filled' '
	churn_project repo && release 1 2023-01-01 && release 2 2023-02-01 && release 3 2023-03-01 && one=$(id_at churn@v1.0.0) && two=$(id_at churn@v2.0.0) && three=$(id_at churn@v3.0.0) &&
	git dvx whence $one >../out && git dvx model at production >../out && grep "v3.0.0" ../out && git dvx trace churn@v1.0.0 >../out
'

test_expect_success 'a tag that was moved: the answers follow it, and say that it was' '
	git cat-file tag churn@v2.0.0 >../tag && git update-ref refs/tags/churn@v2.0.0 "$(sed "s/^object .*/object $(git rev-parse churn@v1.0.0^{commit})/" ../tag | git mktag)" &&
	git dvx trace churn@v2.0.0 >../out 2>../err && said "train 1" && git dvx whence --json $two >../out && json ../out "j[\"objects\"][0][\"places\"][0][\"models\"] == [] and \"churn@v2.0.0\" not in j[\"objects\"][0][\"places\"][0][\"tags\"]" &&
	git dvx whence --json $one >../out && json ../out "\"churn@v2.0.0\" in j[\"objects\"][0][\"places\"][0][\"tags\"]" && git dvx model history churn >../out 2>../err && said "was made for commit" &&
	git update-ref refs/tags/churn@v2.0.0 "$(git mktag <../tag)" && git dvx trace churn@v2.0.0 >../out && grep "train 2" ../out && git dvx whence $two >../out && grep "is model: churn@v2.0.0" ../out
'

test_expect_success 'a tag that was deleted: it is in no answer any more' '
	was=$(git rev-parse "refs/tags/churn#production#3") && git tag -d "churn#production#3" && git dvx model at production >../out && grep "churn v2.0.0" ../out && git dvx whence --json $three >../out && json ../out "j[\"objects\"][0][\"places\"][0][\"tags\"] == [\"churn@v3.0.0\"]" &&
	git update-ref "refs/tags/churn#production#3" $was && git dvx model at production >../out && grep "churn v3.0.0" ../out && at=$(git rev-parse refs/tags/churn@v3.0.0) && git tag -d churn@v3.0.0 && test_expect_code 128 git dvx trace churn@v3.0.0 2>../err && grep "v2.0.0" ../err && git update-ref refs/tags/churn@v3.0.0 $at
'

test_expect_success 'a lightweight tag as a version: it is found, and it is said what it does not tell' '
	git tag churn@v4.0.0 HEAD && git dvx trace --json churn@v4.0.0 >../out && json ../out "j[\"commit\"][\"id\"] == \"$(git rev-parse HEAD)\" and any(\"lightweight\" in u[\"reason\"] for u in j[\"unknown\"])" &&
	git dvx whence --json $three >../out && json ../out "\"churn@v4.0.0\" in [m[\"tag\"] for m in j[\"objects\"][0][\"places\"][0][\"models\"]]" && git tag -d churn@v4.0.0
'

test_expect_success 'a lightweight tag as an assignment: it counts for nothing, and that is said' '
	git tag "churn#production#9" churn@v1.0.0^{commit} && git dvx model at production >../out 2>../err && said "v3.0.0" && said "lightweight" && git tag -d "churn#production#9"
'

test_expect_success 'a tag of a file or of a directory: no model, and nothing breaks' '
	git tag -a -m "a blob" churn@v5.0.0 HEAD:models/churn.pkl && git tag -a -m "a tree" tree HEAD^{tree} && git dvx whence $three >../out && git dvx model list >../out 2>../err && ! grep "v5.0.0" ../out && git dvx trace HEAD >../out && git tag -d churn@v5.0.0 tree
'

test_expect_success 'a tag of a tag: it is the commit in the end' '
	git tag -a -m "nested" nested churn@v1.0.0 && git dvx whence --json $one >../out && json ../out "\"nested\" in j[\"objects\"][0][\"places\"][0][\"tags\"]" && git dvx trace --json nested >../out && json ../out "j[\"commit\"][\"subject\"] == \"train 1\" and \"nested\" in j[\"tags\"]" && git tag -d nested
'

test_expect_success 'the clock of a tagger went backwards: the doubt is told' '
	GIT_COMMITTER_DATE=2022-06-01T10:00:00Z git dvx model promote churn 1.0.0 production && git dvx model at production >../out 2>../err && said "churn v" && said "clock\|counter\|before" && git dvx model at production --date 2022-07-01 >../out 2>../err && said "v1.0.0"
'

test_expect_success 'the clock of a committer went backwards: history is what its parents say' '
	on 2001-01-01 && customers 7 >data/customers.csv && retrain "from the past" && git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"changed\"][\"subject\"] == \"from the past\"" &&
	git dvx whence models/churn.pkl >../out && grep "in HEAD" ../out && grep "2001-01-01" ../out && git dvx trace --diff --json churn@v3.0.0 HEAD >../out && json ../out "[c[\"subject\"] for c in j[\"code\"][\"commits\"]] == [\"from the past\"] and j[\"code\"][\"commits_only_old\"] == []" &&
	test "$(git dvx trace --json data/customers.csv | python3 -c "import json, sys; print(json.load(sys.stdin)[\"file\"][\"changed\"][\"id\"])")" = "$(git log -1 --format=%H -- data/customers.csv)"
'

test_expect_success 'history that was rewritten: what is left is told' '
	git reset -q --hard churn@v3.0.0 && git tag -d "churn#production#3" churn@v3.0.0 >/dev/null && git reset -q --hard churn@v2.0.0 && test_expect_code 1 git dvx whence $three 2>../err && git dvx trace models/churn.pkl >../out && grep "train 2" ../out
'

test_done
