#!/bin/sh
test_description='docs/recipes/pre-commit.md, typed as it stands there; .pre-commit-hooks.yaml'
. "$(dirname "$0")/lib.sh"
command -v pre-commit >/dev/null || {
	skip_all='pre-commit is not installed'
	test_done
}

test_expect_success 'installed once per user' 'git dvx install'

test_expect_success 'every command prints what the page shows' '
	python3 "$dvx_top/tests/tools/console.py" "$dvx_top/docs/recipes/pre-commit.md"
'

test_expect_success 'the hooks that the project defines run in the framework' '
	git init -q -b main git-dvx && cp "$dvx_top/.pre-commit-hooks.yaml" git-dvx && git -C git-dvx add . && git -C git-dvx commit -q -m hooks && git -C git-dvx tag v1 &&
	dvx_repo data && cd data && rm -f .git/hooks/* && git dvx remote add -d storage ../blobs && git dvx track "*.bin" && git init -q --bare ../origin.git && git remote add origin ../origin.git &&
	printf "repos:\n- repo: ../git-dvx\n  rev: v1\n  hooks: [{id: git-dvx-pre-commit}, {id: git-dvx-push}]\n" >.pre-commit-config.yaml &&
	pre-commit install -t pre-commit -t pre-push && random_file a.bin 10K a && git add . && git commit -m one >out 2>&1 && grep "git-dvx, staged data is stored.*Passed" out
'

test_expect_success '... before a commit' '
	random_file a.bin 10K b && git -c filter.dvx.clean=cat -c filter.dvx.process= -c filter.dvx.required=false add a.bin && test_must_fail git commit -m two >out 2>&1 &&
	grep Failed out && grep "should be a pointer" out && git reset -q --hard
'

test_expect_success '... and before a push' '
	git push -q -u origin main >out 2>&1 && git clone -q ../origin.git ../copy && cmp a.bin ../copy/a.bin && find ../blobs -name "*.pack" | grep .
'

test_done
