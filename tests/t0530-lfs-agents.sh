#!/bin/sh
test_description='custom transfer agents: a good one, which Git LFS runs as well, and bad ones'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-lib.sh"

A=$TRASH/agent' dir'

# agent REPO [QUIRK]: from now on that repository's data goes by the agent alone.
agent() {
	ag_quirk=${2:-}
	git -C "$1" config lfs.standalonetransferagent test &&
		git -C "$1" config lfs.customtransfer.test.path lfs-agent.py &&
		git -C "$1" config lfs.customtransfer.test.args "'$A' $ag_quirk" && : >"$A/log" && rm -f "$A/died"
}
# started: how many processes there were.
started() {
	grep -c "^start " "$A/log"
}
# fresh NAME [QUIRK]: an empty repository with an agent.
fresh() {
	rm -rf "$1" && lfs_repo "$1" http://127.0.0.1:1/lfs && agent "$@"
}
# one_error QUIRK REGEX: of a download of one object comes this error, once, and nothing wrong; the agent is gone.
one_error() {
	fresh down "$1" && test_expect_code 1 download down one >out
	cat out && test "$(grep -c "^error " out)" = 1 && grep -E "^error .*transfer agent 'test': object $(cut -d" " -f1 one).*: .*$2" out &&
		nothing_wrong down && ! test -e "$(object_path down "$(cut -d" " -f1 one)")" && gone
}
# gone: no process of an agent is left.
gone() {
	for gn_pid in $(sed -n 's/^start //p' "$A/log"); do
		! kill -0 "$gn_pid" 2>/dev/null || { echo "still there: $gn_pid"; return 1; }
	done
}

test_expect_success 'setup: 20 objects and a large one' '
	mkdir "$A" && lfs_repo up http://127.0.0.1:1/lfs && agent up && many_files up 20 >all && random_file big 3M big &&
	store_file up big >>all && tail -n 1 all >one
'

test_expect_success 'alone, it gets all objects, with what it must know' '
	upload up all >out && test "$(grep -c "^ok " out)" = 21 && cmp big "$A/$(oid_of big)" &&
	grep "\"event\":\"init\",\"operation\":\"upload\",\"remote\":\"origin\",\"concurrent\":true,\"concurrenttransfers\":" "$A/log" &&
	grep "\"event\":\"upload\",\"oid\":\"$(oid_of big)\",\"size\":3145728,\"path\":\"/.*\",\"action\":null" "$A/log" && gone &&
	test "$(started)" = "$(grep -c "^end " "$A/log")" && ! ls up/.git/lfs/tmp/dvx-* 2>/dev/null
'

test_expect_success 'and they come back' '
	fresh down && download down all >out && test "$(grep -c "^ok " out)" = 21 && has_objects down all && nothing_wrong down &&
	test "$(ls "$A" | wc -l)" = 22
'

test_expect_success 'as many processes as transfers at once; one where it wants that' '
	fresh down slow && head -n 4 all >four && git -C down config lfs.concurrenttransfers 4 && download down four && test "$(started)" = 4 &&
	fresh down && git -C down config lfs.customtransfer.test.concurrent false && download down all &&
	test "$(started)" = 1 && grep "\"concurrent\":false,\"concurrenttransfers\":1" "$A/log"
'

test_expect_success 'arguments are words as in a shell, and no shell reads them' '
	fresh down && git -C down config lfs.customtransfer.test.args "\"\$TRASH/agent dir\"" && download down one &&
	fresh down && git -C down config lfs.customtransfer.test.args "x; touch $TRASH/pwned" &&
	test_expect_code 128 download down one >out && grep "lfs.customtransfer.test.args: .;. needs a shell" out && ! test -e pwned
'

test_expect_success GITLFS 'Git LFS has the same from the same agent, and gives it the same' '
	git init -q --bare host.git && git init -q g && (cd g && git lfs install --local && git lfs track "*.bin" && cp ../big a.bin &&
	git add . && git commit -qm 1 && git remote add origin ../host.git) && agent g && rm "$A/$(oid_of big)" &&
	git -C g config lfs.url http://127.0.0.1:1/lfs && git -C g push -q origin main && cmp big "$A/$(oid_of big)" &&
	fresh down && download down one && has_objects down one &&
	rm "$A/$(oid_of big)" && upload down one && git -c core.hooksPath=/none clone -q host.git h && agent h &&
	git -C h config lfs.url http://127.0.0.1:1/lfs && (cd h && git lfs install --local && git lfs pull) && cmp big h/a.bin
