#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx metrics show over tags, branches and commits'
. "$(dirname "$0")/lib.sh"

commit() { # commit ACCURACY LOSS [TAG]
	echo "{\"acc\": $1, \"loss\": $2}" >model/metrics.json && git add -A && test_tick && git commit -qm "$1" && { test -z "$3" || git tag "$3"; }
}
test_tick() { # commits a minute apart
	tick=$((${tick:-1700000000} + 60)) && GIT_COMMITTER_DATE="$tick +0000" && export GIT_COMMITTER_DATE
}

test_expect_success 'setup: the tags of the lecture' '
	git init -q repo && cd repo && mkdir model && echo readme >README && git add README && test_tick && git commit -qm start && git tag 0.0 &&
	printf "stages:\n  evaluate:\n    cmd: ./evaluate\n    metrics:\n    - model/metrics.json: {cache: false}\n" >dvx.yaml &&
	commit 0.896969696969697 0.4 0.1 && commit 0.9196969693357294 0.3 0.2 && commit 0.9565656557227626 0.2 0.3 &&
	git tag -a -m ten 0.10 0.2 && git branch side 0.1
'

test_expect_success 'show: the work tree' '
	git dvx metrics show >out && cat >expect <<-\END && test_cmp expect out
	Path                    acc  loss
	model/metrics.json  0.95657   0.2
	END
'

test_expect_success '-T: tags as versions, the work tree first; a tag without metrics is left out' '
	git dvx metrics show -T >out && cat >expect <<-\END && test_cmp expect out &&
	Revision   Path                    acc  loss
	workspace  model/metrics.json  0.95657   0.2
	0.1        model/metrics.json  0.89697   0.4
	0.2,0.10   model/metrics.json   0.9197   0.3
	0.3        model/metrics.json  0.95657   0.2
	END
	git dvx metrics show --all-tags >long && test_cmp out long
'

test_expect_success '-a: the work tree is left out while it has what its branch has' '
	git dvx metrics show -a >out && cat >expect <<-\END && test_cmp expect out &&
	Revision  Path                    acc  loss
	main      model/metrics.json  0.95657   0.2
	side      model/metrics.json  0.89697   0.4
	END
	git dvx metrics show -aT >out && grep "^main,0.3 " out && grep "^side,0.1 " out &&
	echo "{\"acc\": 0.97, \"loss\": 0.2}" >model/metrics.json && git dvx metrics show -a >out && grep "^workspace .*0.97 " out &&
	git checkout -q model
'

test_expect_success '-A: all commits, the newest first' '
	git dvx metrics show -A >out && sed 1,2d out | cut -c1-7 >revs && git rev-list HEAD | cut -c1-7 | head -3 >expect && test_cmp expect revs &&
	git dvx metrics show -A --json | python3 -c "
