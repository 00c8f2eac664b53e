#!/bin/sh
# shellcheck disable=SC2034
test_description='projects that have a dvc.yaml, pipelines in sub-directories, outputs that Git ignores'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup: a project as DVC leaves it' '
	dvx_repo repo && cd repo && mkdir src data model &&
	cat >dvc.yaml <<-\END &&
	vars:
	- top: 3
	stages:
	  prepare:
	    cmd: sh src/prepare.sh ${top}
	    deps:
	    - src/prepare.sh
	    params:
	    - prepare.split
	    outs:
	    - data/prepared
	  train:
	    cmd: cat data/prepared/* >model/model.pkl && echo "{\"acc\":0.5}" >scores.json
	    deps:
	    - data/prepared
	    outs:
	    - model/model.pkl
	    metrics:
	    - scores.json:
	        cache: false
	END
	cat >dvc.lock <<-\END &&
	schema: "2.0"
	stages: {}
	END
	echo "mkdir -p data/prepared; for i in \$(seq \$1); do echo \$i >data/prepared/\$i; done" >src/prepare.sh &&
	printf "prepare:\n  split: 0.2\nother: 1\n" >params.yaml && echo "/prepared" >data/.gitignore && echo "/model.pkl" >model/.gitignore &&
	git add -A && git commit -q -m dvc
'

test_expect_success 'it runs; outputs that .gitignore hides are told with the lines that mend it' '
	cp dvc.yaml dvc.lock .. && git dvx repro >../out 2>../err && grep "> sh src/prepare.sh 3" ../out && test -f data/prepared/3 && test -f dvx.lock && ! test -e dvx.yaml &&
	test_cmp ../dvc.yaml dvc.yaml && test_cmp ../dvc.lock dvc.lock &&
	grep "data/prepared. is hidden by the ignore rule ./prepared. (data/.gitignore:1)" ../err && grep "model/model.pkl. is hidden" ../err &&
	git dvx repro >../out 2>../err && grep "up to date" ../out && test_must_be_empty ../err
'

test_expect_success '--unignore adds them, and git add sees the outputs' '
	git dvx repro --unignore >../out 2>../err && git add -A && git ls-files >../out && grep -x data/prepared/3 ../out && grep -x model/model.pkl ../out &&
	git commit -q -m all && git cat-file blob HEAD:model/model.pkl >../p && is_pointer ../p && test -z "$(git status --porcelain)"
'

test_expect_success 'decisions as of any dvx.yaml; stages are added where the others are' '
	sed -i "s/other: 1/other: 2/" params.yaml && git dvx repro >../out && grep "up to date" ../out &&
	sed -i "s/split: 0.2/split: 0.3/" params.yaml && git dvx repro --explain >../out && grep "parameter .*prepare.split.*0.2 -> 0.3" ../out &&
	grep "Stage .train. didn.t change" ../out && git dvx run -n last -d scores.json -O last "cp scores.json last" >../out && grep "Added stage .last. in .dvc.yaml." ../out &&
	grep -x "  last:" dvc.yaml && ! test -e dvx.yaml && git dvx freeze last && grep "frozen: true" dvc.yaml && git dvx stage remove last && test_cmp ../dvc.yaml dvc.yaml
'

test_expect_success 'a dvx.yaml takes its place' '
	printf "stages:\n  only:\n    cmd: touch only.txt\n    outs: [only.txt]\n" >dvx.yaml && git dvx stage list --name-only >../out && echo only | test_cmp - ../out && rm dvx.yaml
'

test_expect_success 'pipelines in sub-directories depend on each other' '
	mkdir -p a/deep b && printf "stages:\n  make:\n    wdir: deep\n    cmd: cat ../../params.yaml >out\n    deps: [../../params.yaml]\n    outs: [out]\n" >a/dvx.yaml &&
	printf "stages:\n  use:\n    cmd: cp ../a/deep/out used\n    deps: [../a/deep/out]\n    outs: [used]\n" >b/dvx.yaml && git add -A &&
	(cd b && git dvx repro) >../out && grep "Running stage .../a/dvx.yaml:make.:" ../out && grep "Running stage .use.:" ../out && cmp params.yaml b/used && test -f a/dvx.lock && test -f b/dvx.lock &&
	{ grep "path: deep/out" a/dvx.lock || grep "path: a/deep/out" a/dvx.lock; } && echo more: 1 >>params.yaml && git dvx repro b/dvx.yaml:use && cmp params.yaml b/used &&
	git dvx repro -P >../out && grep "up to date" ../out
'

test_done
