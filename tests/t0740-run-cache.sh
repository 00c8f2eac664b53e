#!/bin/sh
# shellcheck disable=SC2034
test_description='the run cache of this machine: what was run with the same inputs is not run again'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# runs N: the stages' commands were started so many times since the project was made.
runs() {
	test "$(wc -l <ran)" = "$1" || { echo "$(wc -l <ran) runs instead of $1"; return 1; }
}

# set_rate N
set_rate() {
	echo "rate: $1" >params.yaml
}

# entries: the files of all entries.
entries() {
	find .git/dvx/runs -type f -path '*/*/*/*' | grep -v '\.runs$' | sort
}

# cached: repro took everything from the cache.
cached() {
	git dvx repro >out.log && grep -x "Stage 'train' is cached - skipping run, checking out outputs" out.log
}

# new_train NAME: a project with a stage that makes a directory and a metric, of a parameter and a file.
new_train() {
	new_project "$1" && printf '%s\n' /ran /out.log >.gitignore && : >ran && echo data >in && set_rate 1 && cat >dvx.yaml <<-\END
	stages:
	  train:
	    cmd:
	    - mkdir -p model/sub && cat in params.yaml >model/weights && echo layers >model/sub/layers
	    - grep -o '[0-9]*' params.yaml >metrics.txt && echo x >>ran
	    deps: [in]
	    params: [rate]
	    outs: [model]
	    metrics:
	    - metrics.txt: {cache: false}
	END
}

test_expect_success 'a parameter is set back: outputs come back, a directory and a metric of cache: false' '
	new_train main && git dvx repro && runs 1 && test "$(entries | wc -l)" = 1 && cp -r model first && cp dvx.lock lock.1 &&
	set_rate 2 && git dvx repro && runs 2 && holds metrics.txt 2 && test "$(entries | wc -l)" = 2 &&
	set_rate 1 && cached && runs 2 && holds metrics.txt 1 && diff -r first model && test_cmp lock.1 dvx.lock &&
	git dvx repro >out.log && grep "didn.t change, skipping" out.log && runs 2
'

test_expect_success 'an entry is a dvx.lock of one stage, named by its text' '
	for e in $(entries); do
		test "$(sha256sum <"$e" | cut -d" " -f1)" = "$(basename "$e")" && head -n 1 "$e" | grep -x "schema: dvx/1" &&
		grep -c "^  [a-z]" "$e" | grep -x 1 || return 1
	done
'

test_expect_success 'the name of the stage does not matter, its command does' '
	sed -i "s/^  train:/  learn:/" dvx.yaml && git dvx repro >out.log && grep "learn.* is cached" out.log && runs 2 &&
	sed -i "s/^  learn:/  train:/; s/echo layers/echo  layers/" dvx.yaml && git dvx repro && runs 3 &&
	sed -i "s/echo  layers/echo layers/" dvx.yaml && cached && runs 3
'

test_expect_success '--no-run-cache and --force run' '
	set_rate 2 && git dvx repro --no-run-cache && runs 4 && set_rate 1 && git dvx repro --force && runs 5
'

test_expect_success 'a result that is there already adds no entry' '
	entries >before && set_rate 2 && git dvx repro -f && runs 6 && entries >after && test_cmp before after
'

