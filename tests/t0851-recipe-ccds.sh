#!/bin/sh
test_description='docs/recipes/ccds.md, typed as it stands there'
. "$(dirname "$0")/lib.sh"

test_expect_success 'installed once per user' 'git dvx install'

test_expect_success 'every command prints what the page shows' '
	python3 "$dvx_top/tests/tools/console.py" "$dvx_top/docs/recipes/ccds.md"
'

test_expect_success 'secrets are in no commit, and the partner has the data' '
	! git -C churn log --all --format= --name-only | grep "\.env" && cmp churn/data/raw/2023-11.csv partner/data/raw/2023-11.csv &&
	cmp churn/data/processed/customers.csv partner/data/processed/customers.csv
'

test_done
