#!/bin/sh
test_description='git dvx trace: which kind of thing an operand is'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# wrong TEXT ARG...: a wrong command line, of which the message speaks so.
wrong() {
	dvx_text=$1
	shift
	test_expect_code 129 git dvx trace "$@" 2>../err && grep "^error: .*$dvx_text" ../err
}
# fails TEXT ARG...: no answer, and why.
fails() {
	dvx_text=$1
	shift
	test_expect_code 128 git dvx trace "$@" 2>../err && grep "^error: .*$dvx_text" ../err
}

test_expect_success 'setup' '
	churn_project repo && git tag -a -m "Registering artifact churn version v1.0.0" churn@v1.0.0
'

test_expect_success 'nothing of the name' '
	fails "unknown revision .nosuch.; nor is there a file of that name" nosuch && fails "no file .nosuch. in HEAD" -- nosuch && fails "unknown revision .nosuch." nosuch -- dvx.yaml && fails "no file .nosuch. in HEAD" HEAD:nosuch && fails "" churn@v9.0.0 && fails "" nosuch@v1.0.0 && fails "" "churn#production"
'

test_expect_success 'both a revision and a file is refused; "--" ends the doubt' '
	echo 1 >main && git add main && git commit -q -m "a file called main" && fails "both a revision and a file; put .--." main && git dvx trace --json main -- >../out && json ../out "\"file\" not in j" && git dvx trace --json -- main >../out && json ../out "j[\"file\"][\"path\"] == \"main\"" &&
	echo 1 >churn@v1.0.0 && git add . && git commit -q -m "a file called like a model" && fails "may be a model and a file; put .--." churn@v1.0.0 && git dvx trace --json churn@v1.0.0 -- >../out && json ../out "j[\"model\"][\"version\"] == \"v1.0.0\"" &&
	git dvx trace --json -- churn@v1.0.0 >../out && json ../out "j[\"file\"][\"path\"] == \"churn@v1.0.0\" and \"model\" not in j" && git rm -q main churn@v1.0.0 && git commit -q -m gone
'

test_expect_success 'a path that is gone needs the "--"' '
	fails "unknown revision .churn_gone.csv." churn_gone.csv && rm data/features.csv && fails "nor is there a file" data/features.csv && git dvx trace --json -- data/features.csv >../out && json ../out "j[\"file\"][\"stage\"] == \"prepare\"" && git checkout -q .
'

test_expect_success 'a branch that has the form of a model' '
	git branch try@v1.0.0 && git dvx trace --json try@v1.0.0 >../out && json ../out "j[\"commit\"][\"subject\"] == \"gone\" and \"model\" not in j" && git branch -D -q try@v1.0.0 && git dvx trace --json "main@{0}" >../out && json ../out "j[\"commit\"][\"subject\"] == \"gone\""
'

test_expect_success 'too many, too few, too much' '
	wrong "at most" HEAD HEAD~1 && wrong "one path at most" dvx.yaml params.yaml && wrong "only one of" --json --md && wrong "name them" --diff && wrong "compares two" --diff HEAD HEAD HEAD && wrong "one path" HEAD:dvx.yaml -- dvx.yaml && wrong "unknown option" --nosuch
'

test_expect_success 'no commit, a tree, a range, an option in disguise' '
	fails "is no commit" "HEAD^{tree}" && fails "unknown revision" HEAD~1..HEAD && fails "unknown revision" "HEAD^@" && fails "unknown revision" "^HEAD" && fails "no commit" "$(printf "%040d" 1)"
'

test_expect_success 'no commit at all; outside of a repository' '
	cd "$TRASH" && git init -q unborn && cd unborn && fails "unknown revision .HEAD.; there is no commit yet" && cd .. && mkdir -p nowhere && cd nowhere && test_expect_code 128 git dvx trace 2>../err && grep "not a git repository" ../err
'

test_expect_success 'a bare repository, a SHA-256 repository, a worktree, a detached HEAD' '
	cd "$TRASH" && git clone -q --bare repo bare.git && cd bare.git && git dvx trace --json HEAD >../out && json ../out "len(j[\"stages\"]) == 3" && git dvx trace --json -- models/churn.pkl >../out && json ../out "j[\"file\"][\"stage\"] == \"train\" and j[\"file\"][\"here\"] is False" &&
	git dvx trace --json HEAD:models/churn.pkl >../out && json ../out "j[\"file\"][\"path\"] == \"models/churn.pkl\"" && cd ../repo && git worktree add -q ../tree HEAD~2 && cd ../tree && git dvx trace --json >../out && json ../out "j[\"commit\"][\"subject\"] == \"a file called main\"" &&
	cd "$TRASH" && dvx_repo sha256 --object-format=sha256 && cd sha256 && git dvx track "*.csv" >/dev/null && customers 3 >c.csv && git add -A && git commit -q -m one && git dvx trace --json c.csv >../out && json ../out "len(j[\"commit\"][\"id\"]) == 64 and j[\"file\"][\"rows\"] == 3"
'

test_done
