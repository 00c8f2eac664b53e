#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx diff --rows, --key, --chunks, --limit: what changed inside, and only what is needed is fetched'
. "$(dirname "$0")/lib.sh"

# rows FROM TO: lines "3,N3,Rome" of a table.
rows() {
	seq "$1" "$2" | awk '{ printf "%d,N%d,%s\n", $1, $1, $1 % 2 ? "Rome" : "Paris" }'
}

cat >expect.customers <<\END
data/customers.csv: 2 rows added, 1 removed, 1 changed (of 1,000 -> 1,001; key: id)
    ~ id=3: city Rome -> London
    - 7,N7,Rome
    + 1001,N1001,Rome
    + 1002,N1002,Paris
END

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "data/**" && mkdir data &&
	{ echo id,name,city && rows 1 1000; } >data/customers.csv && printf "id\tx\n1\ta\n" >data/t.tsv &&
	printf "{\"id\":1,\"x\":\"a\"}\n{\"id\":2,\"x\":\"b\"}\n" >data/j.jsonl && random_file data/a.bin 3M a &&
	echo "id,v
1,2" >small.csv && git add -A && git commit -q -m one && git tag one &&
	sed -i -e "s/^3,N3,Rome$/3,N3,London/" -e "/^7,/d" data/customers.csv && rows 1001 1002 >>data/customers.csv &&
	printf "id\tx\n1\tb\n" >data/t.tsv && printf "{\"id\":2,\"x\":\"c\"}\n{\"id\":1,\"x\":\"a\"}\n" >data/j.jsonl &&
	printf y | dd of=data/a.bin bs=1 seek=2000000 conv=notrunc 2>/dev/null && echo "id,v
1,3" >small.csv
'

test_expect_success 'without options: how much is new, for files that are large enough to tell' '
	git dvx diff >../out && grep "^    data/a.bin (3.0 MiB -> 3.0 MiB, [0-9.]* % changed)$" ../out &&
	grep "^    data/customers.csv (1[0-9.]* KiB -> 1[0-9.]* KiB)$" ../out && ! grep small ../out && ! grep London ../out
'

test_expect_success '--rows: the worktree' '
	git dvx diff --rows data/customers.csv >../out && sed -n "/^data/,\$p" ../out >../rows && test_cmp ../expect.customers ../rows &&
	git dvx diff --rows >../out && grep "^    ~ id=1: x a -> b$" ../out && grep "^    ~ id=2: x b -> c$" ../out &&
	grep "^    small.csv (9 B in Git -> 9 B in Git)$" ../out && grep "^small.csv: 1 row changed (of 1; key: id)$" ../out && grep "^    ~ id=1: v 2 -> 3$" ../out
'

test_expect_success 'the same of two revisions, whoever stores the file' '
	git add -A && git commit -q -m two && git tag two && git dvx diff --rows one two data/customers.csv >../out &&
	sed -n "/^data/,\$p" ../out >../rows && test_cmp ../expect.customers ../rows && git dvx diff --rows two one small.csv >../out &&
	grep "^    ~ id=1: v 3 -> 2$" ../out && git dvx diff --rows one >../out && grep "v 2 -> 3" ../out &&
	git dvx diff one two small.csv >../out && test_must_be_empty ../out
'

test_expect_success '--limit, and all of it' '
	git dvx diff --rows --limit 1 one two data/customers.csv >../out && grep "^    ... and 3 more (--limit 0 shows all)$" ../out &&
	! grep 1001 ../out && { echo id,name,city && rows 2000 2099; } >data/customers.csv && git dvx diff --rows data/customers.csv >../out &&
	test $(grep -c "^    [-+~]" ../out) = 20 && git dvx diff --rows --limit 0 data/customers.csv >../out &&
	test $(grep -c "^    [-+~]" ../out) = 1101 && git checkout -q data
'

