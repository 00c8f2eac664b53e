#!/bin/sh
test_description='docs/walkthrough.md, typed as it stands there'
. "$(dirname "$0")/lib.sh"

WALKTHROUGH=$dvx_top/docs/walkthrough
export WALKTHROUGH
[ -e /usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz ] || {
	skip_all='the digits are in python3-sklearn, which is not installed'
	test_done
}

test_expect_success 'installed once per user' 'git dvx install'

test_expect_success 'every command prints what the page shows' '
	python3 "$dvx_top/tests/tools/console.py" "$dvx_top/docs/walkthrough.md"
'

acc() {
	git -C digits show "$1:model/metrics.json" | jq .acc
}

test_expect_success 'more data and more filters: the accuracy rises from tag to tag' '
	acc 0.1 >acc.1 && acc 0.2 >acc.2 && acc 0.3 >acc.3 && cat acc.? &&
	jq -e -n "$(cat acc.1) < $(cat acc.2) and $(cat acc.2) < $(cat acc.3)"
'

test_expect_success 'data and models are pointers in every commit' '
	for tag in 0.1 0.2 0.3; do
		git -C digits show "$tag:model/model.json" >pointer && is_pointer pointer &&
			git -C digits ls-tree -r --name-only "$tag" data >images &&
			git -C digits show "$tag:$(head -n 1 images)" >pointer && is_pointer pointer || return 1
	done && test "$(wc -l <images)" = 1200
'

test_expect_success 'the team mate has the data of each tag, and nothing to run there' '
	for tag in 0.1 0.2 0.3; do
		git -C digits checkout -q "$tag" && git -C digits-cloned checkout -q "$tag" &&
			diff -r -x .git -x __pycache__ digits digits-cloned &&
			(cd digits-cloned && git dvx repro >out && ! grep Running out && rm out) || return 1
	done && git -C digits checkout -q main
'

test_done