'

test_expect_success 'the server chooses it, and its words go along; where it does not know it, HTTP' '
	start_quirks && fresh down && git -C down config --unset lfs.standalonetransferagent &&
	git -C down config lfs.url "$QUIRK_ENDPOINT/lfs" && serve_objects up one &&
	quirk "offers test" "header X-Token abc" && download down one && has_objects down one &&
	quirk_log objects/batch | grep "\"transfers\": \[\"basic\", \"test\"\]" && test "$(quirk_requests "\"GET\"")" = 0 &&
	grep "\"action\":{\"href\":\"$QUIRK_ENDPOINT/get/$(oid_of big)\",\"header\":{\"X-Token\":\"abc\"}}" "$A/log" &&
	rm -rf down/.git/lfs/objects && quirk && download down one && test "$(quirk_requests "\"GET\"")" = 1
'

test_expect_success 'a direction that it is not for' '
	rm -rf down/.git/lfs/objects && git -C down config lfs.customtransfer.test.direction upload && quirk "offers test" &&
	download down one && quirk_log objects/batch | grep "\"transfers\": \[\"basic\"\]"
'

test_expect_success 'only the own configuration names one' '
	fresh down && git -C down config --unset lfs.standalonetransferagent && git -C down config --unset lfs.customtransfer.test.path &&
	printf "[lfs]\n\tstandalonetransferagent = test\n[lfs \"customtransfer.test\"]\n\tpath = lfs-agent.py\n" >down/.lfsconfig &&
	git -C down config dvx.retries 0 && test_expect_code 128 download down one >out && ! grep agent out && test "$(grep -c start "$A/log")" = 0
'

test_expect_success 'one that is not ready' '
	fresh down not-ready && test_expect_code 128 download down all >out && grep "transfer agent .test.: not today" out && gone
'

test_expect_success 'one that is not there, or has no program' '
	fresh down && git -C down config lfs.customtransfer.test.path no-such-agent && test_expect_code 128 download down one >out &&
	grep "transfer agent .test.: .*no-such-agent" out && git -C down config --unset lfs.customtransfer.test.path &&
	test_expect_code 128 download down one >out && grep "lfs.customtransfer.test.path" out
'

test_expect_success 'one that dies fails an object; the others come by another process' '
	fresh down dies && git -C down config lfs.customtransfer.test.concurrent false && test_expect_code 1 download down all >out &&
	test "$(grep -c "^error .*it has ended too early" out)" = 1 && test "$(grep -c "^ok " out)" = 20 && test "$(started)" = 2 && gone
'

test_expect_success 'one that dies each time is given up' '
	fresh down dies-always && git -C down config lfs.customtransfer.test.concurrent false &&
	test_expect_code 128 download down all >out && test "$(grep -c "^error " out)" = 3 && test "$(started)" = 3 && gone
'

test_expect_success 'one that fails an object says why; nothing of it is obeyed by a terminal' '
	one_error error "no object for you" && ! grep "$(printf "\033")" out
'
test_expect_success 'an answer for another object' 'one_error other-oid "another object"'
test_expect_success 'no file' 'one_error no-path "names no file"'
test_expect_success 'a file that is not there' 'one_error wrong-path "cannot open"'
test_expect_success 'a symbolic link' 'one_error link "cannot open"'
test_expect_success 'other bytes' 'one_error wrong-bytes "content is object"'
test_expect_success 'too few bytes' 'one_error short "3145727 bytes, not 3145728"'
test_expect_success 'no JSON' 'one_error no-json "JSON"'
test_expect_success 'a line without end' 'one_error endless "without end"'
test_expect_success 'more progress than there is' 'one_error too-much "impossible"'
test_expect_success 'progress that goes back' 'one_error backwards "impossible"'
test_expect_success 'silence' 'one_error silent "says nothing for 2 s"'

test_expect_success 'a file that is in its place already stays there' '
	fresh down in-place && download down one && has_objects down one && nothing_wrong down
'

test_expect_success 'an agent that starts itself does it once' '
	fresh down && git -C down config lfs.customtransfer.test.path git-dvx-transfer && git -C down config lfs.customtransfer.test.args "" &&
	test_must_fail download down one >out 2>&1 && grep -e "--store" out
'

test_done
