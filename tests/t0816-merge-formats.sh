#!/bin/sh
# shellcheck disable=SC2317,SC2329 # functions that merge_case calls
test_description='merging tables: TSV, JSON Lines, line ends, quotes, small files, what is no table'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/merge-lib.sh"

test_expect_success 'setup' 'merge_team'

test_expect_success 'TSV' '
	base() { printf "id\tv\n1\ta\n2\tb\n3\tc\n" >t.tsv; } && ours() { sed -i "s/a$/A/" t.tsv; } && theirs() { sed -i "s/c$/C/" t.tsv; } &&
	merge_case tsv && merge_theirs && merged_is t.tsv "id\tv\n1\tA\n2\tb\n3\tC\n"
'

test_expect_success 'other delimiters' '
	base() { printf "id;v\n1;a,b\n2;b\n3;c\n" >t.csv; } && ours() { sed -i "s/a,b$/A,B/" t.csv; } && theirs() { sed -i "s/c$/C/" t.csv; } &&
	merge_case semicolon && merge_theirs && merged_is t.csv "id;v\n1;A,B\n2;b\n3;C\n"
'

test_expect_success 'CRLF stays, also of what theirs wrote with LF' '
	base() { printf "id,v\r\n1,a\r\n2,b\r\n3,c\r\n" >t.csv; } && ours() { sed -i "s/a\r/A\r/" t.csv; } && theirs() { printf "id,v\n1,a\n2,b\n3,C\n4,d\n" >t.csv; } &&
	merge_case crlf && merge_theirs && merged_is t.csv "id,v\r\n1,A\r\n2,b\r\n3,C\r\n4,d\r\n"
'

test_expect_success 'no line end at the end, blank lines, a byte order mark, quotes and line ends in cells' '
	base() { printf "\357\273\277id,v\n1,\"a, b\"\n\n2,\"two\nlines\"\n3,c" >t.csv; } && ours() { sed -i "s/^1,.*/1,\"a \"\"b\"\"\"/" t.csv; } &&
	theirs() { printf "\357\273\277id,v\n1,\"a, b\"\n\n2,\"two\nlines\"\n3,c\n4,\"d\nd\"\n" >t.csv; } &&
	merge_case quotes && merge_theirs && merged_is t.csv "\357\273\277id,v\n1,\"a \"\"b\"\"\"\n\n2,\"two\nlines\"\n3,c\n4,\"d\nd\"\n"
'

test_expect_success 'quotes alone are no change' '
	base() { printf "id,v\n1,a\n2,b\n" >t.csv; } && ours() { printf "\"id\",\"v\"\n\"1\",\"a\"\n\"2\",\"B\"\n" >t.csv; } && theirs() { sed -i "s/a/A/" t.csv; } &&
	merge_case requoted && merge_theirs && merged_is t.csv "\"id\",\"v\"\n1,A\n\"2\",\"B\"\n"
'

test_expect_success 'JSON Lines: different rows' '
	base() { printf "{\"id\": 1, \"v\": \"a\"}\n{\"id\": 2, \"v\": \"b\"}\n{\"id\": 3, \"v\": {\"x\": [1]}}\n" >t.jsonl; } && ours() { sed -i "s/\"a\"/\"A\"/" t.jsonl; } && theirs() { sed -i "s/\[1\]/[2]/" t.jsonl && echo "{\"id\": 4}" >>t.jsonl; } &&
	merge_case jsonl && merge_theirs && merged_is t.jsonl "{\"id\": 1, \"v\": \"A\"}\n{\"id\": 2, \"v\": \"b\"}\n{\"id\": 3, \"v\": {\"x\": [2]}}\n{\"id\": 4}\n"
'

test_expect_success 'JSON Lines: the same row is a conflict' '
	ours() { sed -i "s/\"a\"/\"A\"/" t.jsonl; } && theirs() { sed -i "s/\"a\"/\"Z\"/; s/\"b\"/\"B\"/" t.jsonl; } &&
	merge_case jsonl-conflict && test_expect_code 1 merge_theirs && grep "^  id=1" ../err && grep "\"B\"" t.jsonl && grep -c "^[<|=>]\{7\}" t.jsonl | grep -x 4 && git merge --abort
'

test_expect_success 'a table below the minimum size stays in Git' '
	base() { git dvx track --min-size 1K "*.csv" >/dev/null && printf "id,v\n1,a\n2,b\n3,c\n" >t.csv; } && ours() { sed -i "s/a/A/" t.csv; } && theirs() { sed -i "s/b/B/" t.csv; } &&
	merge_case small && merge_theirs && merged_is t.csv "id,v\n1,A\n2,B\n3,c\n" && git cat-file blob HEAD:t.csv >../blob && test_cmp_bin t.csv ../blob && is_clean
'

test_expect_success 'one that grew over it on one side becomes a pointer' '
	theirs() { sed -i "s/b/B/" t.csv && seq 100 400 | sed "s/$/,new/" >>t.csv; } &&
	merge_case grown && merge_theirs && sed -n 2,3p t.csv >../actual && printf "1,A\n2,B\n" | test_cmp - ../actual && test "$(wc -l <t.csv)" = 305 && git cat-file blob HEAD:t.csv >../blob && is_pointer ../blob && is_clean
'

test_expect_success 'what is no table: ours stays, with the line' '
	base() { printf "id,v\n1,a\n" >t.csv && head -c 2000 /dev/zero | tr "\0" x >>t.csv; } && ours() { printf "id,v\n1,\"a\n" >t.csv && cat ../ann/big >>t.csv; } && theirs() { printf "id,v\n1,z\n" >t.csv && cat ../ann/big >>t.csv; } &&
	head -c 3000 /dev/zero | tr "\0" y >../ann/big && echo big >>../ann/.git/info/exclude &&
	merge_case rubbish && test_expect_code 1 merge_theirs && grep "t.csv (ours):2: " ../err && cmp t.csv t.csv.ours && git merge --abort
'

test_expect_success 'escapes of a terminal in cells are not shown' '
	base() { printf "id,v\n1,a\n2,b\n" >t.csv; } && ours() { printf "id,v\n1,\033[31mo\n2,b\n" >t.csv; } && theirs() { printf "id,v\n1,\033[2Jt\n2,b\n" >t.csv; } &&
	merge_case escapes && test_expect_code 1 merge_theirs && grep "ours:   1" ../err && ! grep "$(printf "\033")" ../err && git merge --abort
'

test_done
