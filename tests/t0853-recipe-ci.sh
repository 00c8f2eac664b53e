#!/bin/sh
# shellcheck disable=SC2034
test_description='docs/recipes: the steps of the CI configurations, in a fresh clone'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/recipe-lib.sh"
python3 -c 'import yaml' 2>/dev/null || {
	skip_all='python3-yaml is not installed'
	test_done
}

# The runner: git-dvx is here already, so what would build and install it only says so.
runner() { # runner FILE WORKTREE NAME=VALUE...
	dvx_file=$1 dvx_worktree=$2
	shift 2
	mkdir -p "$TRASH/tmp-$dvx_worktree" && ORIGIN=$TRASH/churn.git PATH=$TRASH/shims:$PATH python3 "$dvx_top/tests/tools/ci_steps.py" "$dvx_file" "$TRASH/$dvx_worktree" \
		"RUNNER_TEMP=$TRASH/tmp-$dvx_worktree" "GITHUB_STEP_SUMMARY=$TRASH/summary" "GIT_DVX_URL=$TRASH/source" "$@"
}
recipes=$dvx_top/docs/recipes

test_expect_success 'setup' '
	mkdir shims && for name in make apt-get; do printf "#!/bin/sh\necho %s \"\$@\" >>\"%s/installed\"\n" $name "$TRASH" >shims/$name || return 1; done &&
	printf "#!/bin/sh\nexec \"\$@\"\n" >shims/sudo && chmod +x shims/* && git init -q source && mkdir source/scripts &&
	printf "#!/bin/sh\necho install-deps \"\$@\" >>\"%s/installed\"\n" "$TRASH" >source/scripts/install-deps && chmod +x source/scripts/install-deps &&
	git -C source add . && git -C source commit -q -m source &&
	(churn_project "$TRASH/churn")
'

test_expect_success 'GitHub Actions: a push to a branch' '
	{ runner "$recipes/github-actions.yml" github ref_type=branch >"$TRASH/out" 2>&1 || { cat "$TRASH/out"; false; }; } &&
	for step in "Install git-dvx" checkout "Get the data" "Is it reproducible?" "What changed?"; do grep -F "== $step" "$TRASH/out" || return 1; done &&
	! grep "May it go" "$TRASH/out" && grep "didn.t change, skipping" "$TRASH/out" && cmp churn/models/churn.json github/models/churn.json
'

test_expect_success 'the summary names metrics, files and the column' '
	grep -F "| Path " summary && grep accuracy summary && grep "modified.*data/raw/customers.csv" summary && grep "column added: retention.*offer" summary
'

test_expect_success 'what it installs with is what the README says' '
	head -n 1 installed | grep "^install-deps build$" && grep "^    scripts/install-deps build " "$dvx_top/README.md" &&
	grep "^make -C .*/git-dvx$" installed && grep "^make -C .*/git-dvx install$" installed && grep "^    sudo make install" "$dvx_top/README.md"
'

test_expect_success 'GitHub Actions: the gate stops the second version' '
	test_expect_code 1 runner "$recipes/github-actions.yml" tagged ref_type=tag ref_name=churn_model@v2.0.0 >"$TRASH/out" 2>&1 && grep "failed: May it go" "$TRASH/out" && grep "no: .*retention_offer" "$TRASH/out"
'

test_expect_success 'GitHub Actions: a commit that does not reproduce is found' '
	(cd churn && git checkout -q -b forged && echo "{\"accuracy\": 0.99}" >metrics.json && git commit -q -a -m "a better number" && git push -q origin forged) &&
	test_expect_code 1 runner "$recipes/github-actions.yml" forged ref_type=branch ref_name=forged >"$TRASH/out" 2>&1 && grep "failed: Is it reproducible" "$TRASH/out"
'

test_expect_success 'GitLab CI' '
	sed "s#/tmp/git-dvx#../gitlab-dvx#g" "$recipes/gitlab-ci.yml" >gitlab.yml &&
	{ runner gitlab.yml gitlab >"$TRASH/out" 2>&1 || { cat "$TRASH/out"; false; }; } &&
	grep "column added: retention.*offer" gitlab/changes.md && grep accuracy gitlab/changes.md
'

test_done