test_expect_success 'JSON: the same, as data' '
	git dvx diff --rows --json --limit 2 one two >../out && json ../out "[m for m in j[\"modified\"] if m[\"path\"] == \"data/customers.csv\"][0][\"rows\"] == dict(
		rows=dict(old=1000, new=1001), added=2, removed=1, changed=1, same=998, key_from=\"detected\", key=[\"id\"], columns=[], changed_cells=dict(city=1),
		changes=[dict(change=\"changed\", old_row=3, new_row=3, key=dict(id=\"3\"), cells=dict(city=dict(old=\"Rome\", new=\"London\"))),
			dict(change=\"removed\", old_row=7, key=dict(id=\"7\"), cells=dict(id=\"7\", name=\"N7\", city=\"Rome\"))], more=2)" &&
	json ../out "0 < j[\"modified\"][0][\"changed_bytes\"] < 600000"
'

test_expect_success 'Markdown: a fenced block, which no cell can end' '
	printf "id,x\n1,\"\n\`\`\`\n\"\n" >small.csv && git dvx diff --rows --md small.csv >../out && test $(grep -c "^\`\`\`$" ../out) = 2 &&
	grep "x 3 ->\|column" ../out && git checkout -q small.csv
'

test_expect_success 'the key: given, declared by an attribute, by .dvxconfig, and none' '
	git dvx diff --key name one two data/customers.csv >../out && grep "key: name)" ../out && grep "^    ~ name=N3: city Rome -> London$" ../out &&
	echo "/data/*.csv dvx-key=id,name" >>.gitattributes && git dvx diff --rows one two data/customers.csv >../out && grep "key: id, name)" ../out &&
	echo "/data/*.csv -dvx-key" >>.gitattributes && git dvx diff --rows one two data/customers.csv >../out && grep "3 rows added, 2 removed (.*; no key)" ../out &&
	git checkout -q .gitattributes && git config -f .dvxconfig "dvx-table.data/*.csv.key" city,id && git dvx diff --rows one two data/customers.csv >../out 2>../err &&
	grep "key: city, id)" ../out && test_must_be_empty ../err && git checkout -q .dvxconfig &&
	test_expect_code 128 git dvx diff --key nosuch one two data/customers.csv 2>../err && grep "^error: .*nosuch.*id, name, city$" ../err
'

test_expect_success 'a key that is no column: nothing stands before the error, which says where the key is declared' '
	git dvx diff one two data/customers.csv >../plain && test_expect_code 128 git dvx diff --key nosuch one two data/customers.csv >../out 2>../err &&
	test_cmp ../plain ../out && test $(wc -l <../err) = 1 && git config -f .dvxconfig "dvx-table.data/*.csv.key" nosuch &&
	test_expect_code 128 git dvx diff --rows one two data/customers.csv 2>../err && grep "only: id, name, city; .dvx-table.data/\*.csv.key. in .dvxconfig" ../err &&
	echo "/data/*.csv dvx-key=id,neither" >>.gitattributes && test_expect_code 128 git dvx diff --rows one two data/customers.csv 2>../err &&
	grep "no column .neither. .*only: id, name, city; the attribute .dvx-key. names it$" ../err && git diff one two -- data/customers.csv >../out &&
	grep "rows cannot be compared: .*; the attribute .dvx-key. names it$" ../out && git checkout -q .gitattributes .dvxconfig
'

test_expect_success 'tables that are new or gone: all rows are; a renamed one has nothing to tell' '
	git rm -q data/t.tsv && printf "id,x\n1,a\n2,b\n" >data/new.csv && git mv data/j.jsonl data/k.jsonl && git add -A && git dvx diff --rows >../out &&
	grep "^data/new.csv: 2 rows added (of 0 -> 2;" ../out && grep "^    + 1,a$" ../out && grep "^data/t.tsv: 1 row removed (of 1 -> 0;" ../out &&
	! grep "^data/[jk].jsonl:" ../out && git reset -q --hard
'

test_expect_success 'what is no table is told, and the others are shown' '
	printf "id,x\n1,\"never closed\n" >small.csv && printf "id\tx\n1\tc\n" >data/t.tsv && test_expect_code 128 git dvx diff --rows >../out 2>../err &&
	grep "^error: small.csv:" ../err && grep "x b -> c" ../out && git reset -q --hard
'

test_expect_success 'cells: escapes and line ends reach no terminal, values that hold commas are quoted' '
	printf "id,x\n1,\"a, b\"\n" >small.csv && git add small.csv && git commit -q -m quoted &&
	printf "id,x\n1,\033]0;title\007\302\233m\n2,\"two\nlines\"\n" >small.csv && git dvx diff --rows small.csv >../out &&
	LC_ALL=C grep -F "~ id=1: x \"a, b\" -> ?]0;title??m" ../out && grep -F "+ 2,\"two\\nlines\"" ../out && ! LC_ALL=C grep "$(printf "[\033\007]")" ../out &&
	git dvx diff --rows --json small.csv >../out && python3 -m json.tool <../out >../tool && git reset -q --hard two
'

test_expect_success 'odd names' '
	for name in "-dash.csv" "s p.csv" "q\"uote.csv" "new
line.csv"; do printf "id,x\n1,a\n" >"data/$name" || return 1; done && git add -A && git commit -q -m odd &&
	for name in "-dash.csv" "s p.csv" "q\"uote.csv" "new
line.csv"; do printf "id,x\n1,b\n" >"data/$name" || return 1; done && git dvx diff --rows >../out &&
	grep -F "data/-dash.csv: 1 row changed" ../out && grep -F "data/s p.csv: 1 row" ../out && grep -F "\"data/q\\\"uote.csv\": 1 row" ../out &&
	grep -F "\"data/new\\nline.csv\": 1 row" ../out && (cd data && git dvx diff --rows -- -dash.csv) >../out2 && grep "x a -> b" ../out2 && git add -A && git commit -q -m odd2
'

test_expect_success '--chunks measures whatever the size; without it no data is needed' '
	git dvx diff --chunks one two >../out && grep "^    data/t.tsv (9 B -> 9 B, 100 % changed)$" ../out && git dvx push -A &&
	git -c core.hooksPath=/dev/null clone -q --bare . ../bare.git && GIT_LFS_SKIP_SMUDGE=1 git clone -q ../bare.git ../clone && cd ../clone &&
	git config dvx-remote.storage.url "$TRASH/blobs" && GIT_TRACE="$TRASH/trace" git dvx diff one two >../out && grep "data/a.bin (3.0 MiB -> 3.0 MiB)" ../out &&
	test $(find .git/lfs .git/dvx/packs -type f -size +0 2>/dev/null | wc -l) = 0
'

test_expect_success '--rows fetches the tables it shows, and nothing else' '
	git dvx diff --rows one two data/customers.csv >../out && sed -n "/^data/,\$p" ../out >../rows && test_cmp ../expect.customers ../rows &&
	test $(find .git/lfs/objects -type f 2>/dev/null | wc -l) = 0 && git dvx diff --chunks one two data/a.bin >../out &&
	grep "data/a.bin (3.0 MiB -> 3.0 MiB, [0-9.]* % changed)" ../out && test $(find .git/lfs/objects -type f | wc -l) = 2
'

test_expect_success 'what cannot be had is told; the list is there all the same' '
	mv ../blobs ../away && test_expect_code 128 git dvx diff --rows one two >../out 2>../err && mv ../away ../blobs &&
	grep "^error: " ../err && grep "^    data/t.tsv (9 B -> 9 B)$" ../out && grep "^data/customers.csv: 2 rows" ../out
'

test_expect_success 'a bare repository' '
	cd ../bare.git && git config dvx-remote.storage.url "$TRASH/blobs" && git config dvx.remote storage && git dvx diff --rows one two -- data/customers.csv >../out &&
	sed -n "/^data/,\$p" ../out >../rows && test_cmp ../expect.customers ../rows && cd ../repo
'

test_expect_success 'a partial clone names what it does not have, and asks nobody for it' '
	git config uploadpack.allowFilter true && GIT_LFS_SKIP_SMUDGE=1 git clone -q --filter=blob:none "file://$PWD" ../partial && cd ../partial &&
	test_expect_code 128 git dvx diff --rows one two small.csv >../out 2>../err && grep "^error: this partial clone does not have .small.csv." ../err &&
	git show one:small.csv >../small && git show two:small.csv >../small && git dvx diff --rows one two small.csv >../out && grep "v 2 -> 3" ../out && cd ../repo
'

test_expect_success 'usage' '
	test_expect_code 129 git dvx diff --rows --name-only && test_expect_code 129 git dvx diff --limit x && test_expect_code 129 git dvx diff --json --md
'

test_done
