#!/bin/sh
test_description='models and lineage in a shallow clone: right answers, or what cannot be known and why'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# release N DAY: a table of N customers, trained, registered and promoted; another commit on top.
release() {
	on "$2" && customers "$1" >data/customers.csv && retrain "train $1" && git dvx model register churn models/churn.pkl --version "$1.0.0" &&
	git dvx model promote churn "$1.0.0" production && echo "# $1" >>code/readme && git add -A && git commit -q -m "docs $1"
}

test_expect_success 'setup: three releases, pushed; a clone of the last three commits and one with the older tags' '
	churn_project repo && release 1 2023-01-01 && release 2 2023-02-01 && release 3 2023-03-01 && git init -q --bare ../o.git && git remote add origin ../o.git && git push -q origin main --tags &&
	cd .. && git clone -q --depth 3 "file://$PWD/o.git" shallow && git clone -q --depth 1 --no-single-branch "file://$PWD/o.git" one && cd shallow && git log --format=%s >../log && test "$(wc -l <../log)" = 3 && git tag -l
'

test_expect_success 'trace of a commit and of a model that are here: complete' '
	git dvx trace --json HEAD~1 >../out && json ../out "j[\"commit\"][\"subject\"] == \"train 3\" and [s[\"name\"] for s in j[\"stages\"]] == [\"evaluate\", \"train\", \"prepare\"] and j[\"unknown\"] == []"
'

test_expect_success 'who changed a file last, where that is behind the end: cannot be known' '
	git dvx trace --json code/train.sh >../out && json ../out "j[\"file\"][\"changed\"] is None and any(\"shallow\" in u[\"reason\"] for u in j[\"unknown\"])" &&
	git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"changed\"][\"subject\"] == \"train 3\" and j[\"unknown\"] == []"
'

test_expect_success 'a commit that was not cloned: the message says why' '
	test_expect_code 128 git dvx trace HEAD~5 2>../err && grep "this clone is shallow" ../err && test_expect_code 128 git dvx diff HEAD~5 HEAD 2>../err && grep "this clone is shallow" ../err &&
	test_expect_code 128 git dvx trace --diff HEAD~5 HEAD 2>../err && grep "this clone is shallow" ../err
'

test_expect_success 'trace --diff: whether these are all commits between is not known' '
	git dvx trace --diff --json HEAD~2 HEAD >../out && json ../out "any(\"shallow\" in u[\"reason\"] for u in j[\"unknown\"])"
'

test_expect_success 'diff of what is here' '
	git dvx diff --json HEAD~2 HEAD >../out && json ../out "sorted(f[\"filename\"] if \"filename\" in f else f[\"path\"] for f in j[\"modified\"]) == [\"data/customers.csv\", \"data/features.csv\", \"models/churn.pkl\"]"
'

test_expect_success 'whence: what is here, and that older places are not known' '
	git dvx whence models/churn.pkl >../out 2>../err && grep "train 3" ../out && grep "note: this clone is shallow" ../err &&
	git dvx whence --json models/churn.pkl >../out && json ../out "len(j[\"unknown\"]) == 1 and \"shallow\" in j[\"unknown\"][0]" &&
	test_expect_code 1 git dvx whence 0123456789 2>../err && grep "looked at 3 commits" ../err && grep "note: this clone is shallow" ../err
'

test_expect_success 'model at: a date before what was cloned is not answered with "nothing" alone' '
	git dvx model at production --date 2023-03-02 >../out && grep "churn v3.0.0" ../out &&
	if git dvx model at production --date 2023-02-10 >../out 2>../err; then grep "v2.0.0" ../out; else cat ../out ../err >../both && grep "shallow" ../both; fi
'

test_expect_success 'a shallow clone of one commit: where no tag came along, that is said' '
	cd ../one && git tag -d $(git tag -l) >/dev/null && test_expect_code 1 git dvx model at production >../out 2>../err && cat ../out ../err >../both && grep "shallow.*git fetch --unshallow --tags" ../both
'

test_expect_success 'after --unshallow the answers are whole: the index is made anew' '
	cd ../shallow && git fetch -q --unshallow --tags && git dvx whence --json models/churn.pkl >../out && json ../out "j[\"unknown\"] == [] and j[\"searched\"][\"commits\"] == 8" &&
	git dvx trace --json code/train.sh >../out && json ../out "j[\"file\"][\"changed\"][\"subject\"] == \"the project\" and j[\"unknown\"] == []" &&
	git dvx model at production --date 2023-02-10 >../out && grep "churn v2.0.0" ../out && git dvx whence "$(git show churn@v1.0.0:models/churn.pkl | sed -n "s/^oid sha256://p")" >../out && grep "is model: churn@v1.0.0" ../out
'

test_expect_success 'and after the clone was made shallower again, less is told' '
	git fetch -q --depth 1 origin main && git reflog expire --expire=now --all && git tag -d $(git tag -l) >/dev/null && test_expect_code 0 git dvx whence --json models/churn.pkl >../out && json ../out "j[\"searched\"][\"commits\"] <= 8 and len(j[\"unknown\"]) == 1"
'

test_done
