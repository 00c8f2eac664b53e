#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx exp: killed, interrupted and simultaneous runs leave nothing behind'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/exp-lib.sh"

STARTED=$TRASH/started
export STARTED

started() { # wait until a stage sleeps
	wait_for test -s "$STARTED"
}
ended() { # wait until no stage that has slept is left
	for dvx_pid in $(cat "$STARTED"); do
		wait_for gone "$dvx_pid" || return 1
	done
}

# What a killed run has started may go on, and holds a lock then.
settled() {
	for dvx_lock in .git/dvx/exps/logs/early.log .git/dvx/exps/logs/.worktrees; do
		! test -e $dvx_lock || flock $dvx_lock true || return 1
	done
}

# after_kill WHEN: Git works as ever, the next command cleans up, and 'early' may be forgotten; says what is wrong.
after_kill() {
	settled && untouched >"$TRASH/said" 2>&1 || { echo "killed $1, touched:"; cat "$TRASH/said"; return 1; }
	{ git worktree list && git branch -q theirs && git branch -q -D theirs; } >"$TRASH/said" 2>&1 || { echo "killed $1, Git fails:"; cat "$TRASH/said"; return 1; }
	git dvx exp list -A >"$TRASH/list" 2>"$TRASH/said" && ! test -s "$TRASH/said" || { echo "killed $1, exp list fails:"; cat "$TRASH/said"; return 1; }
	! grep running "$TRASH/list" || { echo "killed $1"; return 1; }
	find .git/dvx/exps -name ".index-*" -delete # these wait for a day
	no_leftovers || { echo "killed $1"; return 1; }
	git dvx exp remove --queue -A >"$TRASH/said" 2>&1 || { echo "killed $1, exp remove fails:"; cat "$TRASH/said"; return 1; }
}

# killed WHO PROGRAMS STEP: `exp run` with WHO (faultline.c: FIRST, GROUP) killed at every STEP-th call of these programs that changes
# something; each with LARGE=1.
killed() {
	dvx_k=1
	while :; do
		rm -f "$TRASH/fault" "$TRASH/fault.count"
		FAULTLINE="$2 create,write,fsync,rename,link,unlink,truncate,mkdir,chmod,spawn,clone,copy,send $1 $dvx_k $TRASH/fault" \
			LD_PRELOAD="$(dirname "$DVX_BIN")/tools/faultline.so" setsid -w git-dvx exp run -S lr=0.$dvx_k -n early >"$TRASH/out" 2>&1
		dvx_code=$?
		for dvx_pid in $(sed -n "s/^start //p" "$TRASH/fault"); do
			wait_for gone "$dvx_pid" || return 1
		done
		case $dvx_code:$(grep -c ^fault "$TRASH/fault") in
		137:1) ;;
		0:0) break ;;
		*) echo "exit $dvx_code at call $dvx_k"; cat "$TRASH/out"; return 1 ;;
		esac
		after_kill "at $(sed -n "s/^fault //p" "$TRASH/fault")" || return 1
		dvx_k=$((dvx_k + ${LARGE:-$3}))
	done
	echo "killed at calls up to $dvx_k" && no_leftovers && untouched && test $dvx_k -gt 100 && git dvx exp remove early
}

test_expect_success 'killed in the middle: nothing of the user is touched, the stages end, the experiment is in the queue' '
	exp_project "$TRASH/repo" && echo "# edited" >>train.sh && before &&
	{ SLEEP=1000 git-dvx exp run -S lr=0.5 -n killed >"$TRASH/out" 2>&1 & } && pid=$! && started &&
	git dvx exp list >"$TRASH/list" && grep "\[killed\] running" "$TRASH/list" && test "$(git worktree list | wc -l)" = 2 &&
	test_expect_code 128 git dvx exp remove killed 2>"$TRASH/err" && grep "being run by another process" "$TRASH/err" &&
	kill -9 $pid && { wait $pid; ended; } && untouched &&
	git dvx exp list >"$TRASH/list" && grep "\[killed\] queued" "$TRASH/list" && no_leftovers && untouched
'

test_expect_success 'it can be run again' '
	rm -f "$STARTED" && git dvx exp run --run-all >"$TRASH/out" && grep "Ran experiment(s): killed" "$TRASH/out" && no_leftovers && untouched &&
	git show "$(exp_ref killed):train.sh" >"$TRASH/train" && test_cmp train.sh "$TRASH/train" && git dvx exp remove killed
'

