# Part of bench.sh: metrics of 100 tags.  The floor is one `git cat-file --batch` of the objects that must be read: commits, trees and
# metrics files, each once.

# metrics_repo DIR FILES CHANGED: 100 tags of FILES metrics files; each tag changes CHANGED of them.
metrics_repo() {
	git init -q "$1"
	awk -v files="$2" -v changed="$3" 'BEGIN {
		print "blob\nmark :1\ndata <<END\nstages:\n  evaluate:\n    cmd: ./evaluate\n    deps: [model]\n    metrics:"
		for (i = 0; i < files; i++) printf "    - metrics/%04d.json: {cache: false}\n", i
		print "END\n"
		for (tag = 0; tag < 100; tag++) {
			print "commit refs/heads/main\ncommitter B <b@example.org> " 1700000000 + tag * 60 " +0000\ndata 1\n."
			if (tag == 0) print "M 100644 :1 dvx.yaml"
			for (k = 0; k < (tag == 0 ? files : changed); k++) {
				i = (tag * changed + k) % files
				text = sprintf("{\"acc\": 0.%06d, \"loss\": {\"train\": 0.%06d, \"test\": 0.%06d}, \"epochs\": %d}", tag * files + i, i + 1, tag + 1, tag)
				printf "M 100644 inline metrics/%04d.json\ndata %d\n%s\n", i, length(text), text
			}
			printf "reset refs/tags/v%d\nfrom refs/heads/main\n\n", tag
		} }' | git -C "$1" fast-import --quiet
	git -C "$1" reset -q --hard
}

bench_metrics_of() { # FILES CHANGED "TARGET" KIND MAX
	local r=$work/metrics-$1-$2 key=metrics-$1-$2
	metrics_repo "$r" "$1" "$2"
	git -C "$r" rev-list --objects --tags | cut -d' ' -f1 >"$work/objects"
	for _ in $(seq "$runs"); do
		timed "$key-dvx" git -C "$r" dvx metrics show -T
		timed "$key-floor" sh -c "git -C '$r' cat-file --batch <'$work/objects'"
	done
	row "metrics show -T, 100 tags, $2 of $1 files change" "$key-dvx" "" "$key-floor" "$3" "$4" "$5"
	rm -rf "$r"
}
bench_metrics() {
	bench_metrics_of 10 10 "<= 500 ms" ms 500
	bench_metrics_of 1000 10 "<= 500 ms" ms 500
	bench_metrics_of 1000 1000 "-" - 0
}
