#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx metrics diff'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	git init -q repo && cd repo && printf "metrics:\n- m.json\n- acc.txt\n" >dvx.yaml &&
	echo "{\"acc\": 0.896, \"n\": 100, \"t\": {\"loss\": 0.31}, \"same\": 1, \"who\": \"a\"}" >m.json && echo 0.1 >acc.txt && git add -A && git commit -qm one && git tag v1 &&
	echo "{\"acc\": 0.9187, \"n\": 90, \"t\": {\"loss\": 0.29}, \"same\": 1.0, \"who\": \"b\"}" >m.json && git commit -qam two && git tag v2
'

test_expect_success 'nothing differs: nothing is printed' '
	git dvx metrics diff >out && test_must_be_empty out && git dvx metrics diff --json >out && echo "{}" >expect && test_cmp expect out
'

test_expect_success 'two revisions: changes with their sign, integers whole' '
	git dvx metrics diff v1 v2 >out && cat >expect <<-\END && test_cmp expect out
	Path    Metric     v1      v2   Change
	m.json  acc     0.896  0.9187  +0.0227
	m.json  n         100      90      -10
	m.json  t.loss   0.31    0.29    -0.02
	m.json  who         a       b        -
	END
'

test_expect_success 'HEAD and the work tree; new and deleted values and files' '
	echo "{\"acc\": 0.95, \"new\": 7}" >m.json && rm acc.txt && git dvx metrics diff >out 2>err && grep "^warning: no file .acc.txt. in workspace$" err &&
	cat >expect <<-\END && test_cmp expect out
	Path     Metric    HEAD  workspace   Change
	m.json   acc     0.9187       0.95  +0.0313
	m.json   new          -          7        -
	m.json   n           90          -        -
	m.json   t.loss    0.29          -        -
	m.json   same         1          -        -
	m.json   who          b          -        -
	acc.txt  value      0.1          -        -
	END
'

test_expect_success 'a revision and the work tree' '
	git checkout -q . && echo 0.3 >acc.txt && git dvx metrics diff v1 --targets acc.txt >out && cat >expect <<-\END && test_cmp expect out
	Path     Metric   v1  workspace  Change
	acc.txt  value   0.1        0.3    +0.2
	END
'

test_expect_success '--all, --no-path, --md: numbers right' '
	git dvx metrics diff --all --no-path --md --targets m.json:acc,same -- v1 v2 >out && cat >expect <<-\END && test_cmp expect out
	| Metric |    v1 |     v2 |  Change |
	|--------|------:|-------:|--------:|
	| acc    | 0.896 | 0.9187 | +0.0227 |
	| same   |     1 |      1 |       0 |
	END
'

test_expect_success '--json and --csv have every digit' '
	git dvx metrics diff --json v1 v2 >out &&
	echo "{\"m.json\": {\"acc\": {\"old\": 0.896, \"new\": 0.9187, \"diff\": 0.0227}, \"n\": {\"old\": 100, \"new\": 90, \"diff\": -10}, \
\"t.loss\": {\"old\": 0.31, \"new\": 0.29, \"diff\": -0.02}, \"who\": {\"old\": \"a\", \"new\": \"b\"}}}" >expect && test_cmp expect out &&
	echo 0.123456789 >acc.txt && git dvx metrics diff --csv --targets acc.txt >out && printf "Path,Metric,HEAD,workspace,Change\r\nacc.txt,value,0.1,0.123456789,+0.023456789\r\n" >expect &&
	tr -d "\r" <expect >expect2 && tr -d "\r" <out >out2 && test_cmp expect2 out2 &&
	git dvx metrics diff --targets acc.txt >out && grep "0.1  *0.12346  *+0.023457$" out &&
	git dvx metrics diff --precision 2 --targets acc.txt >out && grep "0.1  *0.12  *+0.023$" out && git checkout -q .
'

test_expect_success 'NaN and infinity' '
	echo "{\"acc\": NaN, \"n\": Infinity}" >m.json && git commit -qam nan && git dvx metrics diff >out && test_must_be_empty out &&
	git dvx metrics diff v2 --targets m.json:acc,n >out && grep "^m.json  acc  *0.9187  *nan  *nan$" out && grep "^m.json  n  *90  *inf  *+inf$" out &&
	git dvx metrics diff v2 --json | python3 -c "import json, sys; j = json.load(sys.stdin); sys.exit(j[\"m.json\"][\"acc\"][\"new\"] is not None)"
'

test_expect_success 'a file that moves between the formats keeps its names' '
	printf "acc: 0.5\n" >a.yaml && printf "metrics: [a.yaml]\n" >dvx.yaml && git add -A && git commit -qm yaml && printf "acc: 0.75\n" >a.yaml &&
	git dvx metrics diff >out && grep "a.yaml  acc  *0.5  *0.75  *+0.25" out
'

test_expect_success 'each state is read by its own dvx.yaml' '
	git dvx metrics diff v2 >out && grep "^a.yaml  *acc  *-  *0.75  *-$" out && grep "^m.json  *acc  *0.9187  *-  *-$" out
'

test_expect_success 'bare repositories need two revisions; no commit yet' '
	git clone -q --bare . ../bare.git && cd ../bare.git && test_expect_code 129 git dvx metrics diff v1 2>err && grep "name two revisions" err &&
	git dvx metrics diff v1 v2 >out && grep "+0.0227" out &&
	git init -q ../empty && cd ../empty && test_expect_code 128 git dvx metrics diff 2>err && grep "HEAD" err
'

test_expect_success 'the work tree by its name' '
	git init -q ../named && cd ../named && printf "metrics: [m.txt]\n" >dvx.yaml && echo 1 >m.txt && git add -A && git commit -qm one && git tag v1 && echo 2 >m.txt &&
	git dvx metrics diff v1 >../expect && grep "+1$" ../expect && git dvx metrics diff v1 workspace >../out && test_cmp ../expect ../out &&
	git dvx metrics diff workspace v1 >../out && grep -e "-1$" ../out && git dvx exp diff v1 workspace >../out && grep "+1$" ../out &&
	git dvx metrics show v1 workspace >../out && grep "^workspace .*2$" ../out && grep "^v1 .*1$" ../out
'

test_done
