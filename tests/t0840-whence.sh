#!/bin/sh
# shellcheck disable=SC2016
test_description='git dvx whence: which commits, paths, tags and models hold these bytes'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

# place EXPRESSION: of the only place in ../out.
place() { json ../out "(lambda p: $1)(j['objects'][0]['places'][0]) and len(j['objects']) == 1 and len(j['objects'][0]['places']) == 1"; }

test_expect_success 'setup: three versions of a table, a copy, a deletion, one that came back' '
	dvx_repo repo && cd repo && git dvx track "*.csv" && mkdir data &&
	on 2023-01-01 && echo one >data/a.csv && git add -A && git commit -q -m "first" && git tag v1 && one=$(sha data/a.csv) &&
	on 2023-01-02 && echo two >data/a.csv && git add -A && git commit -q -m "second" && git tag -a -m "v2" v2 && two=$(sha data/a.csv) &&
	on 2023-01-03 && cp data/a.csv copy.csv && git rm -q --cached data/a.csv && rm data/a.csv && git add -A && git commit -q -m "moved" &&
	on 2023-01-04 && mkdir -p data && echo one >data/a.csv && git add -A && git commit -q -m "back to the first" && git branch old v1
'

test_expect_success 'an id: each commit that brought it, the newest first, and who holds it' '
	git dvx whence $one >../out && head -n 1 ../out | grep "^sha256:$one 4 B$" && grep "^data/a.csv (in HEAD)$" ../out &&
	grep "^  since " ../out >../since && head -n 1 ../since | grep "$(git rev-parse --short=10 HEAD) 2023-01-04 A U Thor: back to the first (1 commit)$" &&
	tail -n 1 ../since | grep "$(git rev-parse --short=10 v1) 2023-01-01 A U Thor: first (1 commit)$" &&
	grep "^  branches: main, old$" ../out && grep "^  tags: v1$" ../out
'

test_expect_success 'the beginning of an id, with its type before it, in capitals' '
	for id in $(echo $one | cut -c 1-4) sha256:$one sha256:$(echo $one | cut -c 1-9) $(echo $one | tr a-f A-F); do
		git dvx whence $id >../out2 && test_cmp ../out ../out2 || return 1
	done
'

test_expect_success 'as JSON' '
	git dvx whence --json $two >../out && json ../out "j[\"schema\"] == \"dvx-whence/1\" and j[\"unknown\"] == [] and j[\"searched\"] == {\"commits\": 4, \"refs\": 4}" &&
	json ../out "[p[\"path\"] for p in j[\"objects\"][0][\"places\"]] == [\"copy.csv\", \"data/a.csv\"] and j[\"objects\"][0][\"sha256\"] == \"$two\" and j[\"objects\"][0][\"size\"] == 4" &&
	json ../out "j[\"objects\"][0][\"places\"][0][\"since\"] == [{\"commit\": \"$(git rev-parse HEAD~1)\", \"date\": \"2023-01-03T10:00:00+00:00\", \"author\": \"A U Thor\", \"subject\": \"moved\", \"commits\": 2}]" &&
	json ../out "j[\"objects\"][0][\"places\"][1][\"tags\"] == [\"v2\"] and j[\"objects\"][0][\"places\"][1][\"branches\"] == [] and not j[\"objects\"][0][\"places\"][1][\"at_head\"]"
'

test_expect_success 'a file: of the work tree, elsewhere, gone from the work tree, of a revision' '
	git dvx whence copy.csv >../out && grep "^sha256:$two" ../out && cp copy.csv ../outside.csv && git dvx whence --json data/a.csv >../out && place "p[\"path\"] == \"data/a.csv\"" &&
	(cd data && git dvx whence ../copy.csv) >../out && grep "^sha256:$two" ../out && git dvx whence v2:data/a.csv >../out2 && test_cmp ../out ../out2 &&
	rm copy.csv && git dvx whence copy.csv >../out2 && test_cmp ../out ../out2 && git checkout -q copy.csv && is_clean
'

test_expect_success 'a file outside of the repository' '
	git dvx whence ../outside.csv >../out && grep "^sha256:$two" ../out && git dvx whence "$PWD/../outside.csv" >../out2 && test_cmp ../out ../out2
'

test_expect_success 'a file that was changed is looked for by what it holds now; a pointer by what it points at' '
	echo new >copy.csv && test_expect_code 1 git dvx whence copy.csv 2>../err && grep "$(sha copy.csv)" ../err && git show HEAD:copy.csv >copy.csv && git dvx whence copy.csv >../out && grep "^sha256:$two" ../out && git checkout -q copy.csv
