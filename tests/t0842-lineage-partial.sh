#!/bin/sh
test_description='models and lineage in partial clones: nothing is fetched, and what cannot be known is said'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

release() { # N DAY
	on "$2" && customers "$1" >data/customers.csv && retrain "train $1" && git dvx model register churn models/churn.pkl --version "$1.0.0" && git dvx model promote churn "$1.0.0" production
}
objects() { git count-objects -v | grep -v size >"$1" && git cat-file --batch-all-objects --batch-check | wc -l >>"$1"; }
# offline COMMAND...: with a Git that says so when it fetches; the remote is not there, and no object came.
offline() {
	objects ../before && GIT_TRACE=$TRASH/trace "$@" && objects ../after && test_cmp ../before ../after
}

test_expect_success 'setup: two releases; clones without blobs and without trees, then the remote goes away' '
	churn_project repo && release 1 2023-01-01 && release 2 2023-02-01 && one=$(git show churn@v1.0.0:models/churn.pkl | sed -n "s/^oid sha256://p") && test -n "$one" &&
	git init -q --bare ../o.git && git -C ../o.git config uploadpack.allowFilter true && git -C ../o.git config uploadpack.allowAnySHA1InWant true && git remote add origin ../o.git && git push -q origin main --tags &&
	cd .. && git clone -q --filter=blob:none "file://$PWD/o.git" blobs && git clone -q --filter=tree:0 "file://$PWD/o.git" trees && mv o.git gone.git
'

test_expect_success 'without blobs: HEAD, its model and its files are told as ever' '
	cd blobs && offline git dvx trace --json HEAD >../out && json ../out "[s[\"name\"] for s in j[\"stages\"]] == [\"evaluate\", \"train\", \"prepare\"] and j[\"unknown\"] == []" &&
	offline git dvx trace --json models/churn.pkl >../out && json ../out "j[\"file\"][\"sha256\"] == \"$(sha models/churn.pkl)\"" && offline git dvx trace churn@v2.0.0 >../out && grep "sha256:$(sha models/churn.pkl | cut -c 1-12)" ../out
'

test_expect_success 'without blobs: an older model is told without its data, and why' '
	offline git dvx trace --json churn@v1.0.0 >../out && json ../out "j[\"commit\"][\"subject\"] == \"train 1\" and j[\"model\"][\"version\"].lstrip(\"v\") == \"1.0.0\" and any(\"partial clone\" in u[\"reason\"] for u in j[\"unknown\"])" &&
	offline git dvx trace --diff --json churn@v1.0.0 churn@v2.0.0 >../out && json ../out "any(\"partial clone\" in u[\"reason\"] for u in j[\"unknown\"])"
'

test_expect_success 'without blobs: tags are all here, so "model at" answers' '
	offline git dvx model at production --date 2023-01-15 >../out && grep "churn v1.0.0 (since 2023-01-01" ../out && grep "sha256:$(echo $one | cut -c 1-12)" ../out && offline git dvx model list >../out && grep "v2.0.0" ../out
'

test_expect_success 'without blobs: whence says what it could not see, and never "nothing" alone' '
	offline git dvx whence models/churn.pkl >../out 2>../err && grep "is model: churn@v2.0.0" ../out && grep "note: this partial clone has not got all files" ../err &&
	{ GIT_TRACE=$TRASH/trace git dvx whence $one 2>../err; test $? = 1; } && grep "note: this partial clone has not got all files" ../err && git dvx whence --json models/churn.pkl >../out && json ../out "len(j[\"unknown\"]) == 1"
'

test_expect_success 'without blobs: diff of older versions says so' '
	offline git dvx diff churn@v1.0.0 churn@v2.0.0 >../out 2>../err && grep "note: this partial clone has not got all versions of" ../err
'

test_expect_success 'blobs that came since are seen, and the index is not made anew for that' '
	mv ../gone.git ../o.git && git show churn@v1.0.0:models/churn.pkl >/dev/null && mv ../o.git ../gone.git && offline git dvx whence $one >../out && grep "^models/churn.pkl$" ../out && grep "is model: churn@v1.0.0" ../out
'

test_expect_success 'without trees: HEAD is told as ever, older commits are not' '
	cd ../trees && offline git dvx trace --json HEAD >../out && json ../out "[s[\"name\"] for s in j[\"stages\"]] == [\"evaluate\", \"train\", \"prepare\"]" && offline git dvx trace models/churn.pkl >../out && grep "sha256:$(sha models/churn.pkl | cut -c 1-12)" ../out &&
	{ git dvx trace churn@v1.0.0 2>../err; test $? = 128; } && grep "this partial clone has not got the directories of .churn@v1.0.0." ../err
'

test_expect_success 'without trees: "model at" knows the version and says what it cannot tell' '
	offline git dvx model at production --date 2023-01-15 >../out 2>../err && grep "churn v1.0.0 (since 2023-01-01" ../out && grep "warning: what .churn@v1.0.0. was made of cannot be told: this partial clone" ../err
'

test_expect_success 'without trees: whence knows what is checked out, and says what it could not see' '
	offline git dvx whence models/churn.pkl >../out 2>../err && grep "^models/churn.pkl (in HEAD)$" ../out && grep "note: this partial clone has not got the directories of all commits" ../err &&
	{ git dvx whence $one 2>../err; test $? = 1; } && grep "note: this partial clone has not got the directories of all commits" ../err
'

test_expect_success 'without trees: diff cannot' '
	{ git dvx diff churn@v1.0.0 churn@v2.0.0 >../out 2>../err; test $? = 128; } && grep "this partial clone may not have all directories" ../err && offline git dvx diff HEAD
'

test_expect_success 'directories that came since are seen' '
	mv ../gone.git ../o.git && git checkout -q churn@v1.0.0 && mv ../o.git ../gone.git && offline git dvx whence $one >../out && grep "is model: churn@v1.0.0" ../out && offline git dvx trace churn@v1.0.0 >../out && grep "train 1" ../out
'

test_expect_success 'no command of these ever fetched' '
	! grep -E "run_command: (git )?.*fetch" "$TRASH/trace"
'

test_done
