#!/bin/sh
# shellcheck disable=SC2034
test_description='the stages in git dvx status: layout, operands, JSON, what goes wrong'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

test_expect_success 'a project without stages: as ever' '
	new_project plain && git add -A && git commit -q -m one && git dvx status >out && printf "On branch main\nData and commits agree, nothing to do\n" | test_cmp - out &&
	git dvx status --json >out && json out "j[\"stages\"] == []" && test ! -e .git/dvx/stat-cache
'

test_expect_success 'setup' '
	new_project repo && mkdir sub && cat >dvx.yaml <<-\END && cat >sub/dvx.yaml <<-\END2 &&
	stages:
	  train:
	    cmd: cp in model
	    deps: [in]
	    params: [lr]
	    outs: [model]
	  evaluate:
	    cmd: wc -c <model >m.json
	    deps: [model]
	    metrics: [{m.json: {cache: false}}]
	END
	stages:
	  train:
	    cmd: cp a b
	    deps: [a]
	    outs: [b]
	END2
	echo 1 >in && echo "lr: 1" >params.yaml && echo 1 >sub/a && git add -A && git dvx repro -P >/dev/null && git add -A && git commit -q -m one &&
	git init -q --bare ../o.git && git remote add origin ../o.git && git dvx remote add -d storage ../blobs && git commit -q -a -m remote && git push -q origin HEAD
'

test_expect_success 'all is well' '
	git dvx status >out && printf "On branch main\nData and pipelines are up to date.\n" | test_cmp - out && git dvx status train >out && echo "Data and pipelines are up to date." | test_cmp - out
'

test_expect_success 'the layout' '
	echo 2 >in && echo "lr: 2" >params.yaml && sed -i "s/cp in model/cp  in model/" dvx.yaml && echo 3 >sub/a && git dvx status >out && printf "%s\n" "On branch main" "" \
		"Stages that changed ('\''git dvx repro'\'' brings them up to date):" \
		"train:" "	changed command" "	changed deps:" "		modified:           in" "	changed params:" "		modified:           params.yaml: lr" \
		"sub/dvx.yaml:train:" "	changed deps:" "		modified:           sub/a" >expect && test_cmp expect out
'

test_expect_success 'a stage by name, by its output, by address, from another directory; a path; both' '
	git dvx status train >out && sed -n "4,9p" expect | test_cmp - out && (cd sub && git dvx status train) >out && printf "train:\n\tchanged deps:\n\t\tmodified:           sub/a\n" | test_cmp - out &&
	git dvx status evaluate >out && echo "Data and pipelines are up to date." | test_cmp - out && git dvx status sub/dvx.yaml:train >out && head -n 1 out | grep "^sub/dvx.yaml:train:$" &&
	rm model && git dvx status model >out && grep "^	deleted: *model" out && grep "changed command" out && ! grep sub out && git dvx status train >out && grep "changed outs" out && ! grep "On branch" out && git checkout -q model && git dvx status in >out && grep "On branch" out && ! grep changed out &&
	git dvx status -X "*" >out && ! grep "changed" out && git dvx status nosuch >out && ! grep changed out
'

test_expect_success 'JSON: with --explain from what to what' '
	git dvx status --json >out && json out "[s[\"name\"] for s in j[\"stages\"]] == [\"train\", \"train\"] and j[\"stages\"][1][\"file\"] == \"sub/dvx.yaml\"" &&
	json out "[(r[\"what\"], r[\"how\"], r[\"name\"]) for r in j[\"stages\"][0][\"reasons\"]] == [(\"command\", \"modified\", None), (\"dependency\", \"modified\", \"in\"), (\"parameter\", \"modified\", \"params.yaml: lr\")]" &&
	git dvx status --json --explain train >out && json out "j[\"stages\"][0][\"reasons\"][2][\"old\"] == \"1\" and j[\"stages\"][0][\"reasons\"][2][\"new\"] == \"2\" and j[\"files\"] == {}"
'

test_expect_success 'porcelain is about data alone; --remote, too' '
	git dvx status -p >out && test_must_be_empty out && git dvx status --remote >out && ! grep changed out
'

test_expect_success 'a broken dvx.yaml, dvx.lock or params.yaml: the data is shown, the place is named' '
	cp dvx.lock keep && echo "- x" >dvx.yaml && rm model && test_expect_code 128 git dvx status >out 2>err && grep "deleted: *model" out && test "$(grep -c "^error: dvx.yaml:1:" err)" = 1 && git checkout -q model dvx.yaml &&
	echo "stages: [" >dvx.lock && test_expect_code 128 git dvx status >out 2>err && grep "^On branch" out && grep "^error: .*dvx.lock:" err && test_expect_code 128 git dvx status --json >out 2>err && test_must_be_empty out && mv keep dvx.lock &&
	echo "lr: [" >params.yaml && test_expect_code 128 git dvx status 2>err && grep "^error: .*params.yaml:" err && git checkout -q params.yaml && git dvx status
'

test_expect_success 'usage' '
	git dvx status -h >out && grep "<stage>" out && test_expect_code 129 git dvx status --frob
'

test_expect_success 'names of files and parameters do not steer the terminal; such a stage is refused' '
	new_project odd && esc=$(printf "\\033") && cat >dvx.yaml <<-\END && printf "\"\\\\e[31mlr\": 1\n" >params.yaml && : >"in${esc}[2J" &&
	stages:
	  s:
	    cmd: ": >out"
	    deps: ["in\e[2J"]
	    params: ["\e[31mlr"]
	    outs: [{out: {cache: false}}]
	END
	git dvx repro >out.log && echo 2 >"in${esc}[2J" && printf "\"\\\\e[31mlr\": \"2\\\\e[7m\"\n" >params.yaml &&
	for command in "status" "status --explain" "repro --dry-run --explain" "stage list"; do
		git dvx $command >shown && ! grep "$esc" shown || return 1
	done && git dvx status >shown && grep "in?\[2J" shown && grep "?\[31mlr" shown &&
	printf "stages:\n  \"a\\\\e[31mb\":\n    cmd: echo\n  f:\n    foreach: {\"x\\\\e\": 1}\n    do: {cmd: echo}\n" >dvx.yaml && test_expect_code 128 git dvx status 2>err && ! grep "$esc" err && grep "dvx.yaml:2: a control character in the name" err &&
	sed -i 2,3d dvx.yaml && test_expect_code 128 git dvx status 2>err && grep "dvx.yaml:2: a control character in the name" err
'

test_done
