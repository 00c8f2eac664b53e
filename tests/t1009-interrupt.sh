#!/bin/bash
# shellcheck disable=SC2034
test_description='Ctrl-C during late rehydration: pointers and journal stay, no lock is left, the mend is named, and it mends'
. "$(dirname "$0")/lib.sh"
skip_all_unless STRACE 'the filter has to be slow at one place'

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "*.bin" &&
	for v in 1 2; do
		for f in a b c d; do random_file $f.bin $((100000 + v)) $f$v || return 1; done && random_file s.bin 2000 s$v &&
		git add -A && git commit -q -m v$v && git tag v$v && sha256sum *.bin >../sums$v || return 1
	done
'

# interrupted CALL PATTERN [US]: a checkout of v1, whose filter takes so long (half a second) for each CALL, in a process group of its own as on a terminal,
# with SIGINT to all of it when PATTERN has been seen.  Git dies of it; the filter ends in order, soon after.
interrupted() {
	local pid
	git checkout -q -f v2 && rm -f ../trace &&
		printf '#!/bin/sh\nexec strace -o "%s" -e trace=%s -e inject=%s:delay_enter=%d git-dvx-filter\n' \
			"$TRASH/trace" "$1" "$1" "${3:-500000}" >../slow && chmod +x ../slow || return
	env --default-signal=INT setsid git -c dvx.jobs=1 -c filter.dvx.process="\"$TRASH/slow\"" checkout -q v1 2>../err &
	pid=$!
	while ! grep -q "$2" ../trace 2>/dev/null; do kill -0 $pid || return; sleep 0.02; done
	kill -INT -- -$pid
	wait $pid
	[ $? = 130 ] || return
	while ! grep -q '^+++ exited' ../trace; do sleep 0.02; done
	cat ../err
}

completes() {
	! test -e .git/index.lock && test -z "$(git status --porcelain)" &&
		git dvx checkout && sha256sum --quiet -c ../sums1 && is_clean && ! ls .git/dvx/pending/*.journal && git checkout -q v2
}

test_expect_success 'while files are prepared: all stay pointers' '
	interrupted pwrite64 pwrite64 && for f in a b c d; do is_pointer $f.bin || return 1; done &&
	ls .git/dvx/pending/*.journal && grep "4 of 5 files still are pointers" ../err && grep "git dvx checkout" ../err && completes
'

test_expect_success 'under the lock: what is in place is in the index' '
	interrupted renameat2 renameat2 && not_pointer a.bin && is_pointer d.bin && ls .git/dvx/pending/*.journal &&
	grep "files still are pointers" ../err && grep "git dvx checkout" ../err && completes
'

test_expect_success 'when the index is put in place: all is done' '
	interrupted rename index.lock 2000000 && not_pointer a.bin b.bin c.bin d.bin && ! ls .git/dvx/pending/*.journal &&
	test_must_be_empty ../err && is_clean && completes
'

test_expect_success 'nothing is left in the staging directory' 'test -z "$(ls -A .git/dvx/tmp)"'

test_done
