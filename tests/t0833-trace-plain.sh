#!/bin/sh
test_description='git dvx trace where there is no pipeline, or one of DVC'\''s'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

test_expect_success 'without a pipeline: data files, params.yaml, metrics in files of the usual names' '
	new_project plain && on 2023-12-01 && git dvx track "*.csv" "*.bin" >/dev/null && mkdir data out && customers 10 >data/c.csv && random_file model.bin 10K m && echo "lr: 0.1" >params.yaml && echo "{\"acc\": 0.5}" >out/metrics.json && git add -A && git commit -q -m one &&
	git dvx trace --json >../out && json ../out "[d[\"path\"] for d in j[\"data\"]] == [\"data/c.csv\", \"model.bin\"] and j[\"data\"][0][\"rows\"] == 10 and \"rows\" not in j[\"data\"][1]" &&
	json ../out "j[\"params\"] == {\"params.yaml\": {\"lr\": 0.1}} and j[\"metrics\"] == {\"out/metrics.json\": {\"acc\": 0.5}} and j[\"stages\"] == [] and j[\"environment\"] is None and j[\"unknown\"] == []" &&
	git dvx trace >../out && grep "^data     data/c.csv  .*, 10 rows, 3 columns" ../out && grep "^         model.bin  10.0 KiB" ../out && grep "^params   lr=0.1  (params.yaml)$" ../out && grep "^metrics  acc=0.5  (out/metrics.json)$" ../out &&
	git dvx trace --json model.bin >../out && json ../out "j[\"file\"][\"stage\"] is None and j[\"metrics\"] == {\"out/metrics.json\": {\"acc\": 0.5}} and j[\"params\"] == {\"params.yaml\": {\"lr\": 0.1}}"
'

test_expect_success 'a table that Git keeps itself, JSON Lines, an empty repository with one commit' '
	new_project small && printf "{\"a\": 1}\n{\"b\": 2}\n" >d.jsonl && customers 4 >c.csv && git add -A && git commit -q -m one && git dvx trace --json d.jsonl >../out && json ../out "j[\"file\"][\"rows\"] == 2 and j[\"file\"][\"columns\"] == 2 and j[\"file\"][\"storage\"] == \"git\"" &&
	git dvx trace --json c.csv >../out && json ../out "j[\"file\"][\"rows\"] == 4 and j[\"file\"][\"sha256\"] == \"$(sha c.csv)\"" && git init -q ../bare && cd ../bare && git commit -q --allow-empty -m nothing && git dvx trace >../out && grep nothing ../out && git dvx trace --diff HEAD HEAD >../out && grep "^no difference in " ../out
'

