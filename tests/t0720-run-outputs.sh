#!/bin/sh
# shellcheck disable=SC2034
test_description='a stage that fails leaves its outputs as they were'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# stage CMD [LINE...]: dvx.yaml with one stage "s" that reads "in" and writes "out"; more lines are added to the stage.
stage() {
	{
		printf 'stages:\n  s:\n    cmd: |-\n%s\n    deps: [in]\n    outs: [out]\n' "$(printf '%s\n' "$1" | sed 's/^/      /')"
		shift
		for line do printf '    %s\n' "$line"; done
	} >dvx.yaml
}

# fails TEXT: repro fails with this in its message.
fails() {
	test_expect_code 128 git dvx repro >out.log 2>err && grep "^error: " err && grep -F -e "$1" err
}

test_expect_success 'setup: a run that succeeds' '
	new_project repo && echo 1 >in && stage "cp in out" && git dvx repro && holds out 1 && no_traces
'

test_expect_success 'a failing command: half an output goes, the old one is back' '
	echo 2 >in && stage "echo half >out; exit 3" && cp dvx.lock before &&
	fails "stage '\''s'\'' failed: '\''echo half >out; exit 3'\'' exited with status 3; its outputs are as they were before" &&
	holds out 1 && test_cmp before dvx.lock && no_traces
'

test_expect_success 'a command that is not found' '
	stage "nosuchprogram in" && fails "exited with status 127 (command not found)" && holds out 1 && no_traces
'

test_expect_success 'a command that dies by a signal' '
	stage "echo half >out; kill -SEGV \$\$" && fails "was killed by SIGSEGV" && holds out 1 && no_traces
'

test_expect_success 'an output that is not made' '
	stage "true" && fails "stage '\''s'\'' did not make its output '\''out'\''" && holds out 1 && no_traces
'

test_expect_success 'no output before: none afterwards' '
	new_project empty && echo 1 >in && stage "echo half >out; false" && fails "exited with status 1" &&
	absent out && absent dvx.lock && no_traces
'

test_expect_success 'a directory for a file, and back' '
	cd "$TRASH/repo" && echo 3 >in && stage "mkdir -p out/a && cp in out/a/b && false" && fails "status 1" && holds out 1 &&
	stage "mkdir -p out/a && cp in out/a/b" && git dvx repro && holds out/a/b 3 && no_traces &&
	stage "cp in out; false" && fails "status 1" && holds out/a/b 3 &&
	stage "cp in out" && git dvx repro && holds out 3 && no_traces
'

test_expect_success 'an output in a directory that the stage removed' '
	cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "mkdir -p d/e && cp in d/e/out", deps: [in], outs: [d/e/out]}
	END
	git dvx repro && holds d/e/out 3 && echo 4 >in &&
	sed -i "s/cp in.*out\"/rm -rf d; false\"/" dvx.yaml && fails "status 1" && holds d/e/out 3 && no_traces
'

test_expect_success !ROOT 'an output in a directory that nobody may write to' '
	chmod a-w d/e && test_when_finished "chmod u+w d/e" && fails "move" && holds d/e/out 3 && no_traces
'

test_expect_success 'a write-protected directory as output: replaced, and given back as it was' '
	test_when_finished "chmod -R u+w out" && new_project protected && echo 1 >in && stage "mkdir -p out/a && cp in out/a/f && chmod -R a-w out" && git dvx repro && echo 2 >in && git dvx repro &&
	holds out/a/f 2 && test "$(stat -c %a out)" = 555 && echo 3 >in && stage "mkdir out; false" && fails "status 1" && holds out/a/f 2 && test "$(stat -c %a out)" = 555 && no_traces
'

test_expect_success 'lines: each its own shell, the first failure ends it' '
	new_project lines && echo 1 >in &&
	stage "$(printf "%s\n" "X=lost; echo one >>log" "test -z \"\$X\"" "echo half >out; false" "echo never >>log")" &&
	fails "'\''echo half >out; false'\'' exited with status 1" && holds log one && absent out
