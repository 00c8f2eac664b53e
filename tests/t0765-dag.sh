#!/bin/sh
test_description='git dvx dag: stages and outputs, drawn with characters, for Graphviz, Mermaid and programs'
. "$(dirname "$0")/lib.sh"

test_expect_success 'a pipeline of four stages' '
	git dvx install && git init -q -b main p && cd p &&
	cat >dvx.yaml <<-\EOF &&
	stages:
	  load:
	    cmd: python3 load.py
	    deps: [load.json]
	    outs: [data]
	  train:
	    cmd: python3 train.py
	    deps: [data/a.csv]
	    outs: [model/model.bin, model/log]
	  evaluate:
	    cmd: [python3 evaluate.py, echo done]
	    deps: [model/model.bin]
	    metrics: [metrics.json]
	  other:
	    cmd: "true"
	    outs: [other]
	EOF
	git add . && git commit -q -m pipeline
'

test_expect_success 'a stage and what it needs' '
	cat >expect <<-\EOF &&
	  +------+
	  | load |
	  +------+
	      |
	  +-------+
	  | train |
	  +-------+
	      |
	+----------+
	| evaluate |
	+----------+
	EOF
	git dvx dag evaluate >actual && test_cmp expect actual &&
	git dvx pipeline show --ascii evaluate.dvc >actual && test_cmp expect actual
'

test_expect_success 'without a stage: all; --full: what hangs together' '
	git dvx dag >all && grep -q "| other |" all &&
	git dvx dag load >one && test "$(wc -l <one)" = 3 &&
	git dvx dag --full load >full && ! grep other full && grep -q "| evaluate |" full
'

test_expect_success 'outputs instead of stages' '
	git dvx dag --outs --json >outs &&
	jq -e ".edges == [{from:\"data\",to:\"model/model.bin\"},{from:\"data\",to:\"model/log\"},
		{from:\"model/model.bin\",to:\"metrics.json\"}]" outs
'

test_expect_success 'commands instead of names' '
	git dvx dag -c evaluate >commands && grep -q "| python3 evaluate.py; echo done |" commands
'

test_expect_success 'dot, Mermaid, Markdown' '
	git dvx dag --dot >dot && grep -qxF "\"load\" -> \"train\";" dot &&
	git dvx dag --mermaid >mermaid && head -n 1 mermaid | grep -qx "flowchart TD" && grep -q "node1-->node2" mermaid &&
	git dvx dag --md >md && { echo "\`\`\`mermaid" && cat mermaid && echo "\`\`\`"; } >expect && test_cmp expect md
'

test_expect_success 'of another revision, and in a bare repository' '
	git dvx dag >before && git tag before && git clone -q --bare . ../bare.git &&
	printf "stages:\n  only: {cmd: \"true\"}\n" >dvx.yaml &&
	git dvx dag --rev before >actual && test_cmp before actual &&
	git dvx dag >now && grep -q "| only |" now &&
	git -C ../bare.git dvx dag >actual && test_cmp before actual
'

test_expect_success 'the stages of a foreach or matrix as one' '
	git init -q ../each && cd ../each && cat >dvx.yaml <<-\END &&
	stages:
	  load: {cmd: x, outs: [data]}
	  prep:
	    foreach: [a, b, c]
	    do: {cmd: "x ${item}", deps: [data], outs: ["p-${item}"]}
	  mix: {cmd: x, deps: [p-a, p-c], outs: [mixed]}
	  train:
	    matrix: {m: [x, y], f: [1, 2]}
	    cmd: x ${item.m} ${item.f}
	    deps: [mixed]
	    outs: ["m-${item.m}-${item.f}"]
	END
	cat >expect <<-\END && git dvx dag --dot --collapse-foreach-matrix >out && test_cmp expect out &&
	strict digraph {
	"load";
	"prep";
	"mix";
	"train";
	"load" -> "prep";
	"prep" -> "mix";
	"mix" -> "train";
	}
	END
	mkdir sub && (cd sub && git dvx dag --json --collapse-foreach-matrix ../mixed) >out && grep "../dvx.yaml:prep\"" out && ! grep train out && ! grep @ out &&
	printf "stages:\n  s:\n    foreach: {a: {i: x, o: y}, b: {i: z, o: w}}\n    do: {cmd: x, deps: [\"\${item.i}\"], outs: [\"\${item.o}\"]}\n  m: {cmd: x, deps: [y], outs: [z]}\n" >dvx.yaml &&
	test_expect_code 128 git dvx dag --collapse-foreach-matrix 2>err && grep "with --collapse-foreach-matrix: .*cycle" err && cd ../p
'

test_expect_success 'what cannot be drawn' '
	test_expect_code 128 git dvx dag tarin 2>err && grep -q "no stage and no output .tarin. in .dvx.yaml." err &&
	printf "stages:\n  a: {cmd: x, deps: [b], outs: [a]}\n  b: {cmd: x, deps: [a], outs: [b]}\n" >dvx.yaml &&
	test_expect_code 128 git dvx dag 2>err && grep -q "dvx.yaml" err && grep -q "depend on each other" err &&
	rm dvx.yaml && test_expect_code 128 git dvx dag 2>err && grep -q "no stages" err &&
	test_expect_code 129 git dvx pipeline list 2>err
'

test_done
