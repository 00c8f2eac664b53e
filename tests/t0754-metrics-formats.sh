#!/bin/sh
# shellcheck disable=SC2034
test_description='metrics in JSON, YAML, TOML, CSV, TSV and plain text; tables in text, Markdown, CSV and JSON'
. "$(dirname "$0")/lib.sh"

show() { git dvx metrics show "$@"; }

test_expect_success 'setup' '
	git init -q repo && cd repo && echo "{\"acc\": 0.896, \"layers\": [{\"units\": 3}, {\"units\": 4}]}" >m.json && printf "acc: 0.5\ndone: yes\nok: true\n" >m.yaml &&
	printf "epoch,acc\n0,0.5\n1,0.75\n" >m.csv && printf "epoch\tacc\n9\t0.9\n" >m.tsv && printf " 0.896\n" >m.txt &&
	git add -A && git commit -qm one
'

test_expect_success 'each by its name' '
	show m.json m.yaml m.tsv m.txt --json >out &&
	echo "{\"\": {\"data\": {\"m.json\": {\"data\": {\"acc\": 0.896, \"layers\": [{\"units\": 3}, {\"units\": 4}]}}, \
\"m.yaml\": {\"data\": {\"acc\": 0.5, \"done\": \"yes\", \"ok\": true}}, \
\"m.tsv\": {\"data\": [{\"epoch\": 9, \"acc\": 0.9}]}, \"m.txt\": {\"data\": 0.896}}}}" >expect && test_cmp expect out
'

test_expect_success 'tables by row, a table of one row by column, text as value' '
	show m.csv m.tsv m.txt >out && cat >expect <<-\END && test_cmp expect out
	Path   0.epoch  0.acc  1.epoch  1.acc  epoch  acc  value
	m.csv        0    0.5        1   0.75      -    -      -
	m.tsv        -      -        -      -      9  0.9      -
	m.txt        -      -        -      -      -    -  0.896
	END
'

test_expect_success 'of a long table the last row, as -1; JSON has all' '
	{ echo epoch,acc && for i in $(seq 0 99); do echo "$i,0.$i"; done; } >log.csv && show log.csv >out && cat >expect <<-\END && test_cmp expect out &&
	Path     -1.epoch  -1.acc
	log.csv        99    0.99
	END
	show --json log.csv | python3 -c "import json, sys; sys.exit(len(json.load(sys.stdin)[\"\"][\"data\"][\"log.csv\"][\"data\"]) != 100)"
'

test_expect_success 'selection in documents' '
	show -x "layers[1].units" m.json >out && grep "^Path  *layers.1.units$" out && grep "^m.json  *4$" out &&
	show -x "\$.layers[0][\"units\"]" m.json >out && grep "^m.json  *3$" out &&
	test_expect_code 128 git dvx metrics show -x nope m.json 2>err && grep "m.json: there is no .nope. in it" err &&
	test_expect_code 128 git dvx metrics show -x "\$..units" m.json 2>err && grep "wildcards" err
'

test_expect_success 'selection in tables: row,column and column' '
	for x in 1,acc -1,acc 1,1 -1,1; do show "--path=$x" m.csv >out && grep "^m.csv  *0.75$" out || return 1; done &&
	show -x acc m.csv >out && grep "^m.csv  \[0.5, 0.75\]$" out && show -x acc m.tsv >out && grep "^m.tsv  *0.9$" out &&
	test_expect_code 128 git dvx metrics show -x 2,acc m.csv
'

test_expect_success 'types instead of names' '
	cp m.json j && show -t json -x acc j >out && grep "^j  *0.896$" out && printf "1\t2\n3\t4\n" >h && show -t htsv h >out && grep "^Path  *1  *2$" out && grep "^h  *3  *4$" out &&
	show -t tsv -x 1,0 h >out && grep "^h  *3$" out && test_expect_code 128 git dvx metrics show -t xml j 2>err && grep "unknown type .xml." err
