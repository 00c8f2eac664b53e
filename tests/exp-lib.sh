# shellcheck shell=sh
# What the tests of experiments start from: a project whose one stage "trains" for as long as $SLEEP says, fails for
# lr = fail, and whose accuracy is its learning rate.

exp_project() { # exp_project DIR: made, committed, entered
	dvx_repo "$1" >/dev/null && cd "$1" || return
	cat >dvx.yaml <<-'END'
	stages:
	  train:
	    cmd: sh train.sh
	    deps: [train.sh, data.bin]
	    params: [lr, epochs]
	    outs: [model.bin]
	    metrics: [{metrics.json: {cache: false}}]
	END
	printf 'lr: 0.1 # the rate\nepochs: 3\n' >params.yaml
	cat >train.sh <<-'END'
	lr=$(sed -n 's/^lr: \([^ ]*\).*/\1/p' params.yaml)
	echo "training with $lr"
	test "$lr" != fail || exit 3
	if [ -n "$SLEEP" ]; then
		sleep "$SLEEP" &
		echo $$ $! >>"$STARTED"
		wait
	fi
	{ cat data.bin; echo "$lr"; } >model.bin
	echo "{\"acc\": $lr}" >metrics.json
	END
	random_file data.bin 100K data && git dvx track '*.bin' >/dev/null && git add -A && git commit -q -m one &&
		git dvx repro >/dev/null && git add -A && git commit -q -m trained
}

# What must be as it was: `before; …; untouched`.
before() {
	git ls-files -z | xargs -0 sha256sum >"$TRASH/files.before" && sha256sum .git/index >"$TRASH/index.before" &&
		git status --porcelain --untracked-files=all >"$TRASH/status.before" && sha256sum .git/index >"$TRASH/index.before" &&
		git stash list >"$TRASH/stash.before" && git for-each-ref refs/heads refs/tags >"$TRASH/refs.before" &&
		git rev-parse HEAD >>"$TRASH/refs.before"
}
untouched() {
	sha256sum -c --quiet "$TRASH/index.before" && sha256sum -c --quiet "$TRASH/files.before" &&
		git status --porcelain --untracked-files=all >"$TRASH/status.now" && test_cmp "$TRASH/status.before" "$TRASH/status.now" &&
		git stash list >"$TRASH/stash.now" && test_cmp "$TRASH/stash.before" "$TRASH/stash.now" &&
		{ git for-each-ref refs/heads refs/tags && git rev-parse HEAD; } >"$TRASH/refs.now" &&
		test_cmp "$TRASH/refs.before" "$TRASH/refs.now"
}
no_leftovers() {
	dvx_left=$(git worktree list | sed 1d && ls -d .git/worktrees 2>/dev/null; find .git/dvx/exps -mindepth 1 -maxdepth 1 ! -name logs) &&
		test -z "$dvx_left" && return
	echo "left over: $dvx_left"
	return 1
}
exp_ref() { # exp_ref NAME: its ref
	git for-each-ref --format='%(refname)' refs/dvx | grep "/$1\$"
}
