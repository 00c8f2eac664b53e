#!/bin/sh
test_description='init, install, uninstall, update: filter configuration and hooks'
. "$(dirname "$0")/lib.sh"

hooks='post-checkout post-commit post-merge pre-commit pre-push'

ours() {
	for dvx_hook in $hooks; do
		[ -x "$1/$dvx_hook" ] || { echo "$1/$dvx_hook: not there, or not executable"; return 1; }
		sed -n 2p "$1/$dvx_hook" | grep -q "^# git-dvx hook $dvx_hook" || return 1
	done
}

test_expect_success 'init outside a repository says what to do' '
	mkdir outside &&
	(cd outside && test_expect_code 128 git dvx init 2>err && grep "run .git init. first" err)
'

test_expect_success 'init in a bare repository is refused' '
	git init -q --bare bare.git &&
	(cd bare.git && test_expect_code 128 git dvx init 2>err && grep "bare repository" err)
'

test_expect_success 'init sets filter and hooks, writes and stages .dvxconfig' '
	git init -q one &&
	(cd one && git dvx init >out && grep Initialized out &&
	 test "$(git config --local filter.dvx.process)" = git-dvx-filter &&
	 test "$(git config --local filter.dvx.required)" = true &&
	 ours .git/hooks &&
	 echo "A  .dvxconfig" >expect && git status --porcelain -- .dvxconfig >actual && test_cmp expect actual &&
	 test "$(git config -f .dvxconfig dvx.version)" = 1)
'

test_expect_success 'init again changes nothing' '
	(cd one && git commit -q -m init && cp .git/config before && git dvx init &&
	 test_cmp before .git/config && rm before out expect actual && is_clean)
'

test_expect_success 'the name of the merge driver: that of an earlier version is renewed where it stands, one of the user stays' '
	git init -q named && (cd named && git dvx init -q && now=$(git config merge.dvx.name) && git config merge.dvx.name "git-dvx pointer merge" && git dvx init -q && test "$(git config --local merge.dvx.name)" = "$now" &&
	git config merge.dvx.name "git-dvx pointer merge" && git dvx install --local && test "$(git config --local merge.dvx.name)" = "$now" &&
	git config merge.dvx.name mine && git dvx install --local && git dvx init -q && test "$(git config merge.dvx.name)" = mine &&
	git config -f other merge.dvx.name "git-dvx pointer merge" && git dvx install --file other && test "$(git config -f other merge.dvx.name)" = "$now")
'

test_expect_success 'init below the top works on the whole repository' '
	git init -q below && mkdir below/sub &&
	(cd below/sub && git dvx init) && test -e below/.dvxconfig && test ! -e below/sub/.dvxconfig
'

test_expect_success 'a foreign hook stays, and the user learns how to chain' '
	git init -q foreign && printf "#!/bin/sh\necho mine\n" >foreign/.git/hooks/pre-push &&
	cp foreign/.git/hooks/pre-push mine &&
	(cd foreign && git dvx init 2>err && grep "left alone" err && grep "git-dvx hook pre-push" err) &&
	test_cmp mine foreign/.git/hooks/pre-push && test -x foreign/.git/hooks/pre-commit
'

test_expect_success 'update --force replaces it and keeps the old one' '
	(cd foreign && git dvx update --force && ours .git/hooks) &&
	test_cmp mine foreign/.git/hooks/pre-push.old
'

test_expect_success 'a hook that calls ours is left alone without a word' '
	printf "#!/bin/sh\ngit-dvx hook pre-commit \"\$@\" || exit\necho mine\n" >foreign/.git/hooks/pre-commit &&
	cp foreign/.git/hooks/pre-commit mine &&
	(cd foreign && git dvx update 2>err && test_must_be_empty err) && test_cmp mine foreign/.git/hooks/pre-commit
'

test_expect_success 'a chained hook runs' '
	chmod +x foreign/.git/hooks/pre-commit &&
	(cd foreign && echo x >f && git add f && git commit -m f >out 2>&1 && grep mine out)
'

test_expect_success 'core.hooksPath: relative to the top, absolute, with a tilde' '
	git init -q hp && mkdir hp/sub &&
	(cd hp/sub && git config core.hooksPath my/hooks && git dvx init && ours ../my/hooks &&
	 git config core.hooksPath "$TRASH/abs" && git dvx update && ours "$TRASH/abs" &&
	 git config core.hooksPath "~/hooks" && git dvx update && ours "$HOME/hooks") &&
	test ! -e hp/.git/hooks/pre-push
'

test_expect_success 'worktrees share the hooks' '
	(cd one && git worktree add -q ../wt && cd ../wt && git dvx update >out && grep "up to date" out)
'

test_expect_success 'install writes the global configuration, and init relies on it' '
	git dvx install >out && grep global out &&
	test "$(git config --global filter.dvx.clean)" = "git-dvx-filter clean -- %f" &&
	git init -q two && (cd two && git dvx init && test_must_fail git config --local filter.dvx.process)
'

test_expect_success 'install refuses to replace other values, --force does' '
	git config --global filter.dvx.clean other &&
	test_expect_code 128 git dvx install 2>err && grep "filter.dvx.clean.*other.*--force" err &&
	test "$(git config --global filter.dvx.clean)" = other &&
	git dvx install --force && test "$(git config --global filter.dvx.clean)" = "git-dvx-filter clean -- %f"
'

test_expect_success 'install --local, --worktree; only one scope' '
	git init -q three && (cd three && git dvx install --local --skip-repo && git config --local filter.dvx.process &&
	test ! -e .git/hooks/pre-push && test_expect_code 129 git dvx install --local --system)
'

test_expect_success 'uninstall takes it all back' '
	(cd two && git dvx uninstall && test_must_fail git config --get-regexp "^(filter|merge).dvx" &&
	 for h in $hooks; do test ! -e .git/hooks/$h || exit 1; done &&
	 git dvx uninstall >out && grep "was not set up" out)
'

test_expect_success 'a hook without git-dvx on the PATH: pre-push stops, post-checkout does not' '
	(cd one && PATH=/usr/bin:/bin && export PATH && test_expect_code 2 sh .git/hooks/pre-push 2>err &&
	 grep "not on the PATH" err && sh .git/hooks/post-checkout)
'

test_expect_success 'update --manual prints lines for every hook' '
	(cd one && git dvx update --manual >out && for h in $hooks; do grep "git-dvx hook $h" out || exit 1; done)
'

test_done
