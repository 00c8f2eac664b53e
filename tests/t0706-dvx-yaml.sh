#!/bin/sh
# shellcheck disable=SC2034
test_description='dvx.yaml and dvc.yaml: templates, foreach and matrix run as they resolve'
. "$(dirname "$0")/lib.sh"

ran() { # the stages that ran in the last repro
	sed -n "s/^Running stage '\(.*\)':\$/\1/p" out | tr '\n' ' ' | sed 's/ $//'
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && printf "train: {lr: 0.1, epochs: 3}\nlangs: [en, de]\n" >params.yaml &&
	printf "{\"size\": 4, \"unused\": 5}\n" >more.json &&
	cat >dvc.yaml <<-\END &&
	vars: [more.json]
	stages:
	  clean:
	    foreach: ${langs}
	    do:
	      cmd: echo ${item} >${item}.txt
	      outs: ["${item}.txt"]
	  train:
	    matrix:
	      model: [cnn, xgb]
	      lang: ${langs}
	    cmd: echo ${item.model} ${train} \${HOME:+home} >${key}.bin
	    deps: ["${item.lang}.txt"]
	    outs: ["${key}.bin"]
	  sum:
	    cmd: cat *.bin >sum.txt && echo ${size} >>sum.txt
	    deps: [cnn-en.bin, cnn-de.bin, xgb-en.bin, xgb-de.bin]
	    outs: [sum.txt]
	END
	git add -A && git commit -q -m one
'

test_expect_success 'a project that has only a dvc.yaml runs; its results are kept in dvx.lock' '
	cp dvc.yaml ../dvc.yaml && git dvx repro >out &&
	test "$(ran)" = "clean@en clean@de train@cnn-en train@cnn-de train@xgb-en train@xgb-de sum" &&
	echo "xgb --lr 0.1 --epochs 3 home" >expect && test_cmp expect xgb-de.bin && test "$(tail -n 1 sum.txt)" = 4 &&
	grep "  train@xgb-de:" dvx.lock && grep -F "cmd: " dvx.lock | grep -F "\${HOME:+home}" && ! test -e dvc.lock &&
	test_cmp ../dvc.yaml dvc.yaml && git dvx repro >out && test -z "$(ran)"
'

test_expect_success 'a changed variable runs the stages whose commands have it' '
	printf "train: {lr: 0.2, epochs: 3}\nlangs: [en, de]\n" >params.yaml && git dvx repro >out &&
	test "$(ran)" = "train@cnn-en train@cnn-de train@xgb-en train@xgb-de sum" &&
	printf "{\"size\": 9, \"unused\": 5}\n" >more.json && git dvx repro >out && test "$(ran)" = sum
'

test_expect_success 'what templates put in is shown by params, the rest of the file is not' '
	git dvx params diff >out && grep "more.json *size *4 *9" out && grep "params.yaml *train.lr *0.1 *0.2" out && ! grep unused out
'

test_expect_success 'a group, one of it, a pattern' '
	git dvx repro -f -s clean >out && test "$(ran)" = "clean@en clean@de" &&
	git dvx repro -f -s train@xgb-en >out && test "$(ran)" = train@xgb-en &&
	git dvx repro -f -s "train@*-de" >out && test "$(ran)" = "train@cnn-de train@xgb-de"
'

test_expect_success 'a new item is a new stage, the others stay' '
	printf "train: {lr: 0.2, epochs: 3}\nlangs: [en, de, fr]\n" >params.yaml && git dvx repro >out &&
	test "$(ran)" = "clean@fr train@cnn-fr train@xgb-fr"
'

test_expect_success 'a dvx.yaml beside it takes its place' '
	git add -A && git commit -q -m two && printf "stages:\r\n  only:\r\n    cmd: |\r\n      echo 1 >one\r\n      echo 2 >two\r\n" >dvx.yaml &&
	git dvx stage list >out && grep "^only" out && ! grep train out &&
	git dvx repro >out && test "$(ran)" = only && test "$(cat one two | tr -d "\n")" = 12 && rm one two dvx.yaml
'

test_expect_success 'files in directories: names from where one is' '
	mkdir -p sub/deep && printf "stages:\n  a:\n    wdir: deep\n    cmd: echo a >a.txt\n    outs: [a.txt]\n" >sub/dvx.yaml &&
	git add sub && git dvx repro sub/dvx.yaml:a >out && test "$(cat sub/deep/a.txt)" = a &&
	(cd sub && git dvx repro -f a >../out) && grep "^Running stage .a.:" out &&
	(cd sub/deep && git dvx repro -f ../dvx.yaml:a >../../out) && grep "^Running stage" out &&
	(cd sub && git dvx repro -f -s ../dvc.yaml:clean@en >../out) && grep "^Running stage .*clean@en" out
'

test_done
