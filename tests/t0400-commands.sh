#!/bin/sh
# shellcheck disable=SC2034
test_description='the command table: help, version, misspelt commands, exit statuses'
. "$(dirname "$0")/lib.sh"

test_expect_success 'version is one line with all versions' '
	git dvx version >out &&
	grep -x "git-dvx [0-9.]* (git $(git version | cut -d" " -f3), linux $(uname -m))" out &&
	git-dvx --version >out2 && test_cmp out out2
'

test_expect_success 'help lists commands; those that Git calls only with -a' '
	git dvx help >out && grep "^ *push  " out && ! grep "filter-process" out &&
	git dvx help -a >out && grep "^ *filter-process  " out &&
	sed -n "s/^   \([a-z][-a-z]*\)  .*/\1/p" out >names && LC_ALL=C sort names >sorted && test_cmp sorted names
'

test_expect_success 'without a command: help, exit 129' '
	test_expect_code 129 git dvx >out && grep "^ *push  " out
'

test_expect_success 'a command that does not exist' '
	test_expect_code 129 git dvx frob 2>err &&
	grep -x "error: .frob. is not a git-dvx command; see .git dvx help." err &&
	! grep similar err
'

test_expect_success 'a misspelt command names the nearest' '
	test_expect_code 129 git dvx stauts 2>err && grep -x "error: .stauts. is not a git-dvx command; the most similar one is .status." err
'

test_expect_success 'every command: -h exits 0 outside a repository, and fits a screen' '
	mkdir nowhere && cd nowhere &&
	for c in $(git dvx help -a | sed -n "s/^  *\([a-z][-a-z]*\)  .*/\1/p"); do
		git dvx "$c" -h >out || { echo "$c: exit $?"; return 1; }
		grep -q "^usage: git dvx ${c%eriments}" out && test "$(wc -l <out)" -le 50 || { echo "$c"; cat out; return 1; }
	done
'

test_expect_success 'every command: an unknown option exits 129 and changes nothing' '
	git init -q ../options && cd ../options &&
	for c in $(git dvx help -a | sed -n "s/^  *\([a-z][-a-z]*\)  .*/\1/p"); do
		git dvx "$c" --frobnicate >out 2>err </dev/null
		test $? = 129 || { echo "$c: not 129"; return 1; }
		grep -q "^error: .*frobnicate" err || { echo "$c:"; cat err; return 1; }
		test "$(grep -c "^error:" err)" = 1 || { echo "$c: twice"; return 1; }
	done &&
	test -z "$(git status --porcelain | grep -v "^?? \(out\|err\)$")"
'

test_expect_success 'outside a repository' '
	cd "$TRASH" && mkdir outside && cd outside &&
	test_expect_code 128 git dvx status 2>err && grep "^error: not a git repository" err
'

test_expect_success 'a bare repository has no work tree' '
	git init -q --bare bare.git && cd bare.git &&
	test_expect_code 128 git dvx status 2>err && grep "^error: .*bare" err
'

test_expect_success 'standard output that is full is an error' '
	test -e /dev/full && test_expect_code 128 git dvx help >/dev/full 2>err && grep "^error: cannot write" err
'

test_expect_success 'env says where things are' '
	dvx_repo "$TRASH/env" && cd "$TRASH/env" && git dvx env >out &&
	grep "^git_dir=$TRASH/env/.git$" out && grep "^filter.dvx.process=git-dvx-filter$" out &&
	grep "^hook.pre-push=installed$" out &&
	git dvx env --json >out.json && python3 -c "
import json
e = json.load(open(\"out.json\"))
assert e[\"worktree\"] == \"$TRASH/env\", e
assert e[\"hook.pre-commit\"] == \"installed\", e
"
'

test_expect_success 'env warns of settings that the tree must not make' '
	git config -f .dvxconfig filter.dvx.process /bin/false &&
	git dvx env >out 2>err && grep "^warning: .*filter.dvx.process" err &&
	grep "^filter.dvx.process=git-dvx-filter$" out
'

test_done
