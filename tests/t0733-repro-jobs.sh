#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx repro -j: stages at the same time, mutexes, resources, failures, interruption'
. "$(dirname "$0")/lib.sh"

# Stages use "meet NAME OTHER": it ends when both have come, so it can only succeed when two run at once; and
# "alone KEY": it fails when another holds the key.
test_expect_success 'setup' '
	dvx_repo repo && cd repo && mkdir ../meet &&
	cat >../meet.sh <<-\END &&
	: >"$MEET/$1"
	for i in $(seq 1200); do [ -e "$MEET/$2" ] && exit 0; sleep 0.05; done
	echo "$2 did not come"; exit 1
	END
	cat >../alone.sh <<-\END &&
	mkdir "$MEET/$1.lock" || { echo "two at once"; exit 1; }
	sleep 0.1
	rmdir "$MEET/$1.lock"
	END
	MEET=$TRASH/meet && export MEET && echo 1 >in
'

test_expect_success 'independent stages run at once, their lines have their names' '
	cat >dvx.yaml <<-\END &&
	stages:
	  a: {cmd: ["sh ../meet.sh a b", "echo from a; printf last; echo a >a"], deps: [in], outs: [a]}
	  b: {cmd: ["sh ../meet.sh b a", "echo from b >&2; echo b >b"], deps: [in], outs: [b]}
	  c: {cmd: cat a b >c, deps: [a, b], outs: [c]}
	END
	git dvx repro -j 4 >../out && grep -x "a | from a" ../out && grep -x "a | last" ../out && grep -x "b | from b" ../out && grep -x "a | > sh ../meet.sh a b" ../out &&
	grep -x "Stages: 3 ran" ../out && test "$(tail -n 1 ../out)" = "	git add dvx.lock .gitattributes a b c" && printf "a\nb\n" | cmp - c &&
	cp dvx.lock ../lock && rm dvx.lock && rm -rf ../meet/* && git dvx repro -f -j 2 && test_cmp ../lock dvx.lock && git dvx repro -j 4 >../out && grep "up to date" ../out
'

test_expect_success 'a mutex is for one at a time' '
	rm -rf dvx.lock ../meet/* && cat >dvx.yaml <<-\END &&
	stages:
	  all:
	    foreach: [1, 2, 3, 4]
	    do: {cmd: "sh ../alone.sh db && echo ${item} >o${item}", outs: ["o${item}"], deps: [in], mutex: [db]}
	END
	git dvx repro -j 4 && test -f o4
'

test_expect_success 'resources: as many as there are' '
	cat >dvx.yaml <<-\END &&
	stages:
	  all:
	    foreach: [1, 2, 3]
	    do: {cmd: "sh ../alone.sh gpu && echo ${item} >o${item}", outs: ["o${item}"], deps: [in], resources: {gpu: 1}}
	END
	git dvx repro -f -j 4 &&
	cat >dvx.yaml <<-\END &&
	stages:
	  a: {cmd: "sh ../meet.sh a b; echo a >a", deps: [in], outs: [a], resources: {gpu: 2}}
	  b: {cmd: "sh ../meet.sh b a; echo b >b", deps: [in], outs: [b], resources: {gpu: 1}}
	  big: {cmd: "echo big >big", deps: [in], outs: [big], resources: {gpu: 100}}
	END
	rm -rf ../meet/* && git config dvx-resource.gpu.capacity 3 && git dvx repro -f -j 4 && test -f big
'

test_expect_success 'a failure stops what needs it, with -k nothing else' '
	rm -f dvx.lock && cat >dvx.yaml <<-\END &&
	stages:
	  bad: {cmd: "until test -e ../meet/good; do sleep 0.05; done; echo oh no; exit 4", deps: [in], outs: [bad]}
	  below: {cmd: "cp bad below", deps: [bad], outs: [below]}
	  deeper: {cmd: "cp below deeper", deps: [below], outs: [deeper]}
	  good: {cmd: ": >../meet/good; until grep -q \"^error: failed\" ../err; do sleep 0.05; done; cp in good", deps: [in], outs: [good]}
	  better: {cmd: "cp good better", deps: [good], outs: [better]}
	END
	test_expect_code 128 git dvx repro -j 2 >../out 2>../err && grep -x "bad | oh no" ../out && test -f good && ! test -e better &&
	grep "^error: failed to reproduce .bad.: stage .bad. failed" ../err && grep "^error: 1 stage failed: .bad." ../err &&
	test_expect_code 128 git dvx repro -j 2 -k >../out 2>../err && test -f better && ! test -e below &&
	grep "Stage .below. did not run, because .bad. failed" ../out && grep "Stage .deeper. did not run, because .bad. failed" ../out &&
	grep "^error: 1 stage failed: .bad.; 2 that need what is missing now did not run" ../err && grep "^Stages: 1 ran, 1 unchanged, 1 failed, 2 not run" ../out
'

# Not before that: a signal that comes while dash is starting a program ends neither.
sleeps() {
	test -s "$1" && grep -qx sleep "/proc/$(cat "$1")/comm"
}
test_expect_success 'interrupted: nothing goes on, outputs are as they were' '
	git dvx repro -s good better && echo 2 >in && cat >dvx.yaml <<-\END &&
	stages:
	  slow: {cmd: "echo half >slow; echo $$ >../meet/started; exec sleep 100", deps: [in], outs: [slow]}
	  good: {cmd: "echo half >good; echo $$ >../meet/started2; exec sleep 100", deps: [in], outs: [good]}
	END
	echo 1 >../expect && { git-dvx repro -j 2 >../out 2>../err & pid=$!; } &&
	while ! sleeps ../meet/started || ! sleeps ../meet/started2; do sleep 0.05; kill -0 $pid || return 1; done &&
	kill -TERM $pid && { wait $pid; test $? = 130; } && grep "^interrupted; " ../err && ! test -e slow && test_cmp ../expect good
'

test_done
