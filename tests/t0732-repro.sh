#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx repro: which stages run, and what is said'
. "$(dirname "$0")/lib.sh"

# ran NAME...: just these stages ran in the repro whose output is ../out, in this order.
ran() {
	sed -n "s/^Running stage '\(.*\)':\$/\1/p" ../out >../ran && printf '%s\n' "$@" | sed '/^$/d' | test_cmp - ../ran
}

# repro [OPTION...]: its output in ../out.
repro() {
	git dvx repro "$@" >../out
}

test_expect_success 'setup: load -> train -> evaluate, and one apart' '
	dvx_repo repo && cd repo && echo 3 >n && echo 1 >lr && echo words >other &&
	cat >dvx.yaml <<-\END &&
	stages:
	  load:
	    cmd: mkdir data && for i in $(seq $(cat n)); do echo $i >data/$i; done
	    deps: [n]
	    outs: [data]
	  train:
	    cmd: cat lr data/* >model
	    deps: [data, lr]
	    outs: [model]
	  evaluate:
	    cmd: wc -c <model >m.json
	    deps: [model]
	    metrics: [{m.json: {cache: false}}]
	  apart:
	    cmd: cp other copy
	    deps: [other]
	    outs: [copy]
	END
	git add -A && git commit -q -m zero
'

test_expect_success 'everything runs once' '
	repro && ran load train evaluate apart && grep "To track the changes with git, run:" ../out &&
	grep "^	git add dvx.lock .gitattributes data model m.json copy" ../out && git add -A && git commit -q -m one &&
	for f in data/3 model copy; do git cat-file blob HEAD:$f >../p && is_pointer ../p || return 1; done && git cat-file blob HEAD:m.json | cmp - m.json
'

test_expect_success 'nothing changed: nothing happens' '
	cp dvx.lock ../lock && repro && ran && grep -c "didn.t change, skipping" ../out >../count && echo 4 | test_cmp - ../count &&
	grep -x "Stage .load. didn.t change, skipping" ../out && grep -x "Data and pipelines are up to date." ../out && test_cmp ../lock dvx.lock &&
	test -z "$(git status --porcelain)" && repro -q && test_must_be_empty ../out &&
	echo "# a comment" >>dvx.yaml && touch n lr && repro && ran && git checkout -q dvx.yaml
'

test_expect_success 'changed config, partly; explained' '
	echo 2 >lr && repro --dry-run --explain && ran train evaluate && grep "dependency .lr. modified: [0-9a-f]* (2 B) -> [0-9a-f]* (2 B)" ../out && git diff --quiet model dvx.lock &&
	repro --explain train.dvc && ran train && grep -x "Stage .load. didn.t change, skipping" ../out && grep "dependency .lr. modified" ../out && ! grep apart ../out &&
	repro evaluate && ran evaluate && repro && ran
'

test_expect_success 'changed data: all that needs it; files are named' '
	echo 4 >n && repro --explain && ran load train evaluate && grep "dependency .data. modified: .*3 files) -> .*4 files)" ../out && grep "A 4" ../out && ! grep "A 3" ../out &&
	echo "mkdir data && seq 4 >data/all" >cmd && sed -i "s/cmd: mkdir.*/cmd: mkdir data \&\& seq 4 >data\/all/" dvx.yaml &&
	repro --explain load && ran load && grep "command .*modified: .* -> mkdir data && seq 4 >data/all" ../out && git checkout -q dvx.yaml && rm cmd
'

test_expect_success 'seen before: from the run cache; missing or changed outputs: put back' '
	echo 3 >n && repro && ran && grep -x "Stage .load. is cached - skipping run, checking out outputs" ../out && test "$(ls data | wc -l)" = 3 &&
	rm -r data model && repro --dry-run && ran && test "$(grep -c "would be put back" ../out)" = 2 && grep "Stage .evaluate. didn.t change" ../out &&
	repro && ran && test -f model && test "$(ls data | wc -l)" = 3 && grep "checking out outputs" ../out && ! grep "To track" ../out &&
	repro && grep "up to date" ../out && repro --no-run-cache -f load && ran load
'

test_expect_success 'targets: outputs, files of stages, several' '
	repro -f model && ran load train && repro -f dvx.yaml && ran load train evaluate apart && repro -f -s copy m.json && ran evaluate apart &&
	mkdir sub && (cd sub && git dvx repro -s -f ../dvx.yaml:apart) >../out && ran ../dvx.yaml:apart && rmdir sub &&
	test_expect_code 128 git dvx repro nosuch 2>../err && grep "^error: " ../err && test_expect_code 128 git dvx repro trian 2>../err && grep "most similar one is .train." ../err