import json, sys
j = json.load(sys.stdin)
sys.exit(list(j) != [\"workspace\"] + sys.argv[1:])" $(git rev-list HEAD | head -3)
'

test_expect_success '--rev: these and no others' '
	git dvx metrics show --rev 0.3 --rev HEAD~2 >out && cat >expect <<-\END && test_cmp expect out &&
	Revision  Path                    acc  loss
	0.3       model/metrics.json  0.95657   0.2
	HEAD~2    model/metrics.json  0.89697   0.4
	END
	test_expect_code 128 git dvx metrics show --rev 0.9 2>err && grep "unknown revision .0.9." err
'

test_expect_success '--precision' '
	git dvx metrics show --precision 2 --rev 0.1 >out && grep " 0.9 " out && git dvx metrics show --precision 17 --rev 0.1 >out && grep 0.89696969696969 out
'

test_expect_success 'a file that is not there in some states is told once' '
	sed -i "s/    - model/    - other.json\n    - model/" dvx.yaml && git add dvx.yaml && git commit -qm other && git tag 0.4 &&
	git dvx metrics show -T >out 2>err && grep "^0.4 .*0.95657" out &&
	echo "warning: no file '\''other.json'\'' in workspace (and in 1 other revision)" >expect && test_cmp expect err
'

test_expect_success 'a wrong file names file, state and line, and stops nothing' '
	printf "{\"acc\": 1,\n\"loss\": }\n" >model/metrics.json && git commit -qam wrong && git tag 0.5 && git checkout -q HEAD~1 model && git commit -qm right &&
	git dvx metrics show -T 2>err >out && grep "warning: 0.5: model/metrics.json:2:" err && grep "^0.4 " out && ! grep "^0.5 " out &&
	git dvx metrics show -T --json 2>err >out && grep "\"0.5\": {\"data\": {\"other.json\": {\"error\": .*\"model/metrics.json\": {\"error\": {\"msg\": \"model/metrics.json:2:" out
'

test_expect_success 'a wrong dvx.yaml, too' '
	cp dvx.yaml keep && echo "stages: [" >dvx.yaml && git commit -qam broken && git tag 0.6 && cp keep dvx.yaml && git commit -qam mended &&
	git dvx metrics show -T 2>err >out && grep "warning: 0.6: dvx.yaml:" err && grep "^0.4 " out && ! grep "^0.6 " out
'

test_expect_success 'files that are named, declared or not; directories' '
	echo 7 >seven.txt && git dvx metrics show seven.txt model >out && cat >expect <<-\END && test_cmp expect out &&
	Path                value      acc  loss
	seven.txt               7        -     -
	model/metrics.json      -  0.95657   0.2
	END
	(cd model && git dvx metrics show -R .) >out && grep "^model/metrics.json" out && ! grep other out &&
	test_expect_code 128 git dvx metrics show none.json 2>err && echo "error: no file '\''none.json'\'' in workspace" >expect && test_cmp expect err &&
	test_expect_code 128 git dvx metrics show -T none.json 2>err && grep "warning: no file .none.json. in workspace (and in 7 other revisions)" err &&
	grep "error: nothing of what was named can be read" err
'

test_expect_success 'metrics that are data: from the local store, and what to do where they are not there' '
	git init -q ../data && cd ../data && git dvx init >/dev/null &&
	git dvx track "*.json" >/dev/null && printf "metrics:\n- m.json\n" >dvx.yaml && echo "{\"acc\": 0.5}" >m.json && git add -A && git commit -qm one && git tag v1 &&
	git cat-file -p :m.json | grep "^oid" && echo "{\"acc\": 0.6}" >m.json && git commit -qam two &&
	git dvx metrics show -T >out 2>err && grep "^v1 .*0.5" out && grep "^workspace .*0.6" out && test_must_be_empty err &&
	rm -rf .git/lfs .git/dvx/packs && git dvx metrics show -T >out 2>err && ! grep ^v1 out &&
	grep "the data of .m.json. in v1 is not in the local store; run .git dvx fetch" err
'

test_expect_success 'bare repositories: HEAD stands for the work tree' '
	git clone -q --bare ../repo ../bare.git && cd ../bare.git && git dvx metrics show >out 2>err && grep "^model/metrics.json  *0.95657" out &&
	git dvx metrics show -T >out 2>err && ! grep workspace out && grep "^0.1 .*0.89697" out
'

test_expect_success 'revisions as operands; a file of that name comes first' '
	cd ../repo && git dvx metrics show 0.1 HEAD >out && git dvx metrics show --rev 0.1 --rev HEAD >expect && test_cmp expect out && grep -c "^[0H]" out &&
	git dvx metrics show 0.2 model/metrics.json --json >out && grep "^{\"0.2\": {\"data\": {\"model/metrics.json\"" out &&
	echo "{\"x\": 3}" >0.1 && git dvx metrics show 0.1 -t json >out && grep "^0.1 *3" out && rm 0.1 &&
	test_expect_code 128 git dvx metrics show nosuch 2>err && grep "no file .nosuch." err
'

test_expect_success 'links are not followed' '
	cd ../repo && echo "{\"secret\": 1}" >../secret.json && ln -s ../secret.json link.json && test_expect_code 128 git dvx metrics show link.json 2>err &&
	grep "symbolic link" err && ln -s .. up && test_expect_code 128 git dvx metrics show up/secret.json 2>err && grep "symbolic link" err &&
	git add link.json && git commit -qm link link.json && test_expect_code 128 git dvx metrics show --rev HEAD link.json 2>err && grep "symbolic link" err
'

test_expect_success 'a branch and a tag of one name; linked work trees; SHA-256' '
	test_when_finished "cd ../repo" && git branch 0.1 0.3 && git dvx metrics show -aT 2>/dev/null >out && grep "heads/0.1" out && grep "tags/0.1" out && git branch -D 0.1 &&
	git worktree add -q ../linked 0.1 && (cd ../linked && git dvx metrics show && git dvx metrics diff HEAD 0.2) >out && grep "0.89697" out && grep "+0.022727" out &&
	git init -q --object-format=sha256 ../sha256 && cd ../sha256 && printf "metrics: [m.txt]\n" >dvx.yaml && echo 1 >m.txt && git add -A && git commit -qm one && git tag v1 &&
	echo 2 >m.txt && git dvx metrics show -T >out && grep "^v1 .*1$" out && git dvx metrics diff >out && grep "+1$" out
'

test_expect_success 'shallow clones say how to get the rest' '
	git clone -q --depth 1 "file://$PWD" ../shallow && cd ../shallow && git dvx metrics show -A >out 2>err && test "$(grep -c model/metrics.json out)" = 2 &&
	test_expect_code 128 git dvx metrics diff HEAD~2 2>err && grep "git fetch --unshallow" err
'

test_expect_success 'partial clones: nothing is fetched, and what to do' '
	git -C ../repo config uploadpack.allowFilter true && git clone -q --no-checkout --filter=blob:none "file://$TRASH/repo" ../partial && cd ../partial &&
	git rev-list --objects --all --missing=print | grep -c "^?" >before &&
	test_expect_code 128 git dvx metrics show -T model/metrics.json >out 2>err && git rev-list --objects --all --missing=print | grep -c "^?" >after &&
	test_cmp before after && grep "partial clone; .git show 0.1:.* fetches it" err
'

test_done
