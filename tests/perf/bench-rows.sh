# Part of bench.sh: row diffs of two tables of 1,000,000 rows, of which 1 % changed.  The floor is `sort` of one of them in the C locale,
# the peer that in C.UTF-8: what anybody's shell would do first.

# rows_table VERSION: ~90 bytes a row, in no order of its keys.
rows_table() {
	awk -v n=$((1000000 / scale)) -v version="$1" '
	function hash(i) { return (i * 7919 + 13) % (3 * n + 1) }
	function quoted(s) { return version == "quoted" ? "\"" s "\"" : s }
	BEGIN {
		split("Paris London Rome Berlin Madrid Oslo Lisbon Vienna", cities, " ")
		print "id,name,city,age,amount,code,since,segment" (version == "added" ? ",region" : "")
		for (i = 0; i < n; i++) {
			h = hash(i)
			if (version != "old" && h % 1000 == 0) continue # removed
			id = 100000 + (version != "old" && h % 1000 == 1 ? 4 * n : 0) + h # added, and another one removed
			city = cities[h % 8 + 1]
			age = 18 + h % 77
			if (version != "old" && h % 100 == 2) { city = "New York"; age++ }
			printf "%d,%s,%s,%d,%d.%04d,abcdef%08x,20%02d-%02d-%02d,segment-%d%s\n", id, quoted(sprintf("Name%06d Surname%05d", h % 999983, h % 77777)),
				quoted(city), age, h % 1000, h % 9973, h * 31, h % 25, h % 12 + 1, h % 28 + 1, h % 20, version == "added" ? ",r" h % 10 : ""
		} }'
}

bench_rows_of() { # VERSION LABEL "TARGET" KIND MAX
	local v=$1
	for _ in $(seq "$runs"); do
		timed "rows-$v-dvx" git -C "$work/rows" dvx diff --rows old "$v" data/t.csv
		timed "rows-$v-sort" env LC_ALL=C sort "$work/old.csv"
		timed "rows-$v-sort-utf8" sort "$work/old.csv"
	done
	row "rows: 2 x 1,000,000, $2 (floor: sort)" "rows-$v-dvx" "rows-$v-sort-utf8" "rows-$v-sort" "$3" "$4" "$5"
}

bench_rows() {
	local v
	new dvx "$work/rows"
	rows_table old >"$work/old.csv"
	for v in old new shuffled added quoted; do
		case $v in
		shuffled) { head -1 "$work/old.csv" && rows_table new | tail -n +2 | LC_ALL=C sort -t, -k6; } >"$work/rows/data/t.csv" ;;
		*) rows_table $v >"$work/rows/data/t.csv" ;;
		esac
		commit_all "$work/rows" $v && git -C "$work/rows" tag $v
	done
	bench_rows_of new "1 % new" "<= 2.0 sort" floor 2.0
	bench_rows_of shuffled "shuffled" "<= 2.0 sort" floor 2.0
	bench_rows_of added "new column" "<= 2.0 sort" floor 2.0
	bench_rows_of quoted "quotes" "<= 2.0 sort" floor 2.0
	python3 - "$work/rows" <<-'END'
		import resource, subprocess, sys
		subprocess.run(["git", "dvx", "diff", "--rows", "old", "shuffled", "data/t.csv"], cwd=sys.argv[1], check=True, stdout=subprocess.DEVNULL)
		mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
		print("rows: peak memory %d MiB; target <= 256 MiB: %s" % (mib, "met" if mib <= 256 else "MISSED"))
	END
	rm -rf "$work/rows" "$work/old.csv"
}
