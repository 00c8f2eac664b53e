# A history for `git fast-import`: COMMITS commits, a side branch merged every tenth one, a lightweight and an annotated
# tag every hundredth; 40 directories with a text, a picture and a table each, of which every commit changes one or two.
# usage: awk -v commits=2000 -f make-history.awk | git fast-import --quiet
function noise(n,   s) {
	s = ""
	while (length(s) < n)
		s = s sprintf("%08x%08x", int(rand() * 4294967296), int(rand() * 4294967296))
	return substr(s, 1, n)
}
function who(k, t) {
	printf "%s Person %d <p%d@example.com> %d +0%d00\n", k, t % 7, t % 7, 1500000000 + t * 600, t % 10
}
function text(s) {
	printf "data %d\n%s\n", length(s), s
}
function file(d, name, s) {
	printf "M 100644 inline dir%02d/sub%d/%s\n", d, d % 3, name
	text(s)
}
function change(i,   d) {
	d = i * 7 % 40
	if (i % 3 == 0)
		file(d, "picture.png", noise(12000 + i % 9000))
	else if (i % 3 == 1)
		file(d, "table.csv", noise(3000 + i % 2000))
	else
		file(d, "read me.txt", "line " i "\n" noise(200))
	if (i % 5 == 0)
		file((d + 11) % 40, "weights.bin", noise(30000))
}
function commit(branch, i, other) {
	printf "commit refs/heads/%s\nmark :%d\n", branch, ++mark
	who("author", i)
	who("committer", i + 1)
	text((other ? "merge " : "change ") i "\n\nbody of " i "\n")
	if (other)
		printf "merge :%d\n", other
}
BEGIN {
	srand(7)
	for (i = 1; i <= commits; i++) {
		if (i % 10 == 5 && main) {
			printf "reset refs/heads/side\nfrom :%d\n\n", main
			commit("side", i)
			change(i)
			side = mark
		} else {
			commit("main", i, i % 10 == 9 ? side : 0)
			for (d = 0; i == 1 && d < 40; d++)
				file(d, "read me.txt", "first of " d "\n")
			change(i)
			main = mark
		}
		print ""
		if (i % 100 == 0) {
			printf "reset refs/tags/light-%d\nfrom :%d\n\n", i, main
			printf "tag note-%d\nfrom :%d\n", i, main
			who("tagger", i)
			text("tag " i "\n")
		}
	}
	print "done"
}
