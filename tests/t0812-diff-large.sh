#!/bin/bash
# shellcheck disable=SC2034
test_description='versions of 1 GiB in git log -p, git show and git diff: little memory, no fetch'
. "$(dirname "$0")/lib.sh"

test_have_prereq !ASAN || { skip_all='sanitizers use memory of their own'; test_done; }

LIMIT=65536 # KiB: Git, the filter, and our drivers

# peak COMMAND...: its output into ../out, its peak resident set (that of the largest of its processes) must be below the limit.
peak() {
	/usr/bin/time -f %M -o "$TRASH/rss" "$@" >../out && echo "$*: $(tail -n 1 "$TRASH/rss") KiB" && test "$(tail -n 1 "$TRASH/rss")" -le $LIMIT
}

test_expect_success 'setup: two versions of a sparse 1 GiB file and of a table of 40 MiB' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" "*.csv" && truncate -s 1G big.bin &&
	{ echo id,name,city && seq -f "%.0f,a name of some length,in a city far away" 1 800000; } >big.csv && test $(wc -c <big.csv) -gt 38000000 &&
	git add -A && git commit -q -m one && git tag one && printf x | dd of=big.bin bs=1 seek=500000000 conv=notrunc 2>/dev/null &&
	sed -i "s/^400000,a name/400000,another name/" big.csv && git add -A && git commit -q -m two && git tag two
'

test_expect_success 'git log -p and git show' '
	peak git log -p && test $(grep -c "^[-+]data: 1,073,741,824 bytes, sha256" ../out) = 3 && test $(grep -c "^[-+ ]rows: 800,000$" ../out) = 2 &&
	peak git show two && grep "^-data: 1,073,741,824" ../out && peak git log -p one && peak git diff --no-ext-diff one two
'

test_expect_success 'git diff: the row that changed, and sizes' '
	peak git diff one two -- big.bin && grep "^big.bin: 1.0 GiB -> 1.0 GiB$" ../out && LIMIT=262144 && peak git diff one two -- big.csv &&
	grep "^    ~ id=400000: name a name of some length -> another name of some length$" ../out
'

test_expect_success 'git dvx diff --chunks reads both, in little memory' '
	LIMIT=65536 && peak git dvx diff --chunks one two -- big.bin && grep "big.bin (1.0 GiB -> 1.0 GiB, < 0.1 % changed)" ../out
'

test_expect_success 'nothing is fetched for any of it' '
	GIT_LFS_SKIP_SMUDGE=1 git clone -q . ../clone && cd ../clone && GIT_TRACE="$TRASH/trace" && export GIT_TRACE && peak git log -p && peak git show two && peak git diff one two &&
	peak git log -p --ext-diff && unset GIT_TRACE && ! grep git-dvx-transfer "$TRASH/trace" && test $(find .git/lfs .git/dvx/packs -type f -size +0 2>/dev/null | wc -l) = 0
'

test_done
