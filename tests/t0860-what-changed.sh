#!/bin/sh
test_description='docs/what-changed.md, typed as it stands there: the version in production on a day, and the cause of what went wrong'
. "$(dirname "$0")/lib.sh"

LECTURE=$dvx_top/docs/what-changed
export LECTURE
git config --global user.name 'Ann Example'
unset GIT_AUTHOR_NAME GIT_COMMITTER_NAME

test_expect_success 'installed once per user' 'git dvx install'

test_expect_success 'every command prints what the page shows' '
	python3 "$dvx_top/tests/tools/console.py" "$dvx_top/docs/what-changed.md"
'

test_expect_success 'the story holds: better in testing, worse on live customers' '
	cd churn && for v in 1.0.0 2.0.0; do git show churn_model@v$v:metrics.json | jq .accuracy >"$TRASH/tested.$v" &&
		git show churn_model@v$v:models/churn.json | git dvx smudge >"$TRASH/model" && python3 code/live.py "$TRASH/model" | sed "s/.* //" >"$TRASH/live.$v" || return 1; done &&
	jq -e -n "$(cat "$TRASH/tested.2.0.0") > $(cat "$TRASH/tested.1.0.0") and $(cat "$TRASH/live.2.0.0") < $(cat "$TRASH/live.1.0.0") - 0.1"
'

test_expect_success 'what was in production on each day, for programs' '
	version() { git dvx model at production --date "$1" --json >"$TRASH/out" && jq -r ".. | .version? // empty" "$TRASH/out" | head -n 1; } &&
	test "$(version 2023-12-17)" = v1.0.0 && test "$(version 2023-12-18)" = v2.0.0 && test "$(version 2023-12-21)" = v1.0.0 &&
	test_expect_code 1 git dvx model at production --date 2023-11-30
'

test_expect_success 'the cause, for programs: the column, in the raw data first' '
	git dvx trace --diff --json churn_model@v1.0.0 churn_model@v2.0.0 >"$TRASH/out" && grep -q retention_offer "$TRASH/out" &&
	json "$TRASH/out" "all(c[\"path\"].endswith(\".py\") is False for c in j[\"code\"][\"files\"])"
'

test_expect_success 'it stays so in a clone that has neither data nor remote' '
	git clone -q . ../clone && cd ../clone && git remote remove origin && rm -rf .git/lfs .git/dvx && git dvx model at production --date 2023-12-20 >"$TRASH/out" && grep "churn_model v2.0.0" "$TRASH/out" &&
	git dvx trace --diff churn_model@v1.0.0 churn_model@v2.0.0 >"$TRASH/out" && grep "data/raw/customers.csv" "$TRASH/out" && grep "epochs *30 -> 40" "$TRASH/out"
'

test_done
