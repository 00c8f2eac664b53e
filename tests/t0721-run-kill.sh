#!/bin/sh
# shellcheck disable=SC2034
test_description='kill -9 of git-dvx, of a stage, of both: the next run has the right outputs, and nothing of the old is lost'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# kill_at K COMMAND...: with git-dvx killed instead of its K-th call that changes something.
kill_at() {
	dvx_k=$1
	shift
	rm -f "$TRASH/fault" "$TRASH/fault.count"
	FAULTLINE="git-dvx create,write,fsync,rename,link,unlink,truncate,mkdir,chmod,spawn,clone,copy,send KILL $dvx_k $TRASH/fault" \
		LD_PRELOAD="$(dirname "$DVX_BIN")/tools/faultline.so" "$@"
}

# Every call with LARGE=1, else some.
step=${LARGE:-17}

# Two stages in a row: a directory, a kept log, a file that was changed by hand; then one behind them.
test_expect_success 'setup' '
	new_project repo && cat >dvx.yaml <<-\END && printf "%s\n" dvx.lock /out /tree /log /last >expect-never &&
	stages:
	  first:
	    cmd:
	    - mkdir -p tree/deep && for i in 1 2 3; do cp in tree/deep/$i || exit; done
	    - echo half >out; cat in >>log; cp in out
	    deps: [in]
	    outs: [out, tree, {log: {persist: true}}]
	  second: {cmd: "cat out tree/deep/* >last", deps: [out, tree], outs: [last]}
	END
	rm expect-never && echo old >in && git dvx repro && holds log old && echo "by hand" >out && echo new >in && cd .. && cp -a repo origin
'

