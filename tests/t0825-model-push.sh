#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx model --push, and the registry between clones'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/model-lib.sh"

TZ=UTC
export TZ

test_expect_success 'setup: two clones, a Git remote and a blob remote' '
	git init -q --bare remote.git && model_project ann && git remote add origin ../remote.git && git dvx remote add -d storage "$TRASH/store" && git add .dvxconfig && git commit -q -m storage && git push -q -u origin main && git clone -q ../remote.git ../bob
'

test_expect_success 'the hint, when there is somewhere to push to' '
	git dvx model register hint models/churn.pkl >out && grep "^To push it: git push origin hint@v0.0.1$" out && git dvx model promote hint 0.0.1 prod >out && grep "^To push it: git push origin hint@v0.0.1 .hint#prod#1.$" out && test -z "$(git ls-remote --tags origin)"
'

test_expect_success '--push: this tag and no other, the data first' '
	next_model two "2024-01-02T00:00:00Z" && oid=$(sha256sum <models/churn.pkl | cut -c1-64) && git dvx model register churn models/churn.pkl --version 1.0.0 --push >out 2>err && git ls-remote --tags origin | sed "s/.*refs.tags.//; /}$/d" >tags && echo churn@v1.0.0 >expect && test_cmp expect tags &&
	rm -rf ../fresh && git clone -q ../remote.git ../fresh && (cd ../fresh && git checkout -q churn@v1.0.0 && test "$(sha256sum <models/churn.pkl | cut -c1-64)" = "$oid") && rm -rf ../fresh
'

test_expect_success 'promote and the others, too; JSON on stdout alone' '
	git dvx model promote churn 1.0.0 prod --push --json >j && json j "j[\"event\"] == \"assignment\" and j[\"pushed_to\"] == \"origin\" and j[\"tag\"] == \"churn#prod#1\"" && git dvx model register other --json >j && json j "j[\"pushed_to\"] is None and j[\"version\"] == \"v0.0.1\"" &&
	(cd ../bob && git fetch -q --tags && stage_holds prod v1.0.0 && git dvx model promote churn 1.0.0 staging --push >out 2>&1) && git fetch -q && stage_holds staging v1.0.0
'

test_expect_success 'two clones make the same tag: the second push is refused, and says what to do' '
	(cd ../bob && git pull -q && git commit -q --allow-empty -m bob && git push -q && git dvx model register race --version 1.0.0 --push >out 2>&1) && git commit -q --allow-empty -m ann && test_expect_code 128 git dvx model register race --version 1.0.0 --push >out 2>err &&
	grep "^error: tag .race@v1.0.0. was made here, but .origin. did not take it; .git push origin race@v1.0.0. tries again, .*.git tag -d race@v1.0.0. and .git fetch --tags. make that one yours" err && grep "rejected" err && git tag -d race@v1.0.0 && git fetch -q --tags && git dvx model show race@1.0.0 | grep "^commit *$(git -C ../bob rev-parse HEAD)$"
'

test_expect_success 'the tag of a stage takes that of its version along: a colleague sees both' '
	next_model ours "2024-01-03T00:00:00Z" && git dvx model register ours models/churn.pkl --version 1.0.0 && git dvx model promote ours 1.0.0 prod --push >out 2>&1 && git ls-remote --tags origin "ours*" | sed "s/.*refs.tags.//; /}$/d" >tags && printf "ours#prod#1\nours@v1.0.0\n" >expect && test_cmp expect tags &&
	git clone -q ../remote.git ../carl && (cd ../carl && git dvx model at prod ours | grep "^ours v1.0.0 (since .*, model models/churn.pkl sha256:") &&
	git dvx model demote ours prod --push >out 2>&1 && ! grep "ours@v1.0.0 -> " out && (cd ../carl && git fetch -q --tags && test_expect_code 1 git dvx model at prod ours 2>err) && rm -rf ../carl
'

test_expect_success 'where the remote has another version of that name neither goes; it says what to do' '
	git commit -q --allow-empty -m mine && git dvx model register clash --version 1.0.0 && (cd ../bob && git commit -q --allow-empty -m his && git dvx model register clash --version 1.0.0 --push >out 2>&1) && test_expect_code 128 git dvx model promote clash 1.0.0 prod --push >out 2>err && test -z "$(git ls-remote --tags origin "clash#*")" &&
	grep "^error: tag .clash#prod#1. was made here, but .origin. did not take it; .git push origin clash@v1.0.0 .clash#prod#1.. tries again, and if another tag of either name is there, .git tag -d <tag>. and .git fetch --tags. make that one yours" err && git tag -d clash@v1.0.0 "clash#prod#1"
'

test_expect_success 'a remote that cannot take both at once is given the version first' '
	git -C ../remote.git config receive.advertiseAtomic false && git commit -q --allow-empty -m plain && git dvx model register plain --version 1.0.0 && git dvx model promote plain 1.0.0 prod --push >out 2>err && git ls-remote --tags origin "plain*" >tags && grep "refs/tags/plain@v1.0.0$" tags && grep "refs/tags/plain#prod#1$" tags &&
	git commit -q --allow-empty -m again && git dvx model register clash --version 1.0.0 && test_expect_code 128 git dvx model promote clash 1.0.0 prod --push >out 2>err && test -z "$(git ls-remote --tags origin "clash#*")" && git tag -d clash@v1.0.0 "clash#prod#1" && git -C ../remote.git config --unset receive.advertiseAtomic
'

test_expect_success 'the remote is gone, or there is none' '
	mv ../remote.git ../away.git && test_expect_code 128 git dvx model register gone --push >out 2>err && grep "^Created git tag .gone@v0.0.1." out && grep "^error: tag .gone@v0.0.1. was made here" err && mv ../away.git ../remote.git && git push -q origin gone@v0.0.1 &&
	git init -q ../alone && (cd ../alone && git commit -q --allow-empty -m 1 && test_expect_code 128 git dvx model register x --push 2>err && grep "did not take it" err)
'

test_expect_success 'the remote that git push would take' '
	git init -q --bare ../second.git && git remote add second ../second.git && git config remote.pushDefault second && git dvx model promote churn 1.0.0 qa --push --json >j 2>err && json j "j[\"pushed_to\"] == \"second\"" && git -C ../second.git rev-parse -q --verify "refs/tags/churn#qa#3" &&
	git config branch.main.pushRemote origin && git dvx model promote churn 1.0.0 qa2 >out && grep "git push origin" out
'

test_expect_success 'data that cannot be sent: the tag does not go either' '
	next_model three "2024-01-05T00:00:00Z" && mv "$TRASH/store" "$TRASH/store.away" && touch "$TRASH/store" && test_expect_code 128 git dvx model register stuck models/churn.pkl --push >out 2>err && rm -f "$TRASH/store" && mv "$TRASH/store.away" "$TRASH/store" && ! git ls-remote --tags origin | grep stuck && git rev-parse -q --verify refs/tags/stuck@v0.0.1 && git push -q origin stuck@v0.0.1
'

test_done