'

test_expect_success 'nothing: exit status 1, and what was searched' '
	test_expect_code 1 git dvx whence 0123456789abcdef >../out 2>../err && ! test -s ../out && grep "no data file has the SHA-256 .0123456789abcdef.: looked at 4 commits that 4 refs, HEAD and worktrees reach" ../err &&
	test_expect_code 1 git dvx whence --json 0123456789abcdef >../out && json ../out "j[\"objects\"] == [] and j[\"searched\"][\"commits\"] == 4"
'

test_expect_success 'bytes that are only staged are said to be here' '
	echo staged >s.csv && git add s.csv && test_expect_code 1 git dvx whence s.csv 2>../err && grep "the local store has these bytes" ../err && git rm -q -f s.csv
'

test_expect_success 'operands that cannot be' '
	test_expect_code 129 git dvx whence 2>../err && grep "which bytes" ../err && test_expect_code 128 git dvx whence no/such/file 2>../err && grep "no file .no/such/file., neither here nor in HEAD" ../err &&
	test_expect_code 128 git dvx whence sha256:xyz 2>../err && grep "no beginning of a SHA-256" ../err && test_expect_code 128 git dvx whence HEAD:nothing 2>../err && grep "in that revision" ../err &&
	test_expect_code 128 git dvx whence data 2>../err && grep "directory" ../err
'

test_expect_success 'a merge brings nothing that a parent has; an own resolution it does' '
	on 2023-01-05 && git checkout -q -b side v1 && echo side >data/a.csv && git add -A && git commit -q -m "on the side" && side=$(sha data/a.csv) && git checkout -q main &&
	on 2023-01-06 && { git merge -q -s ours --no-commit side; echo merged >m.csv; git checkout side -- data/a.csv; git add -A; git commit -q -m "merge"; } &&
	git dvx whence --json $side >../out && place "[s[\"subject\"] for s in p[\"since\"]] == [\"on the side\"] and p[\"since\"][0][\"commits\"] == 2 and p[\"at_head\"]" &&
	git dvx whence --json m.csv >../out && place "[s[\"subject\"] for s in p[\"since\"]] == [\"merge\"]"
'

test_expect_success 'versions of models: what is the model, and what stands beside it' '
	echo weights >model.csv && git add -A && git commit -q -m "a model" && git push -q "$(git init -q --bare ../o.git && echo ../o.git)" main 2>/dev/null &&
	git dvx model register churn model.csv --version 1.0.0 && git dvx whence model.csv >../out && grep "^  is model: churn@v1.0.0$" ../out &&
	git dvx whence m.csv >../out && grep "^  beside model: churn@v1.0.0$" ../out && git dvx whence --json model.csv >../out &&
	place "p[\"models\"] == [{\"model\": \"churn\", \"tag\": \"churn@v1.0.0\", \"is_model\": True}]"
'

test_expect_success 'a stash, a remote branch and an experiment hold it, too' '
	echo stashed >m.csv && stashed=$(sha m.csv) && git stash -q && git dvx whence --json $stashed >../out && place "p[\"refs\"] == [\"refs/stash\"] and p[\"branches\"] == []" &&
	git update-ref refs/remotes/origin/main HEAD~1 && git dvx whence --json m.csv >../out && place "p[\"branches\"] == [\"main\", \"origin/main\"]"
'

test_expect_success 'what nothing reaches any more is not told' '
	git stash drop -q && test_expect_code 1 git dvx whence $stashed 2>../err && git checkout -q -b gone && echo gone >m.csv && git commit -q -a -m "gone" && gone=$(sha m.csv) && git dvx whence $gone >../out &&
	git checkout -q main && git branch -q -D gone && test_expect_code 1 git dvx whence $gone 2>../err &&
	git branch again "$(git reflog -1 --format=%H HEAD@{1})" && git dvx whence $gone >../out && grep "branches: again" ../out
'

test_expect_success 'names and subjects never reach the terminal raw' '
	esc=$(printf "\033") && printf x >"a${esc}[31m.csv" && git add -A && git commit -q -m "sub${esc}[31mject" && git dvx whence "a${esc}[31m.csv" >../out && ! grep "$esc" ../out && grep "sub?\[31mject" ../out &&
	git dvx whence --json "a${esc}[31m.csv" >../out && place "p[\"path\"] == \"a\\x1b[31m.csv\""
'

test_done
