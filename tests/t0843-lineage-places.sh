#!/bin/sh
test_description='models and lineage wherever a repository may be: detached, unborn, bare, linked worktrees, SHA-256, grafts and replaced commits'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

release() { # N DAY
	on "$2" && customers "$1" >data/customers.csv && retrain "train $1" && git dvx model register churn models/churn.pkl --version "$1.0.0" && git dvx model promote churn "$1.0.0" production
}
id_at() { git show "$1:models/churn.pkl" | sed -n "s/^oid sha256://p"; }

test_expect_success 'an unborn branch: nothing is there, and that is said' '
	dvx_repo unborn && cd unborn && test_expect_code 128 git dvx trace 2>../err && grep "no commit yet" ../err && test_expect_code 1 git dvx model at production >../out 2>../err && git dvx model list >../out &&
	test_expect_code 1 git dvx whence 0123456789 2>../err && grep "looked at 0 commits that 0 refs" ../err && git dvx diff >../out
'

test_expect_success 'an unborn branch beside others: their history counts' '
	cd .. && churn_project repo && release 1 2023-01-01 && release 2 2023-02-01 && one=$(id_at churn@v1.0.0) && two=$(id_at churn@v2.0.0) && git checkout -q --orphan empty && git dvx whence $one >../out && grep "is model: churn@v1.0.0" ../out && ! grep "in HEAD" ../out &&
	git dvx model at production >../out && grep "churn v2.0.0" ../out && git dvx trace churn@v1.0.0 >../out && git checkout -q -f main
'

test_expect_success 'a detached HEAD: what only it reaches is told' '
	git checkout -q --detach churn@v1.0.0 && git dvx trace >../out && grep "train 1" ../out && on 2023-03-01 && echo alone >data/alone.csv && git add -A && git commit -q -m "alone" && git dvx trace --json data/alone.csv >../out && json ../out "j[\"file\"][\"changed\"][\"subject\"] == \"alone\"" &&
	git dvx whence --json data/alone.csv >../out && json ../out "j[\"objects\"][0][\"places\"][0][\"refs\"] == [\"HEAD\"] and j[\"objects\"][0][\"places\"][0][\"at_head\"] and j[\"objects\"][0][\"places\"][0][\"branches\"] == []" &&
	alone=$(sha data/alone.csv) && git checkout -q main && test_expect_code 1 git dvx whence $alone 2>../err
'

test_expect_success 'a linked worktree: its HEAD counts everywhere, and its answers are its own' '
	git worktree add -q --detach ../linked churn@v1.0.0 && cd ../linked && echo linked >data/linked.csv && git add -A && git commit -q -m "in the linked one" && linked=$(sha data/linked.csv) &&
	git dvx trace >../out && grep "in the linked one" ../out && git dvx trace models/churn.pkl >../out && grep "sha256:$(echo $one | cut -c 1-12)" ../out && git dvx whence data/linked.csv >../out && grep "in HEAD" ../out &&
	cd ../repo && git dvx whence --json $linked >../out && json ../out "not j[\"objects\"][0][\"places\"][0][\"at_head\"]" && git dvx model at production >../out && (cd ../linked && git dvx model at production) >../out2 && test_cmp ../out ../out2 &&
	git worktree remove --force ../linked && test_expect_code 1 git dvx whence $linked 2>../err
'

test_expect_success 'a bare repository: everything but its work tree' '
	git clone -q --bare . ../bare.git && cd ../bare.git && git dvx trace HEAD >../out && grep "train 2" ../out && git dvx trace HEAD:models/churn.pkl >../out && grep "sha256:$(echo $two | cut -c 1-12)" ../out && git dvx trace churn@v1.0.0 >../out && grep "train 1" ../out &&
	git dvx model at production --date 2023-01-15 >../out && grep "churn v1.0.0" ../out && git dvx model list >../out && grep "v2.0.0" ../out && git dvx trace --diff churn@v1.0.0 churn@v2.0.0 >../out && grep "data/customers.csv" ../out &&
	git dvx whence $one >../out && grep "is model: churn@v1.0.0" ../out && git dvx whence models/churn.pkl >../out && grep "is model: churn@v2.0.0" ../out && git dvx whence HEAD~1:models/churn.pkl >../out && grep "$one" ../out && git dvx diff churn@v1.0.0 churn@v2.0.0 >../out && grep "models/churn.pkl" ../out
'

test_expect_success 'a SHA-256 repository: the same, with its own ids' '
	cd .. && GIT_DEFAULT_HASH=sha256 && export GIT_DEFAULT_HASH && churn_project new256 && unset GIT_DEFAULT_HASH && test "$(git rev-parse --show-object-format)" = sha256 && release 1 2023-01-01 && release 2 2023-02-01 &&
	git dvx trace --json churn@v1.0.0 >../out && json ../out "j[\"commit\"][\"id\"] == \"$(git rev-parse churn@v1.0.0^{commit})\"" && git dvx model at production --date 2023-01-15 >../out && grep "churn v1.0.0" ../out &&
	git dvx whence --json $one >../out && json ../out "j[\"objects\"][0][\"places\"][0][\"since\"][0][\"commit\"] == \"$(git rev-parse churn@v1.0.0^{commit})\"" && git dvx trace --diff churn@v1.0.0 churn@v2.0.0 >../out && grep "data/customers.csv" ../out
'

test_expect_success 'a replaced commit is not followed: what the tag names is what is told' '
	cd ../repo && git replace churn@v1.0.0^{commit} churn@v2.0.0^{commit} && git dvx trace --json churn@v1.0.0 >../out && json ../out "j[\"commit\"][\"subject\"] == \"train 1\"" && git dvx whence --json $one >../out && json ../out "[s[\"subject\"] for s in j[\"objects\"][0][\"places\"][0][\"since\"]] == [\"train 1\"]" && git replace -d $(git replace -l) >/dev/null
'

test_expect_success 'grafts bend history: the index is made anew when they come and go' '
	git dvx whence --json $one >../out && json ../out "j[\"searched\"][\"commits\"] == 4" && git rev-parse main >.git/info/grafts && git branch -f keep main && git tag -d $(git tag -l) >/dev/null && git dvx whence --json $two >../out && json ../out "j[\"searched\"][\"commits\"] == 1" &&
	test_expect_code 1 git dvx whence $one 2>../err && rm .git/info/grafts && git dvx whence $one >../out && grep "train 1" ../out
'

test_done
