#!/bin/bash
# shellcheck disable=SC2034
test_description='peak memory: Git <= 40 MB while it checks out a 1 GiB file, ours <= 256 MiB'
. "$(dirname "$0")/lib.sh"

test_have_prereq !ASAN || { skip_all='sanitizers use memory of their own'; test_done; }

# The filter writes its peak resident set (KiB) to $TRASH/filter-rss; Git's is read from /proc while it runs.
printf '#!/bin/sh\nexec /usr/bin/time -a -f %%M -o \"%s/filter-rss\" git-dvx-filter\n' "$TRASH" >"$TRASH/measured"
chmod +x "$TRASH/measured"

test_expect_success 'setup: 1 GiB, two versions' '
	dvx_repo repo && cd repo && git dvx track "*.bin" && git add -A && git commit -q -m start && git tag v0 &&
	truncate -s 1G big.bin && printf x | dd of=big.bin bs=1 seek=500000000 conv=notrunc 2>/dev/null &&
	git -c filter.dvx.process="\"$TRASH/measured\"" add big.bin && git commit -q -m big && git tag v1
'

test_expect_success 'git add: the filter stays below 256 MiB' '
	cat ../filter-rss && test "$(sort -n ../filter-rss | tail -n 1)" -le 262144
'

test_expect_success 'git checkout of 1 GiB: Git stays below 40 MB, the filter below 256 MiB' '
	git checkout -q v0 && ! test -e big.bin && rm -f ../filter-rss &&
	{ git -c filter.dvx.process="\"$TRASH/measured\"" checkout -q v1 & } && pid=$! && peak=0 &&
	while kill -0 $pid 2>/dev/null; do
		now=$(sed -n "s/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p" /proc/$pid/status 2>/dev/null) && test "${now:-0}" -gt $peak && peak=$now
		sleep 0.02
	done && wait $pid &&
	echo "git: $peak KiB, filter: $(cat ../filter-rss) KiB" && test $peak -gt 0 && test $peak -le 40960 &&
	test "$(sort -n ../filter-rss | tail -n 1)" -le 262144 && is_clean &&
	test "$(dd if=big.bin bs=1 skip=500000000 count=1 2>/dev/null)" = x && test $(wc -c <big.bin) = 1073741824
'

test_expect_success 'push and pull of it stay below 256 MiB' '
	git init -q --bare ../r.git && git remote add origin ../r.git && git dvx remote add -d s ../blobs && git add -A && git commit -q -m r &&
	oid=$(git cat-file blob :big.bin | sed -n "s/oid sha256://p") &&
	echo "$oid 1073741824 - -" | /usr/bin/time -f %M -o ../up git-dvx-transfer batch upload >../answers && grep "^ok $oid" ../answers &&
	cat ../up && test $(tail -n 1 ../up) -le 262144 && rm -rf .git/lfs/objects &&
	echo "$oid 1073741824 - -" | /usr/bin/time -f %M -o ../down git-dvx-transfer batch download >../answers && grep "^ok $oid" ../answers &&
	cat ../down && test $(tail -n 1 ../down) -le 262144
'

test_done
