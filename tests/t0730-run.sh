#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx run: a stage is written into dvx.yaml and run'
. "$(dirname "$0")/lib.sh"

# is_clean would see the filter: files are as young as the index here.
is_committed() {
	test_expect_code 0 git diff --quiet HEAD && test -z "$(git status --porcelain)"
}

mkdir -p "$TRASH/.bin" && ln -s "$(command -v python3)" "$TRASH/.bin/python" && PATH=$TRASH/.bin:$PATH || exit 1

test_expect_success 'setup' '
	dvx_repo repo && cd repo && mkdir code config &&
	cat >code/load.py <<-\END &&
	import json, os
	for i in range(json.load(open("config/load.json"))["num_images"]):
	    os.makedirs("data/%d" % (i % 3), exist_ok=True)
	    open("data/%d/%d.txt" % (i % 3, i), "w").write("image %d" % i)
	END
	cat >code/train.py <<-\END &&
	import json, os
	n = sum(len(f) for _, _, f in os.walk("data"))
	os.makedirs("model", exist_ok=True)
	open("model/model.h5", "w").write("%d %s" % (n, json.load(open("config/train.json"))))
	END
	cat >code/evaluate.py <<-\END &&
	import json
	json.dump({"acc": int(open("model/model.h5").read().split()[0]) / 100}, open("model/metrics.json", "w"))
	END
	echo "{ \"num_images\" : 10 }" >config/load.json && echo "{ \"num_conv_filters\" : 32 }" >config/train.json &&
	git add -A && git commit -q -m config
'

test_expect_success 'a stage with a directory as its output' '
	git dvx run -n load -d config/load.json -o data python code/load.py >out &&
	grep -x "Running stage .load.:" out && grep -x "> python code/load.py" out && grep "To track the changes with git" out &&
	cat >expect <<-\END &&
	stages:
	  load:
	    cmd: python code/load.py
	    deps:
	    - config/load.json
	    outs:
	    - data
	END
	test_cmp expect dvx.yaml && test -f data/0/9.txt && rm out expect &&
	git add -A && git commit -q -m load && git cat-file blob HEAD:data/0/9.txt >p && is_pointer p && rm p && is_committed
'

test_expect_success 'old spellings: -f train.dvc, -M' '
	git dvx run -f train.dvc -d data -d config/train.json -o model/model.h5 python code/train.py &&
	git dvx run -f evaluate.dvc -d model/model.h5 -M model/metrics.json python code/evaluate.py &&
	git dvx stage list --name-only >out && printf "load\ntrain\nevaluate\n" >expect && test_cmp expect out && rm out expect &&
	git add -A && git commit -q -m all && git show HEAD:model/metrics.json | grep acc &&
	git cat-file blob HEAD:model/model.h5 >p && is_pointer p && rm p && is_committed
'

test_expect_success 'the same again changes nothing; another one of that name is refused' '
	cp dvx.yaml ../before && git dvx run -f evaluate.dvc -d model/model.h5 -M model/metrics.json python code/evaluate.py >../out &&
	grep "didn.t change, skipping" ../out && grep "up to date" ../out && is_committed &&
	test_expect_code 128 git dvx run -n evaluate -M m.json python code/evaluate.py 2>../err &&
	grep "^error: stage .evaluate. exists already in .dvx.yaml. (line 15); --force replaces it" ../err && test_cmp ../before dvx.yaml &&
	git dvx run --force -n evaluate -d model/model.h5 -d code/evaluate.py -M model/metrics.json python code/evaluate.py &&
	grep code/evaluate.py dvx.lock && git checkout -q . && is_committed
'

test_expect_success 'a stage that fails leaves dvx.yaml as it was' '
	cp dvx.lock ../lock && test_expect_code 128 git dvx run -n bad -o x "echo half >x; exit 3" 2>../err &&
	grep "^error: .*exited with status 3" ../err && grep ".dvx.yaml. is as it was before" ../err &&
	test_cmp ../before dvx.yaml && test_cmp ../lock dvx.lock && ! test -e x && is_committed &&
	mkdir ../empty && (cd ../empty && git init -q . && test_expect_code 128 git dvx run -n bad -o x false && ! test -e dvx.yaml)
'

test_expect_success 'a stage that cannot be is not written' '
	for args in "-n a.b -o x" "-n x -o data/1" "-n x -d model/metrics.json -o config/load.json" "-n x -o data" "-n x -o ../../out" \
		"-n x -o x --resource gpu" "-n x -o x --env A"; do
		test_expect_code 128 git dvx run $args true 2>../err && test "$(grep -c ^error: ../err)" = 1 || return 1
		test_cmp ../before dvx.yaml || return 1
	done &&
	test_expect_code 129 git dvx run true 2>../err && grep "needs a name" ../err && test_expect_code 129 git dvx run -n x &&
	test_expect_code 128 git dvx run -n x -d nosuch -o x true 2>../err && grep nosuch ../err && is_committed
'

