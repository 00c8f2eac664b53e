#!/bin/sh
# shellcheck disable=SC2034
test_description='random stages, random changes: repro runs exactly what a model says (LARGE=1: 200 stages, 1,000 rounds)'
. "$(dirname "$0")/lib.sh"

stages=${LARGE:+200}
rounds=${LARGE:+1000}
: "${stages:=40}" "${rounds:=20}"

# model SEED OPTION...: the figures stand in the log (-v).
model() {
	dvx_repo "repo$1" && mkdir "work$1" && mv "repo$1" "work$1/p" &&
		python3 "$dvx_top/tests/tools/repromodel.py" "work$1/p" --stages $stages --rounds $rounds --seed "$@"
}

test_expect_success 'one stage at a time' 'model 1'
test_expect_success 'four at once' 'model 2 --jobs 4'
test_expect_success 'killed in the middle, then run again' 'model 3 --kill'
test_expect_success 'killed in the middle with four at once' 'model 4 --kill --jobs 4'

test_done
