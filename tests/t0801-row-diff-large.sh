#!/bin/sh
# shellcheck disable=SC2034
test_description='row diffs of larger tables: the same as comm and join say, in bounded memory'
. "$(dirname "$0")/lib.sh"

# rows N SEED: a header and N rows; many of them twice, some with quotes and line ends.
rows() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		srand(seed); print "id,name,city"
		for (i = 0; i < n; i++) {
			r = int(rand() * n / 2)
			printf "%d,%s,City %d\n", r, r % 7 ? "Name " r : "\"Name, \"\"" r "\"\"\"", r % 50 + (rand() < 0.01)
		} }'
}
# peak COMMAND...: its peak memory in MiB, on stdout.
peak() {
	python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$@"
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "data/**" && mkdir data && rows 200000 1 >data/t.csv && git add -A && git commit -q -m one &&
	git tag one && rows 200000 2 >data/t.csv && git add -A && git commit -q -m two && git tag two && git show one:data/t.csv >/dev/null
'

test_expect_success 'without a key: the multisets that comm compares' '
	rows 200000 1 | tail -n +2 | LC_ALL=C sort >../one && rows 200000 2 | tail -n +2 | LC_ALL=C sort >../two &&
	LC_ALL=C comm -23 ../one ../two | sed "s/^/    - /" >../expect && LC_ALL=C comm -13 ../one ../two | sed "s/^/    + /" >>../expect &&
	git dvx diff --rows --key "" --limit 0 one two data/t.csv >../out && grep "^    [-+~] " ../out | LC_ALL=C sort >../rows &&
	LC_ALL=C sort ../expect >../sorted && test $(wc -l <../sorted) -gt 50000 && cmp ../sorted ../rows
'

test_expect_success 'the same rows in another order are the same' '
	rows 200000 2 | awk "NR == 1 { print; next } { print NR % 1000, \$0 | \"LC_ALL=C sort -n | cut -d\\\" \\\" -f2-\" }" >data/t.csv &&
	! git diff --quiet data/t.csv && git dvx diff --rows --key "" data/t.csv >../out && grep "^data/t.csv: the same rows (of 200,000; no key)" ../out
'

test_expect_success 'with a key: what join finds of the changed rows' '
	awk "BEGIN { print \"id,v,w\"; for (i = 0; i < 200000; i++) printf \"%d,v%d,w\\n\", i * 3, i }" >data/t.csv && git add -A && git commit -q -m keyed &&
	awk "BEGIN { print \"w,id,v\"; for (i = 199999; i >= 0; i--) if (i % 100 != 1) printf \"w,%d,v%d\\n\", i * 3, i % 100 ? i : i + 1
		for (i = 0; i < 500; i++) printf \"w,%d,new\\n\", i * 3 + 1 }" >data/t.csv &&
	git dvx diff --rows --json --limit 0 data/t.csv >../out && json ../out "
		(lambda t: t[\"added\"] == 500 and t[\"removed\"] == 2000 and t[\"changed\"] == 2000 and t[\"same\"] == 196000 and t[\"key\"] == [\"id\"]
			and t[\"changed_cells\"] == {\"v\": 2000} and t[\"columns\"] == [dict(change=\"moved\", old=\"w\", new=\"w\")]
			and all(c[\"cells\"][\"v\"][\"new\"] == \"v%d\" % (int(c[\"key\"][\"id\"]) // 3 + 1) for c in t[\"changes\"] if c[\"change\"] == \"changed\")
			and [int(c[\"key\"][\"id\"]) for c in t[\"changes\"] if c[\"change\"] == \"changed\"] == list(range(199900 * 3, -1, -300))
		)(j[\"modified\"][0][\"rows\"])"
'

test_expect_success 'more rows than memory holds: it is bounded, and nothing is left behind' '
	awk "BEGIN { print \"id,v\"; for (i = 0; i < 1600000; i++) print i * 7919 % 1600001 \",\" i % 7 }" >data/t.csv && git add -A && git commit -q -m many &&
	awk "BEGIN { print \"id,v\"; for (i = 0; i < 1600000; i++) print i * 7919 % 1600001 \",\" (i % 1000 ? i % 7 : 9) }" >data/t.csv &&
	mkdir ../tmp && TMPDIR="$TRASH/tmp" peak git dvx diff --rows data/t.csv >../mib &&
	{ test_have_prereq ASAN || test "$(cat ../mib)" -lt 256; } && test -z "$(ls -A ../tmp)" &&
	git dvx diff --rows data/t.csv >../out && grep "^data/t.csv: 1,600 rows changed (of 1,600,000; key: id)" ../out
'

test_expect_success 'a million rows of one key' '
	awk "BEGIN { print \"k,v\"; for (i = 0; i < 1000000; i++) print \"a,\" i % 10 }" >data/t.csv && git add -A && git commit -q -m same &&
	echo "a,11" >>data/t.csv && git dvx diff --rows --key k data/t.csv >../out && grep "^data/t.csv: 1 row added (of 1,000,000 -> 1,000,001; key: k)" ../out &&
	grep "^    + a,11$" ../out
'

test_expect_success 'a cell of 190 MB changed' '
	letters() { printf "id,v\n1,a\n2," && head -c 190000000 /dev/zero | tr "\\0" "$1" && printf "\n3,c\n"; } && letters a >data/t.csv && git add -A && git commit -q -m large &&
	letters b >data/t.csv && git dvx diff --rows data/t.csv >../out && grep "^data/t.csv: 1 row changed (of 3; key: id)" ../out && grep "^    ~ id=2: v aaaa.* -> bbbb" ../out
'

test_expect_success 'a million columns' '
	columns() { seq -f "c%.0f" -s , 1000000 && seq -f %.0f -s , 1000000 | sed "s/,500000,/,$1,/"; } && columns 500000 >data/t.csv && git add -A && git commit -q -m wide &&
	columns x >data/t.csv && peak git dvx diff --rows --key c1 data/t.csv >../mib && { test_have_prereq ASAN || test "$(cat ../mib)" -lt 300; } &&
	git dvx diff --rows data/t.csv >../out && grep "^    ~ c1=1: c500000 500000 -> x$" ../out
'

test_done