'

test_expect_success 'a command that is a list' '
	cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: ["cp in tmp", "mv tmp out"], deps: [in], outs: [out]}
	END
	git dvx repro >out.log && holds out 1 && printf "> cp in tmp\n> mv tmp out\n" >expect && grep "^> " out.log >got && test_cmp expect got
'

test_expect_success 'wdir: where commands start; it has to be there' '
	new_project wdir && mkdir sub && echo 1 >sub/in && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "cp in out; pwd >pwd", wdir: sub, deps: [in], outs: [out]}
	END
	git dvx repro && holds sub/out 1 && holds sub/pwd "$PWD/sub" &&
	sed -i "s/wdir: sub/wdir: no/; s/deps: .in., //" dvx.yaml && fails "wdir" && holds sub/out 1 && no_traces
'

test_expect_success 'the environment of a command' '
	new_project env && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "echo $DVX_ROOT $DVX_STAGE $DVC_ROOT $DVC_STAGE $THREADS $KEPT >out", outs: [out], env: {set: {THREADS: 4}}}
	END
	KEPT=yes git dvx repro && holds out "$PWD s $PWD s 4 yes"
'

test_expect_success 'the shell is the user'\''s' '
	new_project shell && echo 1 >in && stage "echo \$BASH_VERSION >out" && SHELL=$(command -v bash) git dvx repro &&
	grep "[0-9]" out && stage "echo \$0 >out" && SHELL=/bin/false git dvx repro && holds out /bin/sh
'

test_expect_success 'persist: the stage finds what is there, a failure leaves it as it was' '
	new_project persist && echo 1 >in && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "cat in >>log; mkdir -p d; cp in d/$(cat in)", deps: [in], outs: [{log: {persist: true}}, {d: {persist: true}}]}
	END
	git dvx repro && echo 2 >in && git dvx repro && printf "1\n2\n" >expect && test_cmp expect log && ls d >got && test_cmp expect got &&
	echo 3 >in && cp dvx.yaml kept && sed -i "s/cp in.*)/&; false/" dvx.yaml && grep false dvx.yaml && fails "status 1" &&
	test_cmp expect log && ls d >got && test_cmp expect got && no_traces
'

test_expect_success 'an output changed by hand is kept' '
	new_project hand && echo 1 >in && stage "cp in out" && git dvx repro && echo precious >out && echo 2 >in &&
	git dvx repro >log && holds out 2 && grep "kept in .*overwritten/s\.1" log && holds .git/dvx/overwritten/s.1/out precious && no_traces
'

test_expect_success 'also when nothing has to run' '
	echo mine >out && git dvx repro >log && holds out 2 && holds .git/dvx/overwritten/s.2/out mine &&
	echo mine too >out && echo 1 >in && git dvx repro >log && grep "is cached" log && holds out 1 && holds .git/dvx/overwritten/s.3/out "mine too" && no_traces
'

test_expect_success 'a repository within an output is kept, whatever its files' '
	new_project within && echo 1 >in && stage "mkdir out && cp in out/f" && git dvx repro && git init -q out/deep && echo 2 >in && git dvx repro >log &&
	grep "kept in .*overwritten/s\.1" log && test -d .git/dvx/overwritten/s.1/out/deep/.git && holds out/f 2 && absent out/deep &&
	git init -q out && (cd out && git add f && git commit -q -m precious) && rm -f out/f && git dvx repro >log &&
	git -C .git/dvx/overwritten/s.2/out log --oneline | grep precious && holds out/f 2 && absent out/.git && no_traces
'

test_expect_success 'an output behind a symbolic link is refused, and what it leads to left alone' '
	new_project behind && echo 1 >in && mkdir ../elsewhere && echo mine >../elsewhere/f && ln -s ../elsewhere l && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "cp in l/f", deps: [in], outs: [l/f]}
	END
	fails "'\''l'\'' is a symbolic link" && holds ../elsewhere/f mine && absent dvx.lock && no_traces &&
	rm l && sed -i "s/cp in/rm -r l; ln -s ..\/elsewhere l; &/" dvx.yaml && fails "'\''l'\'' is a symbolic link" && absent dvx.lock && no_traces
