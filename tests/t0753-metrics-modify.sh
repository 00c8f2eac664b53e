#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx metrics modify: what counts in a file of metrics'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	git init -q repo && cd repo && mkdir model sub && cat >dvx.yaml <<-\END &&
	# the pipeline
	stages:
	  evaluate:   # last
	    cmd: ./evaluate
	    metrics:
	    - model/metrics.json:
	        cache: false # small
	    - acc.csv
	metrics: [top.yaml]
	END
	echo "{\"acc\": 0.896, \"loss\": 0.3}" >model/metrics.json && printf "epoch,acc\n0,0.5\n1,0.7\n" >acc.csv && echo "a: {b: 1, c: 2}" >top.yaml &&
	printf "stages:\n  e:\n    cmd: ./e\n    wdir: w\n    metrics:\n    - m.json\n" >sub/dvx.yaml && mkdir sub/w && echo "{\"x\": 1, \"y\": 2}" >sub/w/m.json &&
	git add -A && git commit -qm one && git tag v1
'

test_expect_success 'the old words: --type json --xpath acc' '
	git dvx metrics modify model/metrics.json --type json --xpath acc >out && test_must_be_empty out &&
	git diff --numstat >out && printf "2\t0\tdvx.yaml\n" >expect && test_cmp expect out && grep "cache: false # small" dvx.yaml &&
	git dvx metrics show model >out && cat >expect <<-\END && test_cmp expect out &&
	Path                  acc
	model/metrics.json  0.896
	END
	git commit -qam select && git tag v2 && git dvx metrics show -T model >out && cat >expect <<-\END && test_cmp expect out
	Revision   Path                  acc  loss
	workspace  model/metrics.json  0.896     -
	v1         model/metrics.json  0.896   0.3
	v2         model/metrics.json  0.896     -
	END
'

test_expect_success 'again, another path; a metric without options; one of the top-level list' '
	git dvx metrics modify model/metrics.json --path loss && git dvx metrics modify -t csv -x -1,acc acc.csv && git dvx metrics modify -x a.c top.yaml &&
	git dvx metrics show --json >out &&
	echo "{\"\": {\"data\": {\"model/metrics.json\": {\"data\": {\"loss\": 0.3}}, \"acc.csv\": {\"data\": {\"-1.acc\": 0.7}}, \
\"sub/w/m.json\": {\"data\": {\"x\": 1, \"y\": 2}}, \"top.yaml\": {\"data\": {\"a.c\": 2}}}}}" >expect && test_cmp expect out
'

test_expect_success 'in the file of a sub-directory, with wdir; paths are from where one is' '
	cp dvx.yaml keep && (cd sub/w && git dvx metrics modify m.json --path y) && test_cmp keep dvx.yaml &&
	git dvx metrics show sub >out && grep "^sub/w/m.json  *2$" out && git dvx metrics modify sub/w/m.json --path x && git dvx metrics show sub >out && grep "^sub/w/m.json  *1$" out
'

test_expect_success 'show selects for once with the same options' '
	git dvx metrics show -t json -x acc model/metrics.json >out && grep "^model/metrics.json  *0.896$" out &&
	git dvx metrics show --xpath 0,acc acc.csv >out && grep "^acc.csv  *0.5$" out
'

test_expect_success 'what is not a metric is an error, and nothing is written' '
	git commit -qam two && test_expect_code 128 git dvx metrics modify other.json --path a 2>err && grep "no metric .other.json." err &&
	test_expect_code 129 git dvx metrics modify model/metrics.json 2>err && grep "what is to be modified" err &&
	test_expect_code 129 git dvx metrics modify --path a && test_expect_code 128 git dvx metrics modify -t xml model/metrics.json 2>err &&
	grep "unknown type .xml.; there are json" err && test_expect_code 128 git dvx metrics show -t xml 2>err && grep "unknown type .xml." err && git diff --exit-code
'

test_expect_success 'without any dvx.yaml' '
	git init -q ../none && cd ../none && test_expect_code 128 git dvx metrics modify m.json --path a 2>err && grep "there is no dvx.yaml" err
'

test_done