test_expect_success 'a damaged entry is as good as none' '
	new_train damaged && git dvx repro && e=$(entries) && set_rate 2 && git dvx repro && set_rate 1 &&
	cp "$e" whole && chmod u+w "$e" && printf x >>"$e" && git dvx repro >out.log && ! grep cached out.log && runs 3 &&
	for text in "" "stages: [" "$(sed "s/rate: 1/rate: 7/" whole)"; do
		set_rate 2 && cached && set_rate 1 && rm -f "$(dirname "$e")"/* &&
		printf "%s\n" "$text" >text && cp text "$(dirname "$e")/$(sha256sum <text | cut -d" " -f1)" && : >ran &&
		git dvx repro >out.log && ! grep cached out.log && runs 1 && grep "rate: 1" model/weights || return 1
	done &&
	set_rate 2 && cached && rm -f "$(dirname "$e")"/* && mkdir "$e" && mkfifo "$(dirname "$e")/$(sha256sum <in | cut -d" " -f1)" &&
	set_rate 1 && : >ran && git dvx repro && runs 1
'

test_expect_success 'an object that is gone or damaged is a miss' '
	new_train gone && git config dvx.smallObjects whole && git dvx repro && set_rate 2 && git dvx repro && runs 2 &&
	oid=$(sha256sum <model/sub/layers | cut -d" " -f1) && object=$(find .git/lfs/objects -name "$oid") &&
	weights=$(printf "data\nrate: 1\n" | sha256sum | cut -d" " -f1) && first=$(find .git/lfs/objects -name "$weights") &&
	test -n "$object" && test -n "$first" && rm "$first" && set_rate 1 && git dvx repro && runs 3 && grep "rate: 1" model/weights &&
	set_rate 2 && cached && chmod u+w "$first" && printf "DATA\nrate: 1\n" >"$first" &&
	set_rate 1 && git dvx repro && runs 4 && holds metrics.txt 1 && grep data model/weights
'

test_expect_success 'two results of the same inputs: the newest that can be had' '
	new_project two && : >ran && echo 1 >in && cat >dvx.yaml <<-\END &&
	stages:
	  dice: {cmd: "wc -l <ran >out; echo x >>ran", deps: [in], outs: [out]}
	END
	git dvx repro && git dvx repro -f && runs 2 && holds out 1 && test "$(entries | wc -l)" = 2 &&
	echo 2 >in && git dvx repro && echo 1 >in && git dvx repro >out.log && grep cached out.log && holds out 1 && runs 3 &&
	newest=$(entries | xargs grep -l "sha256: $(printf "1\n" | sha256sum | cut -d" " -f1)" | xargs grep -l "sha256: $(echo 1 | sha256sum | cut -d" " -f1), size: 2" | xargs ls -t | head -n 1) &&
	rm "$newest" && echo 2 >in && git dvx repro && echo 1 >in && git dvx repro >out.log && grep cached out.log && holds out 0 && runs 3
'

# never LINE: with this line in the stage there is no entry, and nothing comes from the cache.
never() {
	new_train "$1" && sed -i "$2" dvx.yaml && git dvx repro && test -z "$(entries)" && set_rate 2 && git dvx repro &&
		set_rate 1 && git dvx repro >out.log && ! grep cached out.log && runs 3
}

test_expect_success 'never with persist, with always_changed, without inputs' '
	never persist "s/outs: .model./outs: [model: {persist: true}]/" &&
	never always "s/^    deps:/    always_changed: true\n&/" &&
	new_project none && echo "stages: {s: {cmd: echo 1 >out, outs: [out]}}" >dvx.yaml && git dvx repro && test -z "$(entries)"
'

test_expect_success 'parallel stages, and a run that is killed while it remembers' '
	new_project many && : >ran && cat >dvx.yaml <<-\END &&
	stages:
	  s:
	    foreach: [1, 2, 3, 4, 5, 6, 7, 8]
	    do: {cmd: "cat in >out${item}; echo x >>ran", deps: [in], outs: ["out${item}"]}
	END
	echo a >in && git dvx repro -j 4 >out.log && runs 8 && test "$(entries | wc -l)" = 8 &&
	echo b >in && git dvx repro -j 4 >out.log && runs 16 && echo a >in && git dvx repro -j 4 >out.log && runs 16 && holds out8 a
'


# hash FILE
hash() {
	sha256sum <"$1" | cut -d" " -f1
}

test_expect_success 'an entry whose directory would be written elsewhere, or cannot be, is a miss' '
	new_project hostile && : >ran && echo 1 >in && cat >dvx.yaml <<-\END && git dvx repro && runs 1 && entry=$(entries) && mv "$entry" ../good.entry &&
	stages:
	  s: {cmd: "mkdir -p d; cp in d/a; echo x >>ran", deps: [in], outs: [d]}
	END
	own=$(sed -n "/outs:/,\$s/.*path: d, sha256: \([0-9a-f]*\).*/\1/p" ../good.entry) && printf "../../out" >target && git dvx add in target && n=1 &&
	for paths in "f ../x" "f ../.git/hooks/x" "f /tmp/x" "f .git/x" "f a/../../x" "f b/.GIT/x" "l s:f s-:f s/x" "f s:f s.d/x:f s/x/y"; do
		echo "$paths" | tr : "\n" | while read -r mode path; do printf "%s %s %s\\0" "$(hash "$(test $mode = l && echo target || echo in)")" $mode "$path"; done >listing &&
		git dvx add listing && sed "/outs:/,\$s/$own/$(hash listing)/" ../good.entry >../bad.entry && rm -rf "${entry%/*}" dvx.lock && mkdir "${entry%/*}" &&
		cp ../bad.entry "${entry%/*}/$(hash ../bad.entry)" && touch ../before && n=$((n + 1)) &&
		rm -rf d && git dvx repro >out.log && runs $n && test "$(ls d)" = a && test ! -e ../out && test ! -e ../x && test ! -e x && test ! -e .git/hooks/x || { echo "$paths"; return 1; }
	done
'

test_done