# one of the two states, nothing between: "by hand" is either still in its place or was kept
intact() {
	if [ -f dvx.lock ] && [ "$(cat out)" = "by hand" ]; then
		holds tree/deep/3 old && holds log old && [ "$(ls tree/deep | wc -l)" = 3 ]
	else
		holds .git/dvx/overwritten/first.1/out "by hand" && holds out new && holds tree/deep/3 new && [ "$(wc -l <log)" = 2 ]
	fi
}
is_complete() {
	holds out new && holds tree/deep/3 new && [ "$(ls tree/deep | wc -l)" = 3 ] && [ "$(wc -l <last)" = 4 ] && ! grep -q old last &&
		[ "$(tail -n 1 log)" = new ] && [ "$(head -n 1 log)" = old ] && cat .git/dvx/overwritten/*/out | grep -qx "by hand" && no_traces
}

# at K: killed there, the state is whole once a command has looked, and the next run completes it.  2 when nothing was killed.
at() {
	rm -rf repo && cp -a origin repo && cd repo || return 1
	kill_at "$1" git-dvx repro >../log 2>&1
	dvx_rc=$?
	if [ $dvx_rc = 0 ]; then
		is_complete && cd .. && return 2
		return 1
	fi
	[ $dvx_rc = 137 ] || { echo "call $1: status $dvx_rc"; cat ../log; return 1; }
	git-dvx status >../log2 2>&1 || { echo "call $1: status failed"; cat ../log2; return 1; }
	if [ -n "$(find .git/dvx/running -name "*.claim" 2>/dev/null)" ]; then
		wait_for git_dvx_settled # its commands are about to end
	fi
	intact || { echo "call $1: not intact"; tail -n 3 ../fault; return 1; }
	git-dvx repro >../log2 2>&1 || { echo "call $1: the next run fails"; cat ../log2; return 1; }
	is_complete || { echo "call $1: not complete"; tail -n 3 ../fault; cat ../log2; return 1; }
	git-dvx repro >../log2 2>&1 && grep -q "up to date" ../log2 || { echo "call $1: not up to date"; cat ../log2; return 1; }
	cd ..
}
git_dvx_settled() {
	git-dvx status >/dev/null && no_traces
}

# Sanitizers and preloaded objects do not go together.
test_expect_success !ASAN 'git-dvx killed at each call that changes something' '
	cd "$TRASH" && k=1 && while :; do
		at $k
		case $? in
		0) ;;
		2) break ;;
		*) return 1 ;;
		esac
		k=$((k + step))
	done && echo "killed at calls up to $((k - 1))" && test $k -gt 50
'

test_expect_success !ASAN 'also while what was killed is recovered' '
	cd "$TRASH" && rm -rf repo && cp -a origin repo && cd repo && kill_at 0 git-dvx repro >../log 2>&1 && cd .. &&
	n=$(grep -a "^end" fault | tail -n 1 | awk "{ print \$3 }") &&
	for k in $((n / 2)) ${LARGE:+$((n / 3)) $((n * 2 / 3))}; do
		rm -rf repo && cp -a origin repo && cd repo && test_expect_code 137 kill_at $k git-dvx repro >../log 2>&1 && cd .. && rm -rf killed && mv repo killed &&
		i=1 && while :; do
			rm -rf repo && cp -a killed repo && cd repo || return 1
			kill_at $i git-dvx status >../log 2>&1
			rc=$?
			git-dvx status >../log2 2>&1 && intact && git-dvx repro >../log2 2>&1 && is_complete || { cat ../log2; echo "calls $k, then $i"; return 1; }
			cd ..
			test $rc = 137 || break
			i=$((i + step))
		done || return 1
	done
'

# stage CMD: one stage that says it is up, and then does not end.
endless() {
	cat >dvx.yaml <<-END
	stages:
	  s:
	    cmd: |-
	      $1
	    deps: [in]
	    outs: [out]
	END
}

test_expect_success 'killed while the command runs: the command ends, too' '
	new_project command && echo 1 >in && endless "cp in out" && git dvx repro && echo 2 >in &&
	endless "echo half >out; echo \$\$ >../pid; sleep 1000; true" && rm -f ../pid &&
	{ git-dvx repro >../log 2>&1 & } && pid=$! && wait_for test -s ../pid && kill -9 $pid && test_expect_code 137 wait $pid &&
	wait_for gone "$(cat ../pid)" && wait_for git_dvx_settled && holds out 1 && absent .git/dvx/overwritten && no_traces &&
	endless "cp in out" && git dvx repro && holds out 2
'

test_expect_success 'the command killed' '
	echo 3 >in && endless "echo half >out; kill -9 \$\$" && test_expect_code 128 git dvx repro 2>err && grep SIGKILL err && holds out 2 && no_traces
'

test_expect_success 'both killed at once' '
	endless "echo half >out; kill -9 \$PPID \$\$" && test_expect_code 137 git-dvx repro && wait_for git_dvx_settled && holds out 2 && no_traces
'

test_expect_success 'killed, and somebody of the stage lives on: he is waited for' '
	endless "setsid sh -c \"echo \\\$\\\$ >../pid; while test ! -e ../go; do sleep 0.05; done; echo late >out\"" && rm -f ../pid ../go &&
	{ git-dvx repro >../log 2>&1 & } && pid=$! && wait_for test -s ../pid && kill -9 $pid && test_expect_code 137 wait $pid &&
	orphan=$(cat ../pid) && ! gone "$orphan" && endless "cp in out" &&
	{ git-dvx repro >../log 2>&1 & } && pid=$! && wait_for grep -q "waits for another run: stage .s. (process $orphan, left behind by a killed run), which writes .out." ../log &&
	>../go && wait $pid && holds out 3 && no_traces
'

test_expect_success 'what was put there since then is kept' '
	new_project since && echo 1 >in && endless "mkdir -p out && cp in out/f" && sed -i "s/outs: .*/outs: [out, new]/; s/cp in .*/&; cp in new/" dvx.yaml && git dvx repro && rm new && echo 2 >in &&
	endless "mkdir out; echo half >out/f; echo half >new; echo \$\$ >../pid; sleep 1000; true" && sed -i "s/outs: .*/outs: [out, new]/" dvx.yaml && rm -f ../pid &&
	{ git-dvx repro >../log 2>&1 & } && pid=$! && wait_for test -s ../pid && kill -9 $pid && test_expect_code 137 wait $pid && wait_for gone "$(cat ../pid)" &&
	touch -d "1 minute ago" .git/dvx/running/*.claim && echo mine >out/f && wait_for git_dvx_settled && holds out/f 1 && absent new && no_traces &&
	cat .git/dvx/overwritten/*/out/f >got && cat .git/dvx/overwritten/*/new >>got && printf "mine\nhalf\n" >expect && test_cmp expect got
'

# Not before sleep runs: a signal that comes while dash is starting a program ends neither.
test_expect_success 'hung up: the old output is back at once' '
	new_project hangup && echo 1 >in && endless "cp in out" && git dvx repro && echo 2 >in && endless "echo half >out; echo \$\$ >../pid; sleep 1000; true" && rm -f ../pid &&
	{ env --default-signal=HUP git-dvx repro >../log 2>&1 & } && pid=$! && wait_for test -s ../pid && wait_for pgrep -P "$(cat ../pid)" -x sleep >../sleeping &&
	kill -HUP $pid && test_expect_code 130 wait $pid && holds out 1 && no_traces
'

test_expect_success 'killed at random moments, many times' '
	new_project random && echo 0 >in && endless "for i in 1 2 3; do echo half >out; cp in out; done" && git dvx repro &&
	for i in $(seq ${LARGE:+2}20); do
		echo $i >in && { git-dvx repro >../log 2>&1 & } && pid=$! && sleep 0.0$((i * 7 % 10))$((i % 10)) && kill -9 $pid 2>/dev/null; wait $pid
		git-dvx repro >../log 2>&1 && holds out $i && no_traces || { cat ../log; return 1; }
	done
'

test_done