'

test_expect_success '-s, -f, --downstream, --force-downstream, -p' '
	repro -s -f train && ran train && repro -f train && ran load train && repro --downstream -f train && ran train evaluate &&
	test_expect_code 129 git dvx repro -s --downstream && repro -p -f train && ran load train evaluate && repro -P -f && ran load train evaluate apart &&
	echo 4 >n && repro -s train && ran && repro -s load && repro -s train && repro && echo "# x" >>other &&
	sed -i "s/^    cmd: cat lr data/    cmd: cat lr data/" dvx.yaml && echo 3 >n && repro --no-run-cache && ran load train evaluate apart &&
	sed -i "s/cmd: cp other copy/cmd: cp  other copy/; s/cmd: cat lr/cmd: cat  lr/" dvx.yaml && repro --force-downstream --no-run-cache && ran train evaluate apart
'

test_expect_success 'a failure: the message, the old outputs, what is not run' '
	cp model ../model && sed -i "s/cmd: cat  lr.*/cmd: echo half >model; exit 7/" dvx.yaml && test_expect_code 128 git dvx repro >../out 2>../err &&
	ran train && grep "^error: .*stage .train. failed: .*exited with status 7" ../err && test "$(grep -c ^error: ../err)" = 1 && test_cmp_bin ../model model &&
	echo more >>other && test_expect_code 128 git dvx repro -k >../out 2>../err && ran train apart &&
	grep "^Stage .evaluate. did not run, because .train. failed" ../out && grep "Stages: 1 ran, 1 unchanged, 1 failed, 1 not run" ../out && test_cmp other copy &&
	test_expect_code 128 git dvx repro --json 2>/dev/null >../out && json ../out "{s[\"stage\"]: s[\"result\"] for s in j[\"stages\"]} == {\"load\": \"unchanged\", \"train\": \"failed\"}"
'

test_expect_success 'an output that is not made' '
	git checkout -q . && repro && sed -i "s/cmd: cp other copy/cmd: ls other/" dvx.yaml && cp copy ../copy &&
	test_expect_code 128 git dvx repro apart 2>../err && grep "stage .apart. did not make its output .copy." ../err && test_cmp ../copy copy && git checkout -q dvx.yaml
'

test_expect_success '--json: outcomes and reasons; what commands print does not get in between' '
	sed -i "s/cmd: cp other copy/cmd: echo words; cp other copy/" dvx.yaml && git dvx repro --json 2>../err >../out && grep "apart | words" ../err &&
	json ../out "{s[\"stage\"]: s[\"result\"] for s in j[\"stages\"]} == {\"load\": \"unchanged\", \"train\": \"unchanged\", \"evaluate\": \"unchanged\", \"apart\": \"ran\"}" &&
	json ../out "j[\"stages\"][3][\"reasons\"][0][\"what\"] == \"command\""
'

test_expect_success 'nowhere to begin' '
	mkdir ../none && (cd ../none && git init -q . && test_expect_code 128 git dvx repro 2>../err && grep "there is no dvx.yaml here; .git dvx stage add. or .git dvx run. makes one" ../err) &&
	mkdir -p deep sub && (cd deep && git dvx repro -s train) && printf "stages:\n  x:\n    cmd: touch y\n    outs: [y]\n" >sub/dvx.yaml && git add sub &&
	(cd deep && test_expect_code 128 git dvx repro 2>../../err && grep "no dvx.yaml in this directory" ../../err) &&
	(cd sub && git dvx repro) && test -f sub/y && git dvx repro -P -f >../out && grep -x "Running stage .sub/dvx.yaml:x.:" ../out
'

test_expect_success 'explained: many changed files of a directory are cut after ten' '
	dvx_repo ../many && cd ../many && mkdir in && for i in $(seq 101 1300); do echo 1 >in/$i || return 1; done &&
	git dvx run -q -n count -d in -o out "ls in >out" && for i in $(seq 101 1225); do echo 2 >in/$i || return 1; done &&
	git dvx repro --dry-run --explain >../out && test "$(grep -c "^ *M 1" ../out)" = 10 && grep -x " *… and 1115 more" ../out &&
	git dvx repro --dry-run --explain --json >../json 2>/dev/null && test "$(grep -c "\"M\"" ../json)" = 1000 && grep "\"n_files\":.*1125" ../json
'

test_done
