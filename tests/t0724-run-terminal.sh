#!/bin/sh
# shellcheck disable=SC2034
test_description='stages at a terminal: they can read from it, know that it is one, and get its Ctrl-C'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

at_terminal() {
	python3 "$dvx_top/tests/tools/terminal.py" "$@"
}

# stage CMD
stage() {
	printf 'stages:\n  s:\n    cmd: |-\n      %s\n    deps: [in]\n    outs: [out]\n' "$1" >dvx.yaml
}

test_expect_success 'a question and its answer' '
	new_project ask && echo 1 >in && stage "test -t 0 && test -t 1 && test -t 2 && printf \"name? \" && read x && echo \$x >out" &&
	at_terminal "name? " "Ada\n" git dvx repro >log && holds out Ada
'

test_expect_success 'Ctrl-C: the command gets it once, the old output is back' '
	echo 2 >in && stage "echo half >out; trap \"echo told >>told; exit 1\" INT; echo rea\"\"dy; while :; do sleep 0.1; done" &&
	test_expect_code 130 at_terminal ready "\\x03" git-dvx repro >log && grep interrupted log && holds told told && holds out Ada && no_traces
'

test_expect_success 'with several at once commands are told by us' '
	rm -f told && test_expect_code 130 at_terminal ready "\\x03" git-dvx repro -j2 >log && grep interrupted log && holds told told && holds out Ada && no_traces
'

test_expect_success 'killed there, the shell goes with it' '
	stage "echo half >out; echo \$\$ >pid; kill -9 \$PPID; while :; do sleep 0.1; done" && rm -f pid &&
	test_expect_code 137 at_terminal never "" git-dvx repro >log && wait_for gone "$(cat pid)" && git dvx repro --dry-run >log && holds out Ada && no_traces
'

test_done