'

test_expect_success 'Markdown: numbers right, text left, bars escaped' '
	echo "{\"acc\": 0.5, \"who\": \"a|b\", \"n\": 10}" >w.json && show --md w.json >out && cat >expect <<-\END && test_cmp expect out
	| Path   | acc | who |   n |
	|--------|----:|-----|----:|
	| w.json | 0.5 | a\|b |  10 |
	END
'

test_expect_success 'CSV: every digit, empty where there is none' '
	printf "{\"acc\": 0.123456789, \"who\": \"a,\\\\\"b\"}" >w.json && show --csv w.json m.txt >out && tr -d "\r" <out >out2 &&
	printf "Path,acc,who,value\nw.json,0.123456789,\"a,\"\"b\",\nm.txt,,,0.896\n" >expect && test_cmp expect out2 &&
	python3 -c "import csv; r = list(csv.reader(open(\"out\", newline=\"\"))); assert r[1][2] == \"a,\\\"b\", r"
'

test_expect_success 'control characters do not reach the terminal' '
	printf "a\033[31mb\n" >esc.txt && show esc.txt >out && ! grep "$(printf "\033")" out && printf "{\"k\\\\u001b[1m\": 1}" >esc.json && show esc.json >out && ! grep "$(printf "\033")" out
'

test_expect_success 'wrong files: place, reason' '
	printf "a,b\n\"x\n" >bad.csv && test_expect_code 128 git dvx metrics show bad.csv 2>err && grep "bad.csv:2" err &&
	printf "a: 1\na: 2\n" >bad.yaml && test_expect_code 128 git dvx metrics show bad.yaml 2>err && grep "bad.yaml:2:" err &&
	printf "\0\1\2" >bin && test_expect_code 128 git dvx metrics show bin 2>err && grep "bin: neither text nor a format that is known" err
'

test_expect_success 'TOML: times are strings' '
	printf "acc = 0.25\n[train]\nwhen = 2020-01-01T00:00:00Z\n" >m.toml && show m.toml --json >out &&
	echo "{\"\": {\"data\": {\"m.toml\": {\"data\": {\"acc\": 0.25, \"train\": {\"when\": \"2020-01-01T00:00:00Z\"}}}}}}" >expect && test_cmp expect out &&
	show -x train.when m.toml >out && grep "2020-01-01T00:00:00Z" out &&
	printf "a = \n" >bad.toml && test_expect_code 128 git dvx metrics show bad.toml 2>err && grep "bad.toml:1" err
'

test_expect_success 'names that are no words' '
	mkdir "d e" && echo "{\"ü ö\": 1}" >"d e/m é.json" && show "d e/m é.json" >out && grep "ü ö" out && grep "^d e/m é.json  *1$" out && test_might_fail show --json "d e" "d e/m é.json" >out 2>err && grep "\"d e/m é.json\": {\"data\": {\"ü ö\": 1}}" out
'

test_expect_success 'a terminal that is too narrow gets a row for each value' '
	awk "BEGIN { printf \"{\"; for (i = 0; i < 20; i++) printf \"%s\\\"metric%d\\\": %d\", i ? \", \" : \"\", i, i; print \"}\" }" >many.json &&
	show many.json >out && test "$(wc -l <out)" = 2 &&
	python3 - >out <<-\END && tr -d "\r" <out | grep "^many.json  metric7  *7$" && test "$(wc -l <out)" = 21
	import fcntl, os, pty, struct, sys, termios
	pid, fd = pty.fork()
	if pid == 0:
	    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
	    os.execlp("git", "git", "dvx", "metrics", "show", "many.json")
	data = b""
	while True:
	    try:
	        more = os.read(fd, 65536)
	    except OSError:
	        break
	    if not more:
	        break
	    data += more
	os.waitpid(pid, 0)
	sys.stdout.write(data.decode())
	END
'

test_done
