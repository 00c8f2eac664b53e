#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx stage add, list, remove'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && echo 1 >in
'

test_expect_success 'add only writes' '
	git dvx stage add -n load -d in -o data "mkdir data && cp in data" >out && grep -x "Added stage .load. in .dvx.yaml." out &&
	grep "git add dvx.yaml" out && ! test -e data && ! test -e dvx.lock && grep -x "  load:" dvx.yaml && rm out
'

test_expect_success 'add --run runs, as run does' '
	git dvx stage add --run -n train -d in -o model -M m.json "cp in model; cp in m.json" && test_cmp in model && grep -x "  train:" dvx.lock
'

test_expect_success 'the text of dvx.yaml stays what it was' '
	printf "# ours\r\n\r\nstages:   # all\r\n    one:  # first\r\n        cmd: \"true\"\r\n        deps:\r\n            - in\r\n\r\n# the rest\r\nvars: []\r\n" >dvx.yaml &&
	git dvx stage add -n two -d in -o b true &&
	printf "# ours\r\n\r\nstages:   # all\r\n    one:  # first\r\n        cmd: \"true\"\r\n        deps:\r\n            - in\r\n    two:\r\n        cmd: \"true\"\r\n        deps:\r\n            - in\r\n        outs:\r\n            - b\r\n\r\n# the rest\r\nvars: []\r\n" >../expect &&
	test_cmp_bin ../expect dvx.yaml && git dvx stage remove two &&
	printf "# ours\r\n\r\nstages:   # all\r\n    one:  # first\r\n        cmd: \"true\"\r\n        deps:\r\n            - in\r\n\r\n# the rest\r\nvars: []\r\n" >../expect &&
	test_cmp_bin ../expect dvx.yaml && git dvx stage remove one && grep "^stages: {}   # all" dvx.yaml &&
	git dvx stage list >../out && test_must_be_empty ../out && git dvx stage add -n again -o x true && git dvx stage list --name-only >../out && echo again >../expect && test_cmp ../expect ../out
'

test_expect_success 'list: names and what comes out' '
	cat >dvx.yaml <<-\END && mkdir -p sub &&
	stages:
	  load:
	    cmd: load
	    deps: [in]
	    outs: [data, "other dir"]
	  evaluate:
	    cmd: evaluate
	    deps: [data]
	    outs: [o]
	    metrics: [{m.json: {cache: false}}]
	    plots: [p.csv]
	  check:
	    cmd: check
	    deps: [data, in]
	  none:
	    cmd: none
	  words:
	    cmd: words
	    desc: what it is for
	    outs: [w]
	  each:
	    foreach: [a, b]
	    do: {cmd: "do ${item}", outs: ["out-${item}"]}
	END
	printf "stages:\n  below:\n    cmd: x\n    outs: [y]\n" >sub/dvx.yaml && git dvx stage list >../out &&
	cat >../expect <<-\END &&
	load      Outputs data, other dir
	evaluate  Outputs o; Reports m.json, p.csv
	check     Depends on data, in
	none      No outputs or dependencies
	words     what it is for
	each@a    Outputs out-a
	each@b    Outputs out-b
	END
	test_cmp ../expect ../out && git add -A &&
	git dvx stage list --all --name-only >../out && tail -n 1 ../out >../last && echo sub/dvx.yaml:below >../expect && test_cmp ../expect ../last &&
	(cd sub && git dvx stage list && git dvx stage list ../dvx.yaml:load) >../out && printf "below  Outputs sub/y\n../dvx.yaml:load  Outputs data, other dir\n" >../expect && test_cmp ../expect ../out &&
	git dvx stage list each --name-only >../out && printf "each@a\neach@b\n" >../expect && test_cmp ../expect ../out &&
	git dvx stage list --json evaluate >../out &&
	json ../out "[s[\"name\"] for s in j[\"stages\"]] == [\"evaluate\"] and j[\"stages\"][0][\"line\"] == 6 and j[\"stages\"][0][\"deps\"] == [{\"path\": \"data\", \"kind\": \"dep\"}]" &&
	json ../out "[(o[\"path\"], o[\"kind\"], o[\"cache\"]) for o in j[\"stages\"][0][\"outs\"]] == [(\"o\", \"out\", True), (\"m.json\", \"metric\", False), (\"p.csv\", \"plot\", True)]"
