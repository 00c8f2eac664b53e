# shellcheck shell=sh
# For the tests of the registry of models (t0820-t0826).

# at DATE COMMAND...: run with the tagger's and committer's time (in UTC, unless DATE says otherwise)
at() {
	at_date=$1
	shift
	GIT_COMMITTER_DATE=$at_date "$@"
}

# model_project DIR: a repository with a model of 100 KB and a table, committed once on 2023-12-01; we are inside then
model_project() {
	dvx_repo "$1" >/dev/null && cd "$1" && git dvx track "*.pkl" "*.csv" >/dev/null && mkdir -p models data && random_file models/churn.pkl 100K one &&
		printf 'id,city\n1,Rome\n' >data/customers.csv && git add . && at "2023-12-01T08:00:00Z" git commit -q -m "churn, first"
}

# next_model SEED DATE: another model is committed
next_model() {
	random_file models/churn.pkl 100K "$1" && git add . && at "$2" git commit -q -m "churn, $1"
}

# gto_tag NAME DATE [REV]: the tag that GTO makes, as plain Git makes it
gto_tag() {
	at "$2" git tag -a -m "by gto" "$1" "${3:-HEAD}"
}

# stage_holds STAGE VERSION [DATE]
stage_holds() {
	git dvx model at "$1" ${3:+--date "$3"} >"$TRASH/held" 2>"$TRASH/held.err" || { cat "$TRASH/held.err"; return 1; }
	grep -q "^[^ ]* $2 (since " "$TRASH/held" || { cat "$TRASH/held"; return 1; }
}
