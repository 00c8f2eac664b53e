#!/bin/sh
# shellcheck disable=SC2034
test_description='docs/recipes/gate.sh: promote a version, or say why not'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/recipe-lib.sh"

gate() {
	sh "$dvx_top/docs/recipes/gate.sh" churn_model production accuracy >"$TRASH/out" 2>"$TRASH/err"
}
in_production() {
	git dvx model show --json "churn_model#production" | jq -r .version
}

test_expect_success 'setup' '
	churn_project "$TRASH/churn"
'

test_expect_success 'a better number, but a new column: no' '
	git for-each-ref refs/tags >"$TRASH/before" && test_expect_code 1 gate && grep "no: the data have columns.*data/raw/customers.csv: retention_offer" "$TRASH/err" &&
	git for-each-ref refs/tags >"$TRASH/now" && test_cmp "$TRASH/before" "$TRASH/now"
'

test_expect_success 'a worse number: no' '
	python3 code/crm_export.py data/raw/customers.csv 500 && echo "{\"epochs\": 0, \"learning_rate\": 0.1}" >params.json && churn_version "untrained" 2.1.0 &&
	test_expect_code 1 gate && grep "no: accuracy is" "$TRASH/err" && test "$(in_production)" = v1.0.0
'

test_expect_success 'as good, with the columns of before: promoted, and pushed' '
	echo "{\"epochs\": 30, \"learning_rate\": 0.1}" >params.json && churn_version "more customers" 2.2.0 && git push -q && git push -q --tags && gate && test "$(in_production)" = v2.2.0 &&
	git ls-remote --tags origin >"$TRASH/refs" && grep "churn_model#production#2" "$TRASH/refs"
'

test_expect_success 'again: it is there already' '
	! gate && grep "production" "$TRASH/err" && test "$(in_production)" = v2.2.0
'

test_expect_success 'the first version ever is let in' '
	sh "$dvx_top/docs/recipes/gate.sh" churn_model staging accuracy >"$TRASH/out" && git dvx model show --json "churn_model#staging" >"$TRASH/out" && grep v2.2.0 "$TRASH/out"
'

test_done
