#!/bin/sh
# shellcheck disable=SC2034
test_description='docs/recipes/mlflow.md: code and data versions in MLflow, by its REST API'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/recipe-lib.sh"
. "$dvx_top/tests/repro-lib.sh"

logged() { # logged EXPRESSION: of `j`, all requests, in Python
	jq -s . "$TRASH/log" >"$TRASH/requests" && json "$TRASH/requests" "$1"
}

test_expect_success 'setup: the project, and a server' '
	churn_project "$TRASH/churn" && { python3 "$dvx_top/tests/tools/mlflow_stub.py" "$TRASH/port" "$TRASH/log" & server=$!; } && wait_for test -e "$TRASH/port" &&
	MLFLOW_TRACKING_URI=http://127.0.0.1:$(cat "$TRASH/port") MLFLOW_EXPERIMENT_NAME=churn && export MLFLOW_TRACKING_URI MLFLOW_EXPERIMENT_NAME
'

test_expect_success 'a version of a model becomes a run, and its id is printed' '
	MLFLOW_TRACKING_TOKEN=secret python3 "$dvx_top/docs/recipes/mlflow_lineage.py" churn_model@v1.0.0 >"$TRASH/out" && grep -x "[0-9a-f]*" "$TRASH/out" &&
	logged "[r[\"call\"] for r in j][:3] == [\"experiments/get-by-name\", \"experiments/create\", \"runs/create\"] and j[-1][\"body\"][\"status\"] == \"FINISHED\"" &&
	logged "all(r[\"authorization\"] == \"Bearer secret\" for r in j)"
'

test_expect_success 'it says commit, data, parameters and metrics' '
	commit=$(git rev-parse "churn_model@v1.0.0^{commit}") && hash=$(git show churn_model@v1.0.0:data/raw/customers.csv | sed -n "s/^oid //p") && acc=$(git show churn_model@v1.0.0:metrics.json | jq .accuracy) &&
	tags="{t[\"key\"]: t[\"value\"] for r in j for t in r[\"body\"].get(\"tags\", [])}" &&
	logged "$tags[\"mlflow.source.git.commit\"] == \"$commit\" and $tags[\"data/data/raw/customers.csv\"] == \"$hash\" and $tags[\"model.version\"] == \"churn_model@v1.0.0\"" &&
	logged "{m[\"key\"]: m[\"value\"] for r in j for m in r[\"body\"].get(\"metrics\", [])} == {\"accuracy\": $acc}" &&
	logged "{p[\"key\"]: p[\"value\"] for r in j for p in r[\"body\"].get(\"params\", [])} == {\"epochs\": \"10\", \"learning_rate\": \"0.1\"}"
'

test_expect_success 'without a target: HEAD; the experiment is there by now' '
	rm "$TRASH/log" && python3 "$dvx_top/docs/recipes/mlflow_lineage.py" >"$TRASH/out" && logged "[r[\"call\"] for r in j][:2] == [\"experiments/get-by-name\", \"runs/create\"]" &&
	logged "any(t[\"value\"] == \"$(git rev-parse HEAD)\" for r in j for t in r[\"body\"].get(\"tags\", []))"
'

test_expect_success 'the three lines of the page, with the tags that they set' '
	sed -n "/^\`\`\`python/,/^\`\`\`/p" "$dvx_top/docs/recipes/mlflow.md" | sed "/^\`\`\`/d" >lines.py && test "$(wc -l <lines.py)" = 3 &&
	{ echo "class mlflow: set_tags = staticmethod(lambda tags: print(json.dumps(tags)))" && cat lines.py; } >run.py && python3 run.py >"$TRASH/out" &&
	json "$TRASH/out" "j[\"mlflow.source.git.commit\"] == \"$(git rev-parse HEAD)\" and j[\"data/data/raw/customers.csv\"] == \"$(git dvx hash data/raw/customers.csv | cut -d" " -f1)\""
'

test_expect_success 'a server that refuses is an error, and so is no such version' '
	! MLFLOW_TRACKING_URI=$MLFLOW_TRACKING_URI/nowhere python3 "$dvx_top/docs/recipes/mlflow_lineage.py" 2>"$TRASH/err" && grep "HTTP Error 404" "$TRASH/err" &&
	! python3 "$dvx_top/docs/recipes/mlflow_lineage.py" churn_model@v9.0.0 2>"$TRASH/err" && grep "v9.0.0" "$TRASH/err"
'

kill "$server"
test_done
