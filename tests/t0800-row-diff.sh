#!/bin/sh
# shellcheck disable=SC2034
test_description='row diffs: what a table is, which columns and rows belong together (docs/row-diff.md)'
. "$(dirname "$0")/lib.sh"

# table TEXT: the worktree's data/t.csv; committed TEXT: and of HEAD.
table() {
	printf "$1" >data/t.csv
}
committed() {
	table "$1" && git add data && git commit -q --allow-empty -m next
}
# rows [OPTION]...: what differs in data/t.csv.
rows() {
	git dvx diff --rows "$@" data/t.csv >../out && sed -n '/^data\//,$p' ../out >../rows
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "data/**" && mkdir data && git add -A
'

test_expect_success 'how a table is written makes no difference' '
	committed "id,name,city\n1,Ann,Paris\n2,\"B, b\",Rome\n3,C \"c\",Oslo\n" &&
	for text in "\357\273\277id,name,city\r\n1,Ann,Paris\r\n2,\"B, b\",Rome\r\n3,C \"c\",Oslo" \
		"\"id\",\"name\",\"city\"\n\n\"1\",\"Ann\",\"Paris\"\n\n\"2\",\"B, b\",\"Rome\"\n\"3\",\"C \"\"c\"\"\",\"Oslo\"\n" \
		"id;name;city\n1;Ann;Paris\n2;B, b;Rome\n3;C \"c\";Oslo\n" "id\tname\tcity\r1\tAnn\tParis\r3\tC \"c\"\tOslo\r2\tB, b\tRome\r"; do
		table "$text" && rows && echo "data/t.csv: the same rows (of 3; key: id)" >../expect && test_cmp ../expect ../rows || return 1
	done
'

test_expect_success 'cells: what is missing is not empty; a cell too many counts' '
	committed "id,a,b\n1,x,\n2,y\n3,z,w,v\n" && table "id,a,b\n1,x\n2,y,\n3,z,w\n" && rows --json &&
	json ../out "[r[\"cells\"] for r in j[\"modified\"][0][\"rows\"][\"changes\"]] == [{\"b\": {\"old\": \"\", \"new\": None}},
		{\"b\": {\"old\": None, \"new\": \"\"}}, {\"(4)\": {\"old\": \"v\", \"new\": None}}]"
'

test_expect_success 'columns: added, removed, renamed and moved are said once, of no row' '
	committed "id,name,tel,city,zip\n1,Ann,12,Paris,a\n2,Bob,13,Rome,b\n3,Cid,14,Oslo,c\n4,Dan,15,Riga,d\n" &&
	table "id,city,name,phone,region\n1,Paris,Ann,12,r\n2,Rome,Bob,13,r\n3,Oslo,Cid,14,r\n4,Riga,Dan,16,r\n" && rows &&
	cat >../expect <<-\END && test_cmp ../expect ../rows
		data/t.csv: 1 row changed (of 4; key: id)
		    column added: region (as column 5)
		    column removed: zip
		    column renamed: tel -> phone
		    column moved: city (from column 4 to 2)
		    ~ id=4: phone 15 -> 16
	END
'

test_expect_success 'a slipped-in column is said, also when all else is the same' '
	committed "id,x\n1,a\n2,b\n" && table "id,leak,x\n1,0,a\n2,1,b\n" && rows && grep "^data/t.csv: columns differ (of 2; key: id)" ../rows &&
	grep "^    column added: leak (as column 2)$" ../rows && test $(wc -l <../rows) = 2
'

test_expect_success 'rows stand in the order of the newer file, removed ones where they stood' '
	committed "id,x\n1,a\n2,b\n3,c\n4,d\n5,e\n" && table "id,x\n9,z\n1,a\n3,C\n4,d\n8,y\n" && rows && sed 1d ../rows >../changes &&
	printf "    %s\n" "+ 9,z" "- 2,b" "~ id=3: x c -> C" "- 5,e" "+ 8,y" >../expect && test_cmp ../expect ../changes &&
	table "id,x\n5,e\n4,d\n3,c\n2,b\n1,a\n" && rows && grep "the same rows" ../rows
'

test_expect_success 'duplicates are counted: equal rows first, those of one key in their order' '
	committed "k,v\na,1\na,1\nb,2\nb,3\n" && table "k,v\na,1\nb,3\nb,4\na,1\na,1\n" && rows --key "" && sed 1d ../rows >../changes &&
	printf "    %s\n" "- b,2" "+ b,4" "+ a,1" >../expect && test_cmp ../expect ../changes &&
	rows --key k && grep "1 row added, 1 changed (of 4 -> 5; key: k)" ../rows && grep "~ k=b: v 2 -> 4" ../rows && grep "^    + a,1$" ../rows
'

test_expect_success 'the key that is found: never empty, unique; else there is none' '
	committed "x,code\n1,a\n1,b\n" && table "x,code\n1,a\n2,b\n" && rows && grep "key: code)" ../rows &&
	committed "x,code\n1,a\n1,\n" && table "x,code\n1,a\n2,\n" && rows && grep "no key)" ../rows &&
	committed "x,id\na,1\nb,2\n" && table "x,id\nb,1\na,2\n" && rows && grep "2 changed\|2 rows changed" ../rows && grep "key: id)" ../rows
'

test_expect_success 'JSON Lines: cells mean something; keys are columns in any order' '
	printf "{\"id\":1,\"a\":{\"x\":1,\"y\":[1,2]},\"t\":\"\\\\u0061\"}\n\n{\"id\":2,\"t\":\"1\",\"old\":null}\n" >data/t.jsonl && git add -A && git commit -q -m json &&
	printf "{\"t\":\"a\",\"a\":{\"y\":[1,2.0],\"x\":1e0},\"id\":1.0}\r\n{\"id\":2,\"t\":1,\"new\":[{}]}" >data/t.jsonl &&
	git dvx diff --rows data/t.jsonl >../out && sed -n "/^data/,\$p" ../out >../rows && cat >../expect <<-\END && test_cmp ../expect ../rows &&
		data/t.jsonl: 1 row changed (of 2; key: id)
		    column added: new (as column 4)
		    column removed: old
		    ~ id=2: t "1" -> 1
	END
	echo "[1]" >>data/t.jsonl && test_expect_code 128 git dvx diff --rows data/t.jsonl 2>../err && grep "^error: data/t.jsonl:2:" ../err
'

test_expect_success 'from nothing, to nothing, a header alone' '
	committed "" && table "id,x\n" && rows && grep "column added: id" ../rows && committed "id,x\n1,a\n" && table "" && rows && grep "1 row removed" ../rows &&
	table "id,x\n" && rows && grep "1 row removed (of 1 -> 0" ../rows && ! grep column ../rows
'

test_done
