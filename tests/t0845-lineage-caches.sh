#!/bin/sh
test_description='the caches of the registry and of history: killed, damaged, in the way, written by many at once'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# answers FILE: what is asked here, as JSON.
answers() {
	{ git dvx model at production --date 2023-12-31 --json && git dvx whence --json "$one" && git dvx trace --json models/churn.pkl; } >"$1" 2>"$1.err" && ! test -s "$1.err"
}

test_expect_success 'setup: a registered model; what is right is what is said without caches' '
	churn_project repo && git dvx model register churn models/churn.pkl --version 1.0.0 && git dvx model promote churn 1.0.0 production && one=$(sha models/churn.pkl) &&
	rm -f .git/dvx/history .git/dvx/registry && answers ../expect && test -s ../expect && test -s .git/dvx/history && test -s .git/dvx/registry && answers ../again && test_cmp ../expect ../again
'

test_expect_success 'the caches are not used for what they do not know: a new commit, a new tag' '
	cp -r . ../copy && (cd ../copy && on 2023-12-05 && echo x >>data/customers.csv && retrain again && git dvx model register churn models/churn.pkl --version 2.0.0 &&
	git dvx whence models/churn.pkl >../out && grep "is model: churn@v2.0.0" ../out && git dvx trace models/churn.pkl >../out && grep "again" ../out) && rm -rf ../copy
'

cat >"$TRASH/flip.py" <<\END
# flip.py CACHE STEP COMMAND...: with every STEPth byte of the file changed, one after the other, the command prints what it did before.
import subprocess, sys
path, step, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
good = open(path, "rb").read()
ask = lambda: subprocess.run(command, capture_output=True)
right = ask()
assert right.returncode == 0 and right.stdout
for i in range(0, len(good), step):
    bad = bytearray(good)
    bad[i] ^= 0x21
    open(path, "wb").write(bad)
    now = ask()
    if (now.returncode, now.stdout, now.stderr) != (0, right.stdout, right.stderr):
        sys.exit("byte %d: %r" % (i, now))
open(path, "wb").write(good)
END

# Of the index of history a unit test flips every byte.
test_expect_success 'every byte of the cache of the registry changed, one after the other: the same answer' '
	python3 "$TRASH/flip.py" .git/dvx/registry 1 git-dvx model history --json && python3 "$TRASH/flip.py" .git/dvx/registry 37 git-dvx model at production --date 2023-12-31 --json
'
test_expect_success 'bytes all over the index of history changed: the same answer' '
	python3 "$TRASH/flip.py" .git/dvx/history 7 git-dvx whence --json $one
'

for cache in registry history; do
	test_expect_success "'$cache' cut short, empty, of zeros, longer: the same answers" '
		cp .git/dvx/'$cache' ../good && size=$(wc -c <../good) && for n in 0 1 7 31 $((size / 2)) $((size - 1)); do head -c $n ../good >.git/dvx/'$cache' && answers ../out && test_cmp ../expect ../out || return 1; done &&
		head -c 4096 /dev/zero >.git/dvx/'$cache' && answers ../out && test_cmp ../expect ../out && { cat ../good && echo more; } >.git/dvx/'$cache' && answers ../out && test_cmp ../expect ../out
	'

	test_expect_success "a directory where '$cache' should be: no cache, the same answers" '
		rm -f .git/dvx/'$cache' && mkdir .git/dvx/'$cache' && answers ../out && test_cmp ../expect ../out && rmdir .git/dvx/'$cache' && answers ../out && test_cmp ../expect ../out && test -f .git/dvx/'$cache'
	'
done

test_expect_success STRACE 'killed at every write and rename while the caches are made: the next one answers' '
	for call in write pwrite64 rename renameat renameat2; do
		k=1
		while test $k -le 40; do
			rm -f .git/dvx/history .git/dvx/registry .git/dvx/pointers
			strace -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$k git-dvx whence --json $one >../out 2>/dev/null
			status=$?
			answers ../out && test_cmp ../expect ../out || { echo "$call $k"; return 1; }
			test $status -ne 0 || break
			k=$((k + 1))
		done
	done
'

test_expect_success 'many at once that all make them: each answers, and what stays is whole' '
	rm -f .git/dvx/history .git/dvx/registry .git/dvx/pointers && pids= && for i in 1 2 3 4 5 6 7 8; do answers ../out$i & pids="$pids $!"; done &&
	for p in $pids; do wait $p || return 1; done && for i in 1 2 3 4 5 6 7 8; do test_cmp ../expect ../out$i || return 1; done && answers ../out && test_cmp ../expect ../out
'

test_expect_success 'one that reads while another extends' '
	{ (i=0; while test $i -lt 8; do git commit -q --allow-empty -m "commit $i" && git tag -a -m t "t$i" && git dvx whence --json $one >/dev/null || echo bad >../bad; i=$((i + 1)); done) & } &&
	writer=$! && i=0 && while test $i -lt 15; do git dvx whence --json $one >../out && json ../out "j[\"objects\"][0][\"places\"][0][\"models\"][0][\"tag\"] == \"churn@v1.0.0\"" || return 1; i=$((i + 1)); done && wait $writer && ! test -e ../bad
'

test_expect_success 'nothing is left beside the index' '
	test "$(cd .git/dvx && echo history*)" = "history history.lock"
'

test_done