'

test_expect_success 'remove: also from dvx.lock, files stay' '
	rm -r dvx.yaml dvx.lock sub && git dvx run -n a -d in -o a.txt "cp in a.txt" && git dvx run -n b -d in -o b.txt "cp in b.txt" && sed -n "/^  b:/,\$p" dvx.lock >../b &&
	git dvx stage remove a >../out && grep -x "Removed stage .a. from .dvx.yaml." ../out && test -f a.txt && ! grep "a.txt" dvx.yaml dvx.lock &&
	sed -n "/^  b:/,\$p" dvx.lock >../b2 && test_cmp ../b ../b2 && git dvx repro >../out && grep "up to date" ../out &&
	cp dvx.yaml ../before && test_expect_code 128 git dvx stage remove bb 2>../err && grep "no stage .bb. in .dvx.yaml.; the most similar one is .b." ../err && test_cmp ../before dvx.yaml
'

test_expect_success 'remove helps where stages do not fit together' '
	printf "stages:\n  x:\n    cmd: x\n    deps: [one]\n    outs: [two]\n  y:\n    cmd: y\n    deps: [two]\n    outs: [one]\n" >dvx.yaml &&
	test_expect_code 128 git dvx stage list 2>../err && grep "depend on each other" ../err && git dvx stage remove y && git dvx stage list
'

test_expect_success 'a foreach goes as a whole' '
	printf "stages:\n  each:\n    foreach: [a, b]\n    do: {cmd: \"echo \${item} >o-\${item}\", outs: [\"o-\${item}\"]}\n" >dvx.yaml && rm dvx.lock &&
	git dvx repro && grep "each@a" dvx.lock && test_expect_code 128 git dvx stage remove each@a 2>../err && grep "one of the stages that .each. makes" ../err &&
	git dvx stage remove each && ! grep each dvx.lock dvx.yaml
'

test_expect_success 'wrong command lines and files' '
	test_expect_code 129 git dvx stage && test_expect_code 129 git dvx stage nosuch 2>../err && grep "unknown subcommand .stage nosuch." ../err &&
	test_expect_code 129 git dvx stage remove && test_expect_code 129 git dvx stage add -n x &&
	printf "stages:\n  a: [\n" >dvx.yaml && cp dvx.yaml ../before && test_expect_code 128 git dvx stage add -n x -o y true 2>../err && grep "^error: dvx.yaml:" ../err && test_cmp ../before dvx.yaml &&
	test_expect_code 128 git dvx stage remove a && test_cmp ../before dvx.yaml &&
	rm dvx.yaml && ln -s in dvx.yaml && test_expect_code 128 git dvx stage add -n x -o y true && echo 1 | cmp - in
'

test_expect_success 'a file of stages in another directory is found before Git knows it' '
	dvx_repo ../new && cd ../new && echo 1 >in && mkdir -p deep/er hand && (cd deep/er && git dvx stage add -n made -d ../../in -o out "cp ../../in out") &&
	git dvx stage list --all --name-only >../out && echo deep/er/dvx.yaml:made >../expect && test_cmp ../expect ../out &&
	git dvx repro -P && test_cmp in deep/er/out &&
	printf "stages:\n  typed:\n    cmd: cp ../in out\n    deps: [../in]\n    outs: [out]\n" >hand/dvx.yaml && (cd hand && git dvx repro -q) &&
	echo 2 >in && git dvx repro -P && test_cmp in hand/out && test_cmp in deep/er/out && git dvx dag >../out &&
	grep hand/dvx.yaml:typed ../out && (cd hand && git dvx dag typed >../../out && grep "^. typed" ../../out) &&
	rm -r deep && git dvx stage list --all --name-only >../out && echo hand/dvx.yaml:typed >../expect && test_cmp ../expect ../out &&
	mkdir third && (cd third && git dvx run -q -n three -o o "echo 3 >o") && printf "hand\nthird\n" >../expect && test_cmp ../expect .git/dvx/pipelines &&
	git commit -q -m one && git worktree add -q ../linked 2>/dev/null && (cd ../linked && git dvx stage list --all >../out && test_must_be_empty ../out)
'

test_done
