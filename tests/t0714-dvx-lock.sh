#!/bin/sh
# shellcheck disable=SC2034
test_description='dvx.lock: the same bytes for the same run, merges, what is refused, many writers'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

test_expect_success 'setup' '
	new_project repo && cat >dvx.yaml <<-\END &&
	stages:
	  b:
	    cmd: [cp in b.out, "echo \"# x: y\""]
	    deps: [in]
	    params: [list, text]
	    outs: [b.out]
	  # in between, so that
	  # changes of both merge
	  a:
	    cmd: mkdir -p a.out && cp in a.out/f && cp in a.out/g
	    deps: [in]
	    outs: [a.out]
	END
	printf "list: [1, 2.50, \"3\", {k: null}]\ntext: \"yes\"\n" >params.yaml && echo 1 >in && git dvx repro >/dev/null && git add -A && git commit -q -m one
'

test_expect_success 'sorted, one line for each path; values keep their types' '
	cat dvx.lock && sed -n "s/^  \([a-z]\):/\1/p" dvx.lock | tr -d "\n" >../names && test "$(cat ../names)" = ab && grep "^    - {path: a.out, sha256: [0-9a-f]\{64\}, size: 4, nfiles: 2}$" dvx.lock &&
	grep "^        list: \[1, 2.50, \"3\", {k: null}\]$" dvx.lock && grep "^        text: \"\{0,1\}yes" dvx.lock && grep "^    - {path: in, sha256: $(sha256sum in | cut -c1-64), size: 2}$" dvx.lock
'

test_expect_success 'run again, or from nothing: the same bytes; up to date: the same file' '
	cp dvx.lock ../expect && inode=$(stat -c %i-%z dvx.lock) && git dvx repro >/dev/null && test "$inode" = "$(stat -c %i-%z dvx.lock)" && git dvx repro -f >/dev/null && test_cmp ../expect dvx.lock && test "$inode" = "$(stat -c %i-%z dvx.lock)" &&
	rm -rf dvx.lock a.out b.out && git dvx repro >/dev/null && test_cmp ../expect dvx.lock
'

test_expect_success 'what is not concerned stays byte for byte: comments, unknown keys, order of keys' '
	sed -i "s/^schema/# of the team\nschema/; s/^  b:/  b: # mine/; s/^    cmd: mkdir/    later: {than: this}\n    cmd: mkdir/; \$a future: 1" dvx.lock && git dvx status >../out && ! grep changed ../out &&
	cp dvx.lock ../before && echo 2 >in && git dvx repro a >/dev/null && sed -n "/^  b:/,/^future/p" ../before >../expect && sed -n "/^  b:/,/^future/p" dvx.lock >../out && test_cmp ../expect ../out && head -n 1 dvx.lock | grep "# of the team" && ! grep later dvx.lock &&
	git checkout -q . && git dvx status >../out && ! grep changed ../out
'

test_expect_success 'two branches that run different stages merge by themselves' '
	git checkout -q -b one && sed -i "s/cp in a.out.f/cp  in a.out\/f/" dvx.yaml && git dvx repro a >/dev/null && git commit -q -a -m a && git checkout -q -b two main && sed -i "s/text\]/list]/" dvx.yaml && git dvx repro b >/dev/null && git commit -q -a -m b &&
	git merge -q --no-edit one && git dvx status >../out && ! grep changed ../out && git dvx repro | grep -c "didn.t change" | grep -x 2
'

test_expect_success 'a conflict is refused with the line and what to do; either side is good' '
	git checkout -q -b three main && echo 3 >in && git dvx repro >/dev/null && git add -A && git commit -q -m three && git checkout -q -b four main && echo 4 >in && git dvx repro >/dev/null && git add -A && git commit -q -m four &&
	test_expect_code 1 git merge -q three && grep "^<<<<<<<" dvx.lock && line=$(grep -n "^<<<<<<<" dvx.lock | head -n 1 | cut -d: -f1) && cp dvx.lock ../before && test_expect_code 128 git dvx repro 2>../err && test "$(grep -c "^error: " ../err)" = 1 && grep "dvx.lock:$line: a merge left a conflict" ../err && grep "checkout --ours dvx.lock" ../err && test_cmp ../before dvx.lock &&
	git checkout --ours dvx.lock 2>/dev/null && git checkout --theirs in b.out a.out 2>/dev/null && git dvx repro >../out && grep "^Running\|is cached" ../out && holds b.out 3 && git add -A && git commit -q -m merged && git dvx status >../out && ! grep changed ../out
'

test_expect_success 'a lock file of DVC, one of a later version, rubbish: refused, untouched' '
	for text in "schema: '\''2.0'\''" "stages: {}" "schema: dvx/9" "schema: dvx/1\nstages:\n  a: 7" "schema: dvx/1\nschema: dvx/1" "[]" "schema: dvx/1\nstages:\n  a:\n    deps:\n    - {path: in, sha256: zz, size: 1}"; do
		printf "$text\n" >dvx.lock && cp dvx.lock ../before && test_expect_code 128 git dvx repro 2>../err && test "$(grep -c "^error: .*dvx.lock:[0-9]" ../err)" = 1 && test_cmp ../before dvx.lock || { echo "$text"; cat ../err; return 1; }
	done &&
	printf "schema: '\''2.0'\''\n" >dvx.lock && test_expect_code 128 git dvx repro 2>../err && grep "lock file of DVC" ../err && rm dvx.lock && git dvx repro >../out && grep "is cached" ../out && git checkout -q dvx.lock
'

test_expect_success 'a path of a lock file or a listing is never followed out of the project' '
	new_project evil && printf "stages:\n  s: {cmd: \"mkdir o && echo 1 >o/f\", outs: [o]}\n" >dvx.yaml && git dvx repro >/dev/null && mkdir ../outside && echo kept >../outside/f &&
	printf "%s f ../../outside/f\0" "$(printf "evil\n" | sha256sum | cut -c1-64)" >listing && oid=$(sha256sum <listing | cut -c1-64) && printf "evil\n" >e && git dvx add e >/dev/null && git dvx add listing >/dev/null &&
	sed -i "s/path: o, sha256: [0-9a-f]*/path: o, sha256: $oid/" dvx.lock && rm -rf o && { git dvx repro >../out 2>&1 || :; } && holds ../outside/f kept
'

test_expect_success 'outputs are put back from the store, nothing runs: changed, removed, superfluous files' '
	cd ../repo && git dvx repro >/dev/null && cp dvx.lock ../before && echo x >a.out/f && rm a.out/g b.out && echo x >a.out/new && echo x >a.out/sub && git dvx repro >../out && ! grep "^Running" ../out && holds b.out "$(cat in)" && holds a.out/f "$(cat in)" && holds a.out/g "$(cat in)" && absent a.out/new && absent a.out/sub && test_cmp ../before dvx.lock && no_traces
'

test_expect_success 'eight programs that change different entries lose none' '
	new_project many && { echo stages:; for i in $(seq 40); do echo "  s$i: {cmd: \"echo $i >o$i\", outs: [o$i]}"; done; } >dvx.yaml && for k in 0 1 2 3 4 5 6 7; do
		(for i in $(seq $((k * 5 + 1)) $((k * 5 + 5))); do git dvx repro -s s$i || exit 1; done >../log.$k 2>&1 && echo fine >../fine.$k) &
	done && wait && cat ../fine.* >../out && test "$(grep -c fine ../out)" = 8 && test "$(grep -c "^    - {path: o" dvx.lock)" = 40 && git dvx status >../out && ! grep -e changed -e never ../out
'

test_done
