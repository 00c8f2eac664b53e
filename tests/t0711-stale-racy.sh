#!/bin/sh
# shellcheck disable=SC2034
test_description='what did not change is not read again, and no change is missed, whatever the times say'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# state: the stages that are stale, in one line
state() {
	git dvx status >../out && sed -n 's/^\([a-z]*\):$/\1/p' ../out | tr '\n' ' '
}
changed() {
	test "$(state)" = "$1 " || { cat ../out; return 1; }
}
unchanged() {
	test -z "$(state)" || { cat ../out; return 1; }
}

# put TEXT FILE: into the same inode, with the mtime that the file had
put() {
	dvx_time=$(stat -c %y "$2") && printf '%s\n' "$1" >"$2" && touch -d "$dvx_time" "$2"
}

test_expect_success 'setup: a file, a directory and a big file as dependencies' '
	new_project repo && cat >dvx.yaml <<-\END &&
	stages:
	  file: {cmd: cp in out, deps: [in], outs: [out]}
	  dir: {cmd: "cat d/* | sort | tail -n 1 >last", deps: [d], outs: [last]}
	  big: {cmd: cksum big >sum, deps: [big], outs: [sum]}
	END
	mkdir d && echo aaa >in && for i in 1 2 3 4 5; do echo $i >d/$i || exit; done && random_file big 3M big && git dvx repro >/dev/null && unchanged
'

test_expect_success 'same size, same inode, same time to the nanosecond: at once, and later' '
	for pause in 0 0 0 0.005 0.01 0.02 0.03 0.05 0 0.1; do
		put bbb in && changed file && put aaa in && sleep $pause && unchanged && put 7 d/3 && changed dir && put 3 d/3 && unchanged || { echo "after $pause"; return 1; }
	done
'

test_expect_success 'a time far in the past or in the future, and the same content' '
	touch -d "2001-01-01" in && unchanged && touch -d "2040-01-01" in d/2 && unchanged && put ccc in && changed file && put aaa in && unchanged
'

test_expect_success 'a file that takes another one'\''s place' '
	cp -p in keep && echo bbb >new && touch -r in new && mv new in && changed file && mv keep in && unchanged &&
	mv d/1 d/x && changed dir && mv d/x d/1 && unchanged && mv d/1 t && mv d/2 d/1 && mv t d/2 && changed dir && mv d/1 t && mv d/2 d/1 && mv t d/2 && unchanged
'

test_expect_success 'a big file with one byte changed in the middle' '
	dvx_time=$(stat -c %y big) && printf x | dd of=big bs=1 seek=1500000 conv=notrunc 2>/dev/null && touch -d "$dvx_time" big && changed big &&
	random_file big 3M big && unchanged
'

test_expect_success 'checkout of another commit, and back' '
	git add -A && git commit -q -m one && echo bbb >in && echo 9 >d/5 && random_file big 3M other && git dvx repro >/dev/null && unchanged &&
	git add -A && git commit -q -m two && git checkout -q HEAD~1 && unchanged && holds out aaa && git checkout -q - && unchanged && holds out bbb &&
	git checkout -q HEAD~1 -- in && changed file && git checkout -q HEAD -- in && unchanged && git stash list && put aaa in && git stash -q && unchanged && git stash pop -q && changed file && git checkout -q in && unchanged
'

test_expect_success 'assume-unchanged and skip-worktree say nothing about the file' '
	git dvx track big && git add -A && git add --renormalize big && git commit -q -m tracked && sleep 1 && git update-index --refresh && git update-index --assume-unchanged big in && unchanged && put aaa in && changed file &&
	random_file big 3M big && changed "file big" && git update-index --no-assume-unchanged big in && git update-index --skip-worktree big in && changed "file big" && git update-index --no-skip-worktree big in &&
	git checkout -q . && unchanged
'

test_expect_success 'without the table, and with a damaged one' '
	rm .git/dvx/stat-cache && unchanged && printf rubbish >.git/dvx/stat-cache && unchanged && head -c 100 /dev/urandom >>.git/dvx/stat-cache && unchanged &&
	put zzz in && changed file && truncate -s 60 .git/dvx/stat-cache && changed file && git checkout -q in && unchanged
'

test_expect_success 'a file that is only a pointer counts as what it names' '
	git clone -q . ../clone && cd ../clone && unchanged && cd .. && rm -rf clone &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q repo clone && cd clone && is_pointer big && is_pointer out && unchanged && cd ../repo
'

test_expect_success 'looking starts no other program where nothing changed' '
	unchanged && git dvx repro >/dev/null && GIT_TRACE="$TRASH/trace" git-dvx repro >../out && test "$(grep -c "didn.t change, skipping" ../out)" = 3 && test ! -s "$TRASH/trace"
'

test_done
