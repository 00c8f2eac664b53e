#!/bin/sh
# shellcheck disable=SC2034
test_description='the registry and GTO: its tags are read, ours are as it makes them'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

# What is expected here is what `gto show` and `gto history` of GTO 1.10 print for these tags.

test_expect_success 'a registry that GTO made' '
	git init -q repo && cd repo && for i in 1 2 3 4; do echo $i >f && git add f && at "2024-01-0${i}T00:00:00Z" git commit -q -m $i || return 1; done &&
	gto_tag churn@v3.0.0 "2024-01-05T00:00:00Z" HEAD~3 && gto_tag churn@v3.1.0 "2024-01-06T00:00:00Z" HEAD~2 && gto_tag "churn#dev#1" "2024-01-07T00:00:00Z" HEAD~3 && gto_tag "churn#prod#2" "2024-01-08T00:00:00Z" HEAD~3 &&
	gto_tag "churn#prod#3" "2024-01-09T00:00:00Z" HEAD~2 && gto_tag "nlp/segment@v0.4.1" "2024-01-09T00:00:00Z" HEAD~1 && gto_tag "nlp/segment#dev" "2024-01-10T00:00:00Z" HEAD~1 && gto_tag "models=rank@v1.0.0" "2024-01-10T00:00:00Z" HEAD &&
	gto_tag "models=rank#prod#1" "2024-01-11T00:00:00Z" HEAD && gto_tag "old@v0.0.1" "2024-01-11T00:00:00Z" HEAD && gto_tag "old@deprecated" "2024-01-12T00:00:00Z" HEAD && gto_tag v2024.1 "2024-01-12T00:00:00Z" HEAD && gto_tag release/1.0.0 "2024-01-12T00:00:00Z" HEAD &&
	git dvx model list --json >j && json j "{m[\"name\"]: (m[\"latest\"], m[\"stages\"], m[\"deprecated\"]) for m in j[\"models\"]} == {
		\"churn\": (\"v3.1.0\", {\"dev\": \"v3.0.0\", \"prod\": \"v3.1.0\"}, False), \"nlp/segment\": (\"v0.4.1\", {\"dev\": \"v0.4.1\"}, False),
		\"models:rank\": (\"v1.0.0\", {\"prod\": \"v1.0.0\"}, False), \"old\": (\"v0.0.1\", {}, True)} and j[\"notes\"] == []"
'

test_expect_success 'deregistered, unassigned, with and without counters' '
	gto_tag "churn#prod!#4" "2024-01-13T00:00:00Z" HEAD~2 && git dvx model show "churn#prod" | grep "^version *v3.0.0$" &&
	gto_tag "churn@v3.0.0!#5" "2024-01-14T00:00:00Z" HEAD~3 && test_expect_code 128 git dvx model show "churn#prod" && git dvx model show churn@latest | grep "^version *v3.1.0$" &&
	gto_tag "churn@v3.0.0#6" "2024-01-15T00:00:00Z" HEAD~3 && git dvx model show "churn#prod" | grep "^version *v3.0.0$" &&
	gto_tag "nlp/segment#dev!" "2024-01-16T00:00:00Z" HEAD~1 && test_expect_code 128 git dvx model show "nlp/segment#dev" && gto_tag "nlp/segment@deprecated#1" "2024-01-17T00:00:00Z" && git dvx model list | grep "^nlp/segment (deprecated)"
'

test_expect_success 'assigned before it was registered, and never registered' '
	gto_tag "late#prod#1" "2024-01-18T00:00:00Z" HEAD && git dvx model at prod late >out && grep "^late (no version) (since 2024-01-18 by C O Mitter; code $(git rev-parse HEAD | cut -c1-7))$" out && test_expect_code 128 git dvx model show "late#prod" 2>err && grep "is not registered" err &&
	git dvx model list --json >j && json j "[m[\"stages\"] for m in j[\"models\"] if m[\"name\"] == \"late\"] == [{\"prod\": None}]" &&
	gto_tag late@v1.0.0 "2024-01-19T00:00:00Z" HEAD && git dvx model at prod --date 2024-01-18 late | grep "^late v1.0.0 (since 2024-01-18"
'

test_expect_success 'a model of a subproject is written with a colon' '
	git dvx model show models:rank@1.0.0 | grep "^tag *models=rank@v1.0.0$" && echo 5 >f && git commit -q -a -m 5 && git dvx model register models:rank >out && grep "git tag .models=rank@v1.0.1. " out && git dvx model promote models:rank 1.0.1 prod >out && grep "models=rank#prod#2" out
'

test_expect_success 'ours: names, counters, words as GTO has them' '
	git init -q ../ours && cd ../ours && echo 1 >f && git add f && git commit -q -m 1 && git dvx model register churn && git dvx model promote churn 0.0.1 prod && git dvx model promote churn 0.0.1 dev && git dvx model demote churn dev && git dvx model deprecate churn 0.0.1 && git dvx model deprecate churn &&
	git for-each-ref --format="%(refname:short) %(objecttype) %(contents:subject)" refs/tags >out && cat >expect <<-\END && test_cmp expect out
	churn#dev!#3 tag Unassigning stage dev from artifact churn version v0.0.1
	churn#dev#2 tag Assigning stage dev to artifact churn version v0.0.1
	churn#prod#1 tag Assigning stage prod to artifact churn version v0.0.1
	churn@deprecated tag Deprecating artifact churn
	churn@v0.0.1 tag Registering artifact churn version v0.0.1
	churn@v0.0.1! tag Deregistering artifact churn version v0.0.1
	END
'

test_expect_success 'the next version as GTO counts, and the first one' '
	git dvx model register first --bump major >out && grep "first@v1.0.0" out && git dvx model register second --bump minor >out && grep "second@v0.1.0" out && echo 2 >f && git commit -q -a -m 2 && git dvx model register first --bump minor >out && grep "first@v1.1.0" out &&
	git dvx model register churn >out && grep "churn@v0.0.2" out && echo 3 >f && git commit -q -a -m 3 && git dvx model register first --version 2.0.0-rc.1 && echo 4 >f && git commit -q -a -m 4 && git dvx model register first --bump minor >out && grep "tag .first@v2.0.0. that" out
'

test_expect_success 'one version at a commit, one commit for a version' '
	git tag >before && test_expect_code 128 git dvx model register first --version 3.0.0 2>err && grep "commit [0-9a-f]\{10\} is a version of .first. already, v2.0.0 (by C O Mitter on [-0-9]*); a commit has one version of a model" err &&
	echo 5 >f && git commit -q -a -m 5 && test_expect_code 128 git dvx model register first --version 2.0.0 2>err && grep "version .v2.0.0. of .first. is registered already, at $(git rev-parse HEAD^ | cut -c1-10)" err && test_expect_code 128 git dvx model register first --version v2.0.0 --force 2>err &&
	git tag >after && test_cmp before after && git dvx model deprecate first 2.0.0 && test_expect_code 128 git dvx model register first --version 2.0.0
'

test_done