'

test_expect_success 'so is one in another repository' '
	new_project around && echo 1 >in && dvx_repo sub && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "cp in sub/f", deps: [in], outs: [sub/f]}
	END
	fails "'\''sub'\'' is a Git repository of its own" && absent sub/f && absent dvx.lock && no_traces
'

test_expect_success 'and one that was there before the first run; what Git has is not' '
	new_project first && echo 1 >in && echo mine >out && stage "cp in out" && git dvx repro && holds .git/dvx/overwritten/s.1/out mine &&
	new_project tracked && echo 1 >in && echo mine >out && git add out && git commit -q -m out && stage "cp in out" &&
	git dvx repro && holds out 1 && absent .git/dvx/overwritten
'

test_expect_success 'a failure gives it back' '
	new_project back && echo 1 >in && echo mine >out && stage "cp in out; false" && fails "status 1" && holds out mine && no_traces
'

test_expect_success 'an earlier output of ours needs no keeping' '
	new_project ours && for i in 1 2 1 3; do echo $i >in && stage "cp in out" && git dvx repro -f || return 1; done &&
	echo 2 >out && git dvx repro && holds out 3 && absent .git/dvx/overwritten
'

test_expect_success 'a dependency that changes while the stage runs' '
	new_project change && echo 1 >in && stage "cp in out; echo 2 >in" && fails "'\''in'\'', which stage '\''s'\'' depends on, changed while it ran" &&
	absent out && absent dvx.lock && no_traces
'

test_expect_success 'a dependency that is not there' '
	new_project nodep && stage "cp in out" && fails "in" && absent dvx.lock && no_traces
'

test_expect_success 'what a stage leaves running holds nothing up' '
	new_project daemon && echo 1 >in && stage "sleep 1000 >/dev/null 2>&1 & echo \$! >pid; cp in out" && git dvx repro && pid=$(cat pid) &&
	test_when_finished "kill $pid" && ! gone "$pid" && no_traces && echo 2 >in && stage "cp in out" && git dvx repro && holds out 2
'

test_expect_success 'when it fails nothing is left running' '
	new_project rest && echo 1 >in && stage "(sleep 1; echo late >out) & echo \$! >pid; false" && fails "status 1" && wait_for gone "$(cat pid)" && absent out
'

test_expect_success 'with -j, output comes by lines, whole and in order' '
	new_project lines2 && cat >dvx.yaml <<-\END &&
	stages:
	  a: {cmd: "echo A1; echo A2 >&2; printf A3; touch a", outs: [a]}
	  b: {cmd: "seq 20000; printf \"10%%\\r100%%\\n\"; cat; touch b", outs: [b]}
	END
	echo stdin | git dvx repro -j2 >log 2>err && grep "^a | A" log >got && printf "a | A%s\n" 1 2 3 >expect && test_cmp expect got &&
	grep "^b | [0-9]*$" log | cut -c5- >got && seq 20000 >expect && test_cmp expect got && grep -x "b | 100%" log && ! grep stdin log
'

test_expect_success 'without it, a command has our stdin' '
	new_project stdin && cat >dvx.yaml <<-\END &&
	stages:
	  s: {cmd: "cat >out", outs: [out]}
	END
	echo typed | git dvx repro && holds out typed
'

test_expect_success 'an interrupted stage: its commands are told, the old output is back' '
	new_project interrupt && echo 1 >in && stage "cp in out" && git dvx repro && echo 2 >in &&
	stage "echo half >out; trap \"echo told >told; exit 1\" INT; echo up >up; while :; do sleep 0.1; done" &&
	{ git-dvx repro >log 2>err & } && pid=$! && wait_for test -s up && kill -INT $pid && test_expect_code 130 wait $pid &&
	holds told told && holds out 1 && no_traces && grep interrupted err
'

test_done
