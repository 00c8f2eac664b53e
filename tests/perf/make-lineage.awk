# A history for `git fast-import`, as a team that registers its models leaves it: COMMITS commits of code, data (pointers of 250 files) and
# runs of a pipeline (dvx.lock), a side branch merged every fiftieth; TAGS annotated tags of three models in GTO's convention, a version and
# its stage in turn.  FIRST > 0: that many commits are there already, these come on top.
# usage: awk -v commits=50000 -v tags=1500 -v first=0 -f make-lineage.awk | git fast-import --quiet
function sha(n) {
	srand(n)
	return sprintf("%08x%08x%08x%08x%08x%08x%08x%08x", n, r(), r(), r(), r(), r(), r(), r())
}
function r() { return int(rand() * 4294967296) }
function file(path, text) { printf "M 100644 inline %s\ndata %d\n%s\n", path, length(text), text }
function pointer(path, n) {
	version[path] = n
	file(path, "version https://git-lfs.github.com/spec/v1\noid sha256:" sha(n) "\nsize " n + 1000 "\n")
}
function data(k) { return sprintf("data/d%02d/part%03d.csv", k % 10, k) }
function of(path) { return "    - {path: " path ", sha256: " sha(version[path]) ", size: " version[path] + 1000 "}\n" }
function pipeline(n,   s, k) {
	s = "schema: dvx/1\nstages:\n  train:\n    cmd: python train.py\n    deps:\n"
	for (k = 0; k < 5; k++)
		s = s of(data(k))
	s = s "    params:\n      params.yaml:\n        train.lr: 0." n "\n    outs:\n"
	file("dvx.lock", s of("models/churn.pkl"))
	file("params.yaml", "train:\n  lr: 0." n "\n")
	file("metrics.json", "{\"accuracy\": 0." n "}\n")
}
function commit(branch, n, from, other) {
	printf "commit refs/heads/%s\nmark :%d\ncommitter Person %d <p%d@example.org> %d +0100\ndata %d\nchange %d\n", branch, ++mark, n % 7, n % 7, 1500000000 + n * 600, length("change " n), n
	if (from)
		print "from " from
	if (other)
		print "merge :" other
}
BEGIN {
	for (k = 0; k < 250; k++)
		version[data(k)] = k
	for (n = first; n < first + commits; n++) {
		if (n % 50 == 25 && mark) {
			commit("side", n, ":" mark)
			file("src/side" n % 11 ".py", "# " n "\n")
			pointer(data(n % 250), n)
			side = mark
			commit("main", n, ":" mark - 1)
		} else {
			commit("main", n, n == first && first ? "refs/heads/main^0" : "", n % 50 == 40 ? side : 0)
		}
		file(sprintf("src/m%02d/f%d.py", n % 37, n % 11), "# " n "\n")
		if (n == 0)
			file("dvx.yaml", "stages:\n  train:\n    cmd: python train.py\n    deps: [data]\n    params: [train.lr]\n    outs: [models/churn.pkl]\n    metrics: [{metrics.json: {cache: false}}]\n")
		if (n < 250)
			pointer(data(n), n)
		else if (n % 5 == 0)
			pointer(data(n * 7 % 250), n)
		if (n >= 250 && n % 10 == 0) {
			pointer("models/churn.pkl", n)
			pipeline(n)
		}
		every = int(commits / tags)
		if (n % every == every - 1) {
			t = int(n / every)
			if (t % 2 == 0) {
				at = mark
				model = "churn" t % 3
				name = model "@v1." t ".0"
			} else {
				name = model "#" (t % 4 == 1 ? "production" : "staging") "#" t
			}
			printf "tag %s\nfrom :%d\ntagger Person 1 <p1@example.org> %d +0100\ndata 9\ntag of it\n", name, at, 1500000000 + n * 600 + 60
		}
	}
}