test_expect_success 'a project of DVC'\''s: what dvc.lock and .dvc files hold' '
	cd "$TRASH" && git init -q dvc && cd dvc && mkdir -p .dvc data && cat >dvc.yaml <<-\END && cat >dvc.lock <<-\END2 &&
	stages:
	  train:
	    cmd: python train.py
	    deps: [train.py, data/in.csv]
	    params: [lr]
	    outs: [model.pkl]
	    metrics: [{metrics.json: {cache: false}}]
	END
	schema: "2.0"
	stages:
	  train:
	    cmd: python train.py
	    deps:
	    - {path: data/in.csv, hash: md5, md5: d41d8cd98f00b204e9800998ecf8427e, size: 12}
	    - {path: train.py, hash: md5, md5: 900150983cd24fb0d6963f7d28e17f72, size: 3}
	    params: {params.yaml: {lr: 0.5}}
	    outs:
	    - {path: model.pkl, hash: md5, md5: 0cc175b9c0f1b6a831c399e269772661, size: 5}
	END2
	printf "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  size: 12\n  path: in.csv\n" >data/in.csv.dvc && echo "lr: 0.5" >params.yaml && echo "{\"acc\": 1}" >metrics.json && echo abc >train.py && printf "/model.pkl\n" >.gitignore && git add -A && git commit -q -m one &&
	git dvx trace --json >../out && json ../out "j[\"stages\"][0][\"by\"] == \"dvc\" and j[\"stages\"][0][\"cmd\"] == [\"python train.py\"] and j[\"stages\"][0][\"outs\"] == [{\"path\": \"model.pkl\", \"md5\": \"0cc175b9c0f1b6a831c399e269772661\", \"size\": 5}]" &&
	json ../out "j[\"data\"][0][\"path\"] == \"data/in.csv\" and j[\"data\"][0][\"md5\"] == \"d41d8cd98f00b204e9800998ecf8427e\" and j[\"metrics\"] == {\"metrics.json\": {\"acc\": 1}}" &&
	git dvx trace --json HEAD -- model.pkl >../out && json ../out "j[\"file\"][\"stage\"] == \"train\" and j[\"file\"][\"md5\"] == \"0cc175b9c0f1b6a831c399e269772661\" and j[\"params\"] == {\"params.yaml\": {\"lr\": 0.5}}" &&
	git dvx trace --json HEAD -- data/in.csv >../out && json ../out "j[\"file\"][\"md5\"] == \"d41d8cd98f00b204e9800998ecf8427e\" and j[\"file\"][\"used_by\"] == [\"train\"] and j[\"file\"][\"changed\"][\"subject\"] == \"one\"" &&
	git dvx trace >../out && grep "data/in.csv  12 B, md5:d41d8cd98f00" ../out && sed -i s/d41d8/11111/ dvc.lock && git commit -q -a -m two && git dvx trace --diff HEAD~1 HEAD >../out && grep "data/in.csv  modified" ../out
'

test_expect_success 'odd lock files of DVC'\''s: an answer, or one line that says what is wrong' '
	cd "$TRASH/dvc" && git tag good && for lock in "stages: {train: {cmd: [1, {x: y}], deps: [{path: {a: b}}, 5, {md5: 3}], outs: [{path: model.pkl, md5: [1]}], params: 7}}" "stages: {train: 5}" "stages: [1]" 5 "" \
		"stages: {train: {deps: {x: y}, outs: 7, params: {p: 3, q: [1]}}}" "stages: {train: {cmd: {x: y}, outs: [{path: model.pkl, md5: abc, size: huge, nfiles: -3}]}}" "stages: {train: {deps: [{path: ../../x, md5: a}, {path: /abs, md5: b}]}}" "stages: {train: ["; do
		printf "%s\n" "$lock" >dvc.lock && git commit -q -a --allow-empty -m odd || return 1
		for what in "--json HEAD" "--json HEAD -- model.pkl" "--diff --json good HEAD"; do
			if git dvx trace $what >../out 2>../err; then
				json ../out "j[\"schema\"]" || return 1
			else
				test "$(grep -c "^error: HEAD: dvc.lock:[0-9]*:" ../err)" = 1 || { echo "$lock"; cat ../err; return 1; }
			fi
		done
	done && test_must_fail git dvx trace 2>../err && grep "^error: HEAD: dvc.lock:2:" ../err
'

test_expect_success 'stages in files below, templates, foreach' '
	new_project deep && mkdir sub && printf "stages:\n  one:\n    cmd: echo 1 >a.txt\n    outs: [a.txt]\n" >sub/dvx.yaml && printf "stages:\n  two:\n    foreach: [x, y]\n    do:\n      cmd: cp sub/a.txt \${item}.txt\n      deps: [sub/a.txt]\n      outs: [\"\${item}.txt\"]\n" >dvx.yaml &&
	(cd sub && git dvx repro >/dev/null) && git dvx repro >/dev/null && git add -A && git commit -q -m one && git dvx trace --json y.txt >../out && json ../out "[s[\"name\"] for s in j[\"stages\"]] == [\"two@y\", \"sub/dvx.yaml:one\"] and j[\"stages\"][0][\"deps\"][0][\"made_by\"] == \"sub/dvx.yaml:one\""
'

test_done