test_expect_success 'Ctrl-C ends the stages and forgets the experiment' '
	rm -f "$STARTED" && git for-each-ref refs/dvx >"$TRASH/all" &&
	{ SLEEP=1000 git-dvx exp run -S lr=0.51 -n stopped >"$TRASH/out" 2>"$TRASH/err" & } && pid=$! && started && kill -TERM $pid &&
	{ wait $pid; code=$?; test $code = 130; } && grep interrupted "$TRASH/err" && ended && no_leftovers && untouched &&
	git for-each-ref refs/dvx >"$TRASH/now" && test_cmp "$TRASH/all" "$TRASH/now"
'

test_expect_success 'Ctrl-C leaves the queue' '
	rm -f "$STARTED" && git dvx exp run --queue -S lr=0.61,0.62 -n waiting >"$TRASH/out" && git for-each-ref refs/dvx >"$TRASH/all" &&
	{ SLEEP=1000 git-dvx exp run --run-all -j 2 >"$TRASH/out" 2>"$TRASH/err" & } && pid=$! && started && kill -TERM $pid &&
	{ wait $pid; code=$?; test $code = 130; } && ended && no_leftovers && untouched &&
	git for-each-ref refs/dvx >"$TRASH/now" && test_cmp "$TRASH/all" "$TRASH/now" && git dvx exp remove --queue
'

test_expect_success 'two at once' '
	{ SLEEP=0.5 git dvx exp run -S lr=0.7 -n one >"$TRASH/out1" 2>&1 & } && first=$! &&
	SLEEP=0.5 git dvx exp run -S lr=0.8 -n two >"$TRASH/out2" && wait $first && no_leftovers && untouched &&
	git show "$(exp_ref one):metrics.json" >"$TRASH/m" && grep 0.7 "$TRASH/m" && git show "$(exp_ref two):metrics.json" >"$TRASH/m" && grep 0.8 "$TRASH/m"
'

test_expect_success 'one name for several at once: one gets it' '
	for i in 1 2 3 4 5; do
		{ git dvx exp run --queue -S lr=0.9$i -n same >>"$TRASH/got" 2>>"$TRASH/refused" & }
	done && wait && test "$(grep -c "Queued experiment .same." "$TRASH/got")" = 1 && test "$(grep -c "there is an experiment .same." "$TRASH/refused")" = 4 &&
	git dvx exp remove same
'

test_expect_success 'killed with all that it has started, after any time: nothing is touched' '
	for ms in 2 5 9 14 20 27 35 44 54 65 77 90 120 150; do
		SLEEP=30 timeout -s KILL 0.$(printf %03d $ms) git-dvx exp run -S lr=0.$ms -n early >/dev/null 2>&1
		after_kill "after $ms ms" || return 1
	done
'

# Sanitizers and preloaded objects do not go together.
test_expect_success !ASAN 'killed with all that it has started, when Git changes something: nothing is touched' 'killed GROUP git 5'
test_expect_success !ASAN 'killed alone, and what it has started goes on: nothing is touched' 'killed FIRST git-dvx,git,git-dvx-filter 23'

test_expect_success 'what a power failure may leave of a worktree is removed, that of others is not' '
	git worktree add -q ../dvx-exp-theirs -b theirs && rm -r ../dvx-exp-theirs &&
	mkdir -p .git/worktrees/dvx-exp-begun .git/worktrees/dvx-exp-half1 .git/worktrees/dvx-exp-empty .git/worktrees/begun && >.git/worktrees/dvx-exp-empty/gitdir &&
	echo initializing | tee .git/worktrees/dvx-exp-begun/locked >.git/worktrees/begun/locked && >.git/worktrees/dvx-exp-half1/commondir &&
	echo "$PWD/.git/dvx/exps/dvx-exp-half/.git" >.git/worktrees/dvx-exp-half1/gitdir && git dvx exp list -A >"$TRASH/list" && git worktree list &&
	ls .git/worktrees >"$TRASH/now" && printf "begun\ndvx-exp-theirs\n" >"$TRASH/expect" && test_cmp "$TRASH/expect" "$TRASH/now" &&
	rm -r .git/worktrees/begun && git worktree prune && git branch -D theirs && no_leftovers && untouched
'

test_expect_success 'why there is no worktree is said' '
	>.git/worktrees && test_expect_code 128 git dvx exp run -S lr=0.99 -n nowhere 2>"$TRASH/err" && grep "^error: .git worktree. failed with exit status" "$TRASH/err" &&
	rm .git/worktrees && no_leftovers && untouched
'

test_expect_success 'hooks do not run' '
	for hook in post-checkout pre-commit post-commit reference-transaction; do
		printf "#!/bin/sh\necho %s >>\"%s/hooks\"\n" $hook "$TRASH" >.git/hooks/$hook && chmod +x .git/hooks/$hook || return 1
	done && git dvx exp run -S lr=0.55 -n hooked >"$TRASH/out" && ! grep -e checkout -e commit "$TRASH/hooks"
'

test_done
