#!/bin/sh
# shellcheck disable=SC2034
test_description='several runs at once: who waits for whom, and for how long'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# In the background, output to NAME.log and NAME.err; its process is in $NAME.  What an earlier case left there must not be
# read for what this one says.
background() {
	dvx_name=$1
	shift
	rm -f "../$dvx_name.log" "../$dvx_name.err"
	"$@" >"../$dvx_name.log" 2>"../$dvx_name.err" &
	eval "$dvx_name=\$!"
}

test_expect_success 'two of the same: each stage is run once' '
	new_project same && echo 1 >in && cat >dvx.yaml <<-\END &&
	stages:
	  a: {cmd: "echo a >>../ran; sleep 0.5; cp in a", deps: [in], outs: [a]}
	  b: {cmd: "echo b >>../ran; cp a b", deps: [a], outs: [b]}
	END
	background one git-dvx repro && background two git-dvx repro && background three git-dvx repro -j3 && wait $one && wait $two && wait $three &&
	holds b 1 && sort ../ran >got && printf "a\nb\n" >expect && test_cmp expect got && no_traces
'

# Stages that begin when ../go is there, and then say so.
cat >"$TRASH/slow.yaml" <<\END
stages:
  writer: {cmd: "echo >../up; until test -e ../go; do sleep 0.02; done; mkdir -p d && echo 1 >d/x", outs: [d/x]}
  reader: {cmd: "cat d/* >r", deps: [d], outs: [r]}
  other: {cmd: "echo 1 >d2", outs: [d2]}
  first: {cmd: "echo >../up; until test -e ../go; do sleep 0.02; done; echo 1 >m1", mutex: [db], outs: [m1]}
  second: {cmd: "test -e m1 && echo 2 >m2", mutex: [db], outs: [m2]}
END
slow_project() {
	new_project "$1" && cp ../slow.yaml dvx.yaml && mkdir d && echo 0 >d/y && rm -f ../up ../go
}

test_expect_success 'who reads a directory waits for who writes in it, and says so once' '
	slow_project reader && background one git-dvx repro -s writer && wait_for test -e ../up &&
	background two git-dvx repro -s reader && wait_for grep -q "Stage .reader. waits for another run: stage .writer. (process $one), which writes .d/x." ../two.log &&
	sleep 0.3 && >../go && wait $one && wait $two && printf "1\n0\n" >expect && test_cmp expect r && test "$(grep -c waits ../two.log)" = 1 && no_traces
'

test_expect_success 'who has nothing to do with it does not' '
	slow_project other && background one git-dvx repro -s writer && wait_for test -e ../up && git dvx repro -s other && holds d2 1 &&
	git dvx status && >../go && wait $one
'

test_expect_success 'a mutex' '
	slow_project mutex && background one git-dvx repro -s first && wait_for test -e ../up &&
	background two git-dvx repro -s second && wait_for grep -q "which has the mutex .db." ../two.log && >../go && wait $one && wait $two && holds m2 2
'

test_expect_success 'a mutex within one run' '
	slow_project within && >../go && git dvx repro -j2 first second && holds m2 2
'

test_expect_success 'a failure frees its claim, too' '
	slow_project failure && sed -i "s/mkdir -p d \&\&/false;/; s/echo 1 >d.x/exit 1/" dvx.yaml && background one git-dvx repro -s writer && wait_for test -e ../up &&
	background two git-dvx repro -s reader && wait_for grep -q waits ../two.log && >../go && test_expect_code 128 wait $one && wait $two && holds r 0 && no_traces
'

test_expect_success 'Ctrl-C ends the waiting, and leaves the other alone' '
	slow_project interrupt && background one git-dvx repro -s writer && wait_for test -e ../up &&
	background two git-dvx repro -s reader && wait_for grep -q waits ../two.log && kill -INT $two && test_expect_code 130 wait $two && absent r &&
	>../go && wait $one && holds d/x 1 && no_traces
'