test_expect_success 'names come from the first output' '
	git dvx run --no-exec -o out/first.model.bin -o second true && tail -n 5 dvx.yaml >../out &&
	printf "  first:\n    cmd: true\n    outs:\n    - out/first.model.bin\n    - second\n" >../expect && sed "s/\"true\"/true/" ../out >../out2 && test_cmp ../expect ../out2 &&
	! test -e second && git checkout -q .
'

test_expect_success 'words of the command line, joined for the shell' '
	git dvx run -n w -O w.txt printf "%s:" "a b" "it'\''s" "(" "*.yaml" ">" w.txt && printf "a b:it'\''s:(:dvx.yaml:" >../expect && test_cmp ../expect w.txt &&
	git dvx run -n v -O v.txt "echo one line | tr a-z A-Z >v.txt" && echo "ONE LINE" >../expect && test_cmp ../expect v.txt &&
	git dvx run -n h -O h.txt sh -c "echo \$1 >h.txt" -h --help && echo --help >../expect && test_cmp ../expect h.txt &&
	git checkout -q . && git clean -fdq
'

test_expect_success 'all the options' '
	printf "lr: 0.1\nepochs: 3\n" >params.yaml && echo "{\"a\": {\"b\": 1}}" >c.json && mkdir sub && echo r >sub/req.txt &&
	(cd sub && git dvx run -n all --desc "all of it" -w .. -d config -p lr,epochs -p c.json:a.b -o o -O oo --outs-persist op \
		--outs-persist-no-cache opp -m m.json -M mm.json --plots p.csv --plots-no-cache pp.csv --always-changed --env NAME=value \
		--env-var HOME --env-file sub/req.txt --mutex db --resource gpu=1 \
		"for f in o oo op opp m.json mm.json p.csv pp.csv; do echo \$NAME >\$f; done") &&
	for f in o oo op opp m.json mm.json p.csv pp.csv; do echo value | cmp - $f || return 1; done &&
	git add -A && git ls-files -s o op m.json p.csv oo opp mm.json pp.csv >/dev/null &&
	for f in o op m.json p.csv; do git cat-file blob :$f >../p && is_pointer ../p || return 1; done &&
	for f in oo opp mm.json pp.csv; do git cat-file blob :$f | cmp - $f || return 1; done &&
	grep -x "      params.yaml:" sub/dvx.lock && grep -x "        lr: 0.1" sub/dvx.lock && grep -x "        a.b: 1" sub/dvx.lock &&
	git dvx repro sub/dvx.yaml:all >../out && grep "Running stage" ../out && git reset -q --hard
'

test_expect_success 'outputs that an ignore rule hides' '
	echo "/hid/" >.gitignore && git add -A && git commit -q -m ignore &&
	git dvx run -n hid -o hid "mkdir hid && echo 1 >hid/a" 2>../err && grep "hid. is hidden by the ignore rule ./hid/. (.gitignore:1)" ../err &&
	git checkout -q . && rm -rf hid &&
	git dvx run --unignore -n hid -o hid "mkdir hid && echo 1 >hid/a" && git add -A && git ls-files hid | grep -x hid/a
'

test_expect_success 'many at once: no stage gets lost, and one that fails takes only itself back' '
	git checkout -q . && git clean -fdqx && git dvx stage add -n first -o f1 true && pids= &&
	{ git dvx run -n failing -o x "for i in \$(seq 3000); do test -e ../go && exit 1; sleep 0.05; done" 2>../err & failing=$!; } &&
	while ! grep -q failing dvx.yaml; do sleep 0.05; done &&
	for i in 1 2 3 4 5 6; do { git dvx run -q -n "many$i" -O "m$i" "echo $i >m$i" & pids="$pids $!"; }; done &&
	for pid in $pids; do wait $pid || return 1; done && touch ../go && test_expect_code 128 wait $failing && grep "is as it was before" ../err &&
	git dvx stage list --name-only >../out && ! grep failing dvx.yaml && test "$(grep -c "^many" ../out)" = 6 && test "$(grep -c "^  many" dvx.lock)" = 6
'

test_expect_success 'killed while the stage runs: it stays, and may be typed again' '
	{ git-dvx run -n killed -d config/load.json -o k "touch ../started; test -e ../again || sleep 100; echo 1 >k" >../out 2>&1 & pid=$!; } &&
	while ! test -e ../started; do sleep 0.05; done && kill -KILL $pid && { wait $pid; test $? = 137; } && grep -x "  killed:" dvx.yaml && touch ../again &&
	git dvx run -n killed -d config/load.json -o k "touch ../started; test -e ../again || sleep 100; echo 1 >k" && test -f k && git dvx repro killed
'

test_expect_success 'without the filter: a warning' '
	(HOME=$TRASH/other && export HOME && mkdir "$HOME" && git init -q ../bare && cd ../bare && git dvx run -n x -o x "echo 1 >x" 2>../err) &&
	grep "^warning: the filter is not set up" ../err && test -f ../bare/x
'

test_done
