#!/bin/sh
# shellcheck disable=SC2034
test_description='results of repro in Git: git add -A && git commit, --commit, dvx.autostage; old states'
. "$(dirname "$0")/lib.sh"

# Not is_clean: files as young as the index make Git look inside.
is_committed() {
	test -z "$(git status --porcelain)"
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && echo 3 >n && printf "lr: 1\n" >params.yaml &&
	cat >dvx.yaml <<-\END &&
	stages:
	  load:
	    cmd: mkdir -p data/sub && for i in $(seq $(cat n)); do echo $i >data/sub/$i; done; echo keep >data/.gitkeep
	    deps: [n]
	    outs: [data]
	  train:
	    cmd: cat data/sub/* params.yaml >model.h5; wc -l <model.h5 >m.json
	    deps: [data]
	    params: [lr]
	    outs: [model.h5]
	    metrics: [{m.json: {cache: false}}]
	END
	git add -A && git commit -q -m zero && git tag 0.0
'

test_expect_success 'git add -A && git commit is all there is' '
	git dvx repro && git add -A && git commit -q -m one && git tag 0.1 && is_committed &&
	for f in data/sub/1 data/sub/3 model.h5; do git cat-file blob HEAD:$f >../p && is_pointer ../p || return 1; done &&
	git cat-file blob HEAD:m.json | cmp - m.json && git cat-file blob HEAD:data/.gitkeep | cmp - data/.gitkeep && not_pointer model.h5 data/sub/1
'

test_expect_success 'the attributes are written once' '
	cp .gitattributes ../attributes && echo 5 >n && git dvx repro -f && test_cmp ../attributes .gitattributes && git add -A && git commit -q -m two && git tag 0.2 && is_committed &&
	printf "%s\n" "dvx.lock merge=dvx" "/data/** filter=dvx diff=dvx merge=dvx -text" "/data/**/.git* !filter !diff !merge !text" "/model.h5 filter=dvx diff=dvx merge=dvx -text" | test_cmp - .gitattributes
'

test_expect_success 'git checkout of an older state, and repro has nothing to do' '
	for tag in 0.1 0.2 0.1; do
		git checkout -q $tag && git dvx repro >../out && grep -x "Data and pipelines are up to date." ../out && ! grep "^Running" ../out && is_committed || return 1
	done &&
	test "$(ls data/sub | wc -l)" = 3 && git checkout -q 0.0 && ! test -e data && ! test -e model.h5 && git checkout -q main && test -f data/sub/5
'

test_expect_success 'in a clone, too' '
	git clone -q . ../clone && cd ../clone && not_pointer model.h5 && git dvx repro >../out && grep "up to date" ../out && is_committed && cd ../repo
'

test_expect_success 'repro --commit: results and changed inputs, one commit' '
	echo 4 >n && printf "lr: 2\n" >params.yaml && git dvx repro --commit && is_committed && git log -1 --format=%s >../out && echo "Reproduce load, train" | test_cmp - ../out &&
	git diff --name-only HEAD~1 >../out && printf "%s\n" data/sub/5 dvx.lock m.json model.h5 n params.yaml | test_cmp - ../out &&
	git cat-file blob HEAD:model.h5 >../p && is_pointer ../p && git dvx repro >../out && grep "up to date" ../out &&
	git rev-parse HEAD >../head && git dvx repro --commit >../out && grep "nothing to commit" ../out && git rev-parse HEAD | test_cmp ../head -
'

test_expect_success 'only these paths are committed; unknown dependencies are named' '
	echo staged >staged && git add staged && echo unstaged >>.dvxconfig && echo new >new && sed -i "s/deps: .data./deps: [data, new]/" dvx.yaml &&
	git dvx repro -m "with a message" 2>../err && git log -1 --format=%s >../out && echo "with a message" | test_cmp - ../out &&
	grep "warning: .new., which a stage depends on, is not in Git yet" ../err &&
	printf "%s\n" " M .dvxconfig" "A  staged" "?? new" >../expect && git status --porcelain >../out && test_cmp ../expect ../out &&
	git checkout -q .dvxconfig && git add -A && git commit -q -m rest
'

test_expect_success 'run --commit; the first commit of a repository' '
	git dvx run --commit -n last -d m.json -O last.txt "cp m.json last.txt" && is_committed && git diff --name-only HEAD~1 >../out && printf "%s\n" dvx.lock dvx.yaml last.txt | test_cmp - ../out &&
	dvx_repo ../fresh && (cd ../fresh && echo 1 >in && git add in && git dvx run --commit -n a -d in -o "odd name [1]" "cp in \"odd name [1]\"" &&
		git cat-file blob "HEAD:odd name [1]" >../p && is_pointer ../p && git ls-tree --name-only HEAD >../out && grep -x in ../out && git status --porcelain >../out && echo "A  .dvxconfig" | test_cmp - ../out)
'

test_expect_success 'attributes of an earlier run that was not committed go with it' '
	git dvx run -n log -d m.json -o log.bin "cp m.json log.bin" && git diff --name-only >../out && grep -x .gitattributes ../out &&
	git dvx repro -q --commit >../out 2>../err && is_committed && test_must_be_empty ../out && test_must_be_empty ../err &&
	git cat-file blob HEAD:log.bin >../p && is_pointer ../p && git show HEAD:.gitattributes | grep "^/log.bin filter=dvx"
'

test_expect_success 'dvx.autostage: staged, not committed' '
	git config dvx.autostage true && echo 6 >n && git dvx repro >../out && ! grep "To track" ../out && git diff --quiet && ! git diff --cached --quiet &&
	git diff --cached --name-only >../out && grep -x model.h5 ../out && grep -x dvx.lock ../out && git commit -q -m auto && is_committed && git config --unset dvx.autostage
'

test_expect_success 'attributes of another filter are in the way' '
	echo "*.x filter=other" >>.gitattributes && test_expect_code 128 git dvx run -n x -o a.x "echo 1 >a.x" 2>../err && grep "goes through another filter" ../err
'

test_expect_success 'a stage of a sub-directory, and a path that is ours already' '
	git checkout -q . && rm -f a.x && mkdir sub && (cd sub && git dvx track "*.bin" && git add .gitattributes && cp ../.gitattributes ../../attributes &&
		git dvx run --commit -n s -o out.bin "echo 1 >out.bin" && test_cmp ../../attributes ../.gitattributes && git cat-file blob HEAD:sub/out.bin >../../p && is_pointer ../../p)
'

test_done
