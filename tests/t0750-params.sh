#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx params show and diff'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	git init -q repo && cd repo && mkdir sub config &&
	cat >dvx.yaml <<-\END &&
	params: [config/extra.json]
	stages:
	  train:
	    cmd: ./train
	    params:
	    - train.lr
	    - config/more.json:
	      - a.b
	    - config/whole.yaml:
	END
	printf "train:\n  lr: 0.000123456\n  epochs: 10\nlist: [1, 2]\nname: yes\n" >params.yaml &&
	echo "{\"a\": {\"b\": 1, \"c\": 2}}" >config/more.json &&
	printf "x: 1\ny: true\n" >config/whole.yaml && echo "{\"t\": {\"z\": 3}}" >config/extra.json &&
	git add -A && git commit -qm one && git tag v1 &&
	sed -i -e s/0.000123456/0.5/ -e "s/epochs: 10/epochs: 30/" -e s/yes/no/ params.yaml && git commit -qam two && git tag v2 &&
	sed -i -e /epochs/d -e "s/lr: .*/lr: 1/" params.yaml && echo "new: 1" >>params.yaml
'

test_expect_success 'show: params.yaml, whole files, keys that stages name, files of the top-level list' '
	git dvx params show --json >out &&
	echo "{\"\": {\"data\": {\"params.yaml\": {\"data\": {\"train\": {\"lr\": 1}, \"list\": [1, 2], \"name\": \"no\", \"new\": 1}}, \
\"config/extra.json\": {\"data\": {\"t\": {\"z\": 3}}}, \"config/more.json\": {\"data\": {\"a.b\": 1}}, \
\"config/whole.yaml\": {\"data\": {\"x\": 1, \"y\": true}}}}}" >expect && test_cmp expect out
'

test_expect_success 'show --deps: only what stages depend on' '
	git dvx params show --deps >out && cat >expect <<-\END && test_cmp expect out
	Path               train.lr  a.b  x  y
	params.yaml               1    -  -  -
	config/more.json          -    1  -  -
	config/whole.yaml         -    -  1  true
	END
'

test_expect_success 'parameters are shown as they are written' '
	git dvx params show -T params.yaml:train.lr >out && cat >expect <<-\END && test_cmp expect out &&
	Revision   Path            train.lr
	workspace  params.yaml            1
	v1         params.yaml  0.000123456
	v2         params.yaml          0.5
	END
	git dvx params show --rev v1 --targets params.yaml:train.lr --precision 3 >out && grep "0.000123$" out
'

test_expect_success 'diff: HEAD and the work tree' '
	git dvx params diff >out && cat >expect <<-\END && test_cmp expect out
	Path         Param         HEAD  workspace
	params.yaml  train.lr       0.5          1
	params.yaml  new              -          1
	params.yaml  train.epochs    30          -
	END
'

test_expect_success 'diff: a revision and the work tree, two revisions' '
	git dvx params diff v1 --targets params.yaml:train >out && grep "train.lr  *0.000123456  *1$" out && grep "epochs  *10  *-$" out &&
	git dvx params diff v1 v2 --json >out &&
	echo "{\"params.yaml\": {\"train.lr\": {\"old\": 0.000123456, \"new\": 0.5}, \"train.epochs\": {\"old\": 10, \"new\": 30}, \
\"name\": {\"old\": \"yes\", \"new\": \"no\"}}}" >expect && test_cmp expect out &&
	git dvx params diff v2 v2 >out && test_must_be_empty out && git dvx params diff v2 v2 --json >out && echo "{}" >expect && test_cmp expect out
'

test_expect_success 'diff --all, --deps, --no-path, --md' '
	git dvx params diff --all --deps --no-path --md v1 v2 >out && cat >expect <<-\END && test_cmp expect out
	| Param    |          v1 |   v2 |
	|----------|------------:|-----:|
	| train.lr | 0.000123456 |  0.5 |
	| a.b      |           1 |    1 |
	| x        |           1 |    1 |
	| y        |        true | true |
	END
'

test_expect_success '--targets takes several words; a file that nobody declares' '
	echo "{\"q\": 1}" >undeclared.json && git add undeclared.json && git commit -qm three undeclared.json && echo "{\"q\": 5}" >undeclared.json &&
	git dvx params diff --targets undeclared.json config/more.json -- HEAD >out && cat >expect <<-\END && test_cmp expect out &&
	Path             Param  HEAD  workspace
	undeclared.json  q         1          5
	END
	git dvx params show undeclared.json >out && grep "undeclared.json  *5" out
'

test_expect_success 'targets that overlap are shown once' '
	git dvx params show --json config config/more.json params.yaml:new params.yaml:train.lr >out &&
	echo "{\"\": {\"data\": {\"config/extra.json\": {\"data\": {\"t\": {\"z\": 3}}}, \"config/more.json\": {\"data\": {\"a.b\": 1}}, \
\"config/whole.yaml\": {\"data\": {\"x\": 1, \"y\": true}}, \"params.yaml\": {\"data\": {\"new\": 1, \"train.lr\": 1}}}}}" >expect && test_cmp expect out
'

test_expect_success 'from a sub-directory: what is typed is from there, what is shown from the top' '
	(cd config && git dvx params show more.json ../params.yaml:new) >out && cat >expect <<-\END && test_cmp expect out
	Path              a.b  new
	config/more.json    1    -
	params.yaml         -    1
	END
'

test_expect_success 'params.yaml beside each file of stages' '
	printf "stages:\n  s:\n    cmd: ./s\n" >sub/dvx.yaml && echo "w: 1" >sub/params.yaml && git add sub && git dvx params show sub >out &&
	grep "^sub/params.yaml  *1$" out && rm sub/params.yaml && git dvx params show >out 2>err && ! grep sub out && test_must_be_empty err
'

test_expect_success 'without dvx.yaml, params.yaml is shown all the same' '
	git init -q ../plain && (cd ../plain && echo "a: 1" >params.yaml && git dvx params show) >out && grep "params.yaml  *1" out
'

test_expect_success 'wrong command lines' '
	test_expect_code 129 git dvx params && test_expect_code 129 git dvx params frob 2>err && grep "show and diff" err &&
	test_expect_code 129 git dvx params diff a b c && test_expect_code 129 git dvx params diff -T &&
	test_expect_code 129 git dvx params show --json --md && test_expect_code 128 git dvx params diff nosuch 2>err &&
	grep "unknown revision .nosuch." err && test_expect_code 128 git dvx params show nosuch.yaml 2>err && grep "no file .nosuch.yaml. in workspace" err
'

test_expect_success 'before the first commit' '
	git init -q ../unborn && (cd ../unborn && test_expect_code 128 git dvx params diff 2>../err) && grep -x "error: unknown revision .HEAD.; there is no commit yet" ../err
'

test_done