test_expect_success 'so does kill -9' '
	slow_project killed && background one git-dvx repro -s writer && wait_for test -e ../up &&
	background two git-dvx repro -s reader && wait_for grep -q waits ../two.log && kill -9 $two && test_expect_code 137 wait $two &&
	>../go && wait $one && git dvx repro -s reader && test -s r && no_traces
'

test_expect_success 'who waits for a run that is killed takes over' '
	slow_project over && background one git-dvx repro -s writer && wait_for test -e ../up && background two git-dvx repro -s writer &&
	wait_for grep -q waits ../two.log && kill -9 $one && test_expect_code 137 wait $one && >../go && wait $two && holds d/x 1 && no_traces
'

test_expect_success 'each worktree has its own claims' '
	slow_project trees && git add -A && git commit -q -m stages && git worktree add -q ../other-tree && background one git-dvx repro -s writer &&
	wait_for test -e ../up && >../go2 && (cd ../other-tree && sed -i "s/go;/go2;/" dvx.yaml && git dvx repro -s writer && holds d/x 1) && >../go && wait $one
'

test_expect_success 'a stage that runs git-dvx: other stages run, one that it would have to wait for is refused' '
	new_project nested && echo 1 >in && cat >dvx.yaml <<-\END &&
	stages:
	  outer: {cmd: "git dvx repro -s apart; ! git dvx repro -s outer; ! git dvx repro -s below; cp in out", deps: [in], outs: [out]}
	  below: {cmd: "cp out b", deps: [out], outs: [b]}
	  apart: {cmd: "! git dvx repro -s outer; cp in c", deps: [in], outs: [c]}
	END
	background one git-dvx repro -s outer && wait $one && holds c 1 && holds out 1 && absent b && no_traces &&
	test "$(grep -c "cannot run: this command is part of stage .outer. (process $one), which writes .out." ../one.err)" = 3
'

test_expect_success 'a record that nobody understands stops everything, and says what to do' '
	slow_project foreign && >../go && printf "dvx-claim 9\0" >claim && mkdir -p .git/dvx/running && cp claim .git/dvx/running/1-1-1.claim &&
	test_expect_code 128 git dvx repro -s other 2>err && grep "1-1-1.claim.*remove it when no stage is running.*later version" err && absent d2 &&
	rm .git/dvx/running/1-1-1.claim && git dvx repro -s other && holds d2 1
'

# another_fs: a directory on another file system than ours.
another_fs() {
	for dvx_dir in /dev/shm /run /var/tmp; do
		[ -w $dvx_dir ] && [ "$(stat -c %d $dvx_dir)" != "$(stat -c %d .)" ] && echo $dvx_dir && return
	done
	return 1
}
! another_fs >/dev/null || test_set_prereq OTHERFS

test_expect_success OTHERFS 'a Git directory on another file system: old outputs wait beside, out of sight of Git' '
	far=$(mktemp -d "$(another_fs)/dvx-test-XXXXXX") && test_when_finished "rm -rf $far" && cd "$TRASH" && dvx_repo far --separate-git-dir="$far/git" && cd far &&
	echo 1 >in && printf "stages:\n  s: {cmd: \"mkdir -p out; cp in out/f; cp in log\", deps: [in], outs: [out, {log: {persist: true}}]}\n" >dvx.yaml &&
	git dvx repro && echo 2 >in && sed -i "s/cp in log/cp in log; ls -A >..\/seen; git status --porcelain >..\/status; false/" dvx.yaml &&
	test_expect_code 128 git dvx repro && grep "^.dvx-aside" ../seen && ! grep aside ../status && holds out/f 1 && holds log 1 &&
	test -z "$(find . "$far/git/dvx/running" -name ".dvx-aside*" -o -name "*.claim")" &&
	sed -i "s/; false//" dvx.yaml && echo mine >out/f && git dvx repro && holds out/f 2 && holds log 2 && holds "$far/git/dvx/overwritten/s.1/out/f" mine &&
	test -z "$(find . "$far/git/dvx/running" -name ".dvx-aside*" -o -name "*.claim")"
'

test_done
