#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx init --ccds: a Cookiecutter Data Science project, and the guards of raw data and secrets'
. "$(dirname "$0")/lib.sh"

# What the template leaves behind: its directories, and a .gitignore that hides data/.
ccds_project() { # ccds_project DIR: made and entered
	git init -q -b main "$1" && cd "$1" && git config user.name Ann && git config user.email ann@example.org || return
	for dir in data/raw data/interim data/processed data/external models notebooks reports/figures; do
		mkdir -p "$dir" && : >"$dir/.gitkeep" || return
	done
	printf '# Data\n/data/\n\n*.swp\n# Environments\n.env\n.venv\n' >.gitignore && echo "# project" >README.md
}
pointer() { # pointer PATH: the index has it as a pointer
	git cat-file blob ":$1" | grep -q '^oid sha256:'
}

test_expect_success 'setup' '
	git dvx install >"$TRASH/out" && ccds_project "$TRASH/repo" && git dvx init --ccds >"$TRASH/out" && grep "tracks data/ and models/" "$TRASH/out"
'

test_expect_success 'what follows is the usual: add, commit' '
	random_file data/raw/2023.csv 3K raw && random_file models/model.pkl 5K model && random_file data/interim/x.bin 1K x &&
	echo "TOKEN=secret" >.env && git add . && git commit -q -m one &&
	pointer data/raw/2023.csv && pointer models/model.pkl && pointer data/interim/x.bin &&
	! pointer README.md && ! git ls-files --error-unmatch .env 2>"$TRASH/err"
'

test_expect_success 'Git'\''s own files are left alone' '
	git ls-files "*.gitkeep" >"$TRASH/kept" && test "$(wc -l <"$TRASH/kept")" = 7 &&
	test "$(git rev-parse HEAD:data/raw/.gitkeep)" = "$(git hash-object -t blob /dev/null)"
'

test_expect_success 'again: nothing changes' '
	git dvx init --ccds >"$TRASH/out" && git diff --exit-code && git status --porcelain >"$TRASH/out" && test_must_be_empty "$TRASH/out"
'

test_expect_success 'a clone has the data' '
	git clone -q . ../clone && cmp data/raw/2023.csv ../clone/data/raw/2023.csv
'

test_expect_success 'raw data: adding is fine' '
	random_file data/raw/2024.csv 2K more && git add . && git commit -q -m more
'

test_expect_success 'raw data: changing is refused' '
	git rev-parse HEAD >"$TRASH/head" && echo x >>data/raw/2023.csv && git add . &&
	test_must_fail git commit -m change 2>"$TRASH/err" && grep "data/raw/2023.csv (changed)" "$TRASH/err" && grep "dvx-guard=immutable" "$TRASH/err" &&
	git rev-parse HEAD >"$TRASH/now" && test_cmp "$TRASH/head" "$TRASH/now"
'

test_expect_success '... and the way back that the message names works' '
	git restore --staged --worktree data/raw/2023.csv && git diff --quiet HEAD
'

test_expect_success 'raw data: deleting and renaming are refused' '
	git mv data/raw/2024.csv data/raw/moved.csv && git rm -q data/raw/2023.csv &&
	test_must_fail git commit -m gone 2>"$TRASH/err" && grep "data/raw/2023.csv (deleted)" "$TRASH/err" && grep "data/raw/2024.csv (deleted)" "$TRASH/err" &&
	! grep moved.csv "$TRASH/err" && git reset -q --hard
'

test_expect_success '... unless it is meant' '
	git rm -q data/raw/2024.csv && git commit -q --no-verify -m "drop 2024" && ! git cat-file -e HEAD:data/raw/2024.csv 2>"$TRASH/err"
'

test_expect_success 'raw data: .gitkeep may go' '
	git rm -q data/raw/.gitkeep && git commit -q -m "no .gitkeep"
'

test_expect_success 'derived data may change' '
	random_file data/interim/x.bin 1K y && random_file models/model.pkl 5K newer && git add . && git commit -q -m newer
'

test_expect_success 'secrets are refused, whoever forces them in' '
	git add -f .env && test_must_fail git commit -m secret 2>"$TRASH/err" && grep "must not be committed" "$TRASH/err" && grep "  \.env" "$TRASH/err" &&
	git rm -q --cached .env && mkdir sub && echo k >sub/.env && git add -f sub/.env && test_must_fail git commit -m secret 2>"$TRASH/err" && git rm -q --cached sub/.env
'

test_expect_success 'raw data that Git had itself becomes pointers' '
	ccds_project "$TRASH/old" && : >.gitignore && random_file data/raw/a.csv 3K a && git add . && git commit -q -m "as plain Git" &&
	git dvx init --ccds >"$TRASH/out" && grep "^\.env" .gitignore && git add . && git add --renormalize . && git commit -q -m pointers && pointer data/raw/a.csv
'

test_expect_success '... but not with other content' '
	git rm -q -r --cached data && printf "" >.gitattributes && git add . && git commit -q --no-verify -m "as plain Git" && ! pointer data/raw/a.csv &&
	git dvx init --ccds >"$TRASH/out" && echo more >>data/raw/a.csv && git add . && pointer data/raw/a.csv &&
	test_must_fail git commit -m change 2>"$TRASH/err" && grep "data/raw/a.csv (changed)" "$TRASH/err"
'

test_expect_success 'a merge of what somebody else did to raw data is not refused' '
	cd "$TRASH/repo" && git checkout -q -b theirs && echo theirs >>data/raw/2023.csv && echo one >shared && git add . && git commit -q --no-verify -m theirs &&
	git checkout -q main && echo two >shared && git add . && git commit -q -m ours && test_must_fail git merge theirs >"$TRASH/out" &&
	echo both >shared && git add shared && git commit -q -m merged && git diff --quiet HEAD theirs -- data/raw
'

test_expect_success 'in a subdirectory, and what is written stays the same' '
	cp .gitattributes "$TRASH/attributes" && cd notebooks && git dvx init --ccds -q && cd .. && test_cmp "$TRASH/attributes" .gitattributes && ! test -e notebooks/.gitattributes
'

test_done
