#!/bin/sh
test_description='git dvx migrate: 2,000 commits with merges and tags; many trees; large files'
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/migrate-lib.sh
. "$dvx_top/tests/migrate-lib.sh"
git dvx install >/dev/null

# peak COMMAND...: its peak memory in KiB, and that of what it starts, goes to the file "peak".
peak() {
	/usr/bin/time -f %M -o "$TRASH/peak" "$@"
}

test_expect_success 'a history of 2,000 commits' '
	git init -q seed && awk -v commits=2000 -f "$dvx_top/tests/perf/make-history.awk" | git -C seed fast-import --quiet --done &&
	git -C seed checkout -q -f main && [ "$(git -C seed rev-list --all --count)" -eq 2000 ] && [ -n "$(git -C seed rev-list --all --merges)" ]
'
test_expect_success 'import of everything: same shape, all objects, every file' '
	cp -r seed r && (cd r && git dvx migrate import --everything && git dvx fsck) && git -C r fsck &&
	shape_of seed >before && shape_of r >after && test_cmp before after &&
	for ref in main side light-700 note-1300; do
		files_of_one() { git -C "$1" archive --format=tar "$ref" | tar xO --exclude=.gitattributes | sha256sum; }
		[ "$(files_of_one seed)" = "$(files_of_one r)" ] || return 1
	done
'
test_expect_success GITLFS 'the same as Git LFS, whose fsck is content' '
	git init -q theirs && awk -v commits=300 -f "$dvx_top/tests/perf/make-history.awk" | git -C theirs fast-import --quiet --done &&
	git -C theirs checkout -q -f main && cp -r theirs ours && git lfs install --skip-repo && (cd theirs && git lfs migrate import --everything) && (cd ours && as_lfs migrate import --everything && git lfs fsck) &&
	refs_of theirs >theirs.refs && refs_of ours >ours.refs && test_cmp theirs.refs ours.refs
'
test_expect_success 'and back: every commit has the trees that it had' '
	(cd r && git dvx migrate export --everything -I "*") && git -C r fsck &&
	trees() { git -C "$1" log --topo-order --reverse -m --raw --no-renames --no-abbrev --format=%s main -- . ":!.gitattributes"; } &&
	trees seed >before && trees r >after && test_cmp before after
'
test_expect_success !ASAN 'many trees: 100,000 in 256 MiB' '
	awk "BEGIN { for (i = 1; i <= 910; i++) {
		printf \"commit refs/heads/main\nmark :%d\ncommitter c <c@x> %d +0000\ndata 2\nm\n\", i, 1500000000 + i
		for (d = 0; d < 50; d++) printf \"M 100644 inline d%d/s%d/t%d/f.%s\ndata 12\n%011d\n\", d % 10, d / 10, d, d % 2 ? \"bin\" : \"txt\", i * 50 + d
	} print \"done\" }" >stream && git init -q --bare many.git && git -C many.git fast-import --quiet --done <stream && rm stream &&
	(cd many.git && peak git dvx migrate import --everything -I "*.bin") && [ "$(tail -n 1 peak)" -le 262144 ] &&
	git -C many.git cat-file blob main:d1/s0/t1/f.bin | grep -q ^oid && [ "$(git -C many.git rev-list --count main)" -eq 910 ]
'
test_expect_success !ASAN 'a large file passes through in pieces, both ways' '
	git init -q --bare huge.git && truncate -s 300M zeros && (
		cd huge.git && blob=$(git -c core.bigFileThreshold=1m hash-object -w --no-filters ../zeros) && rm ../zeros &&
		tree=$(printf "100644 blob %s\tzeros.bin\n" "$blob" | git mktree) && git update-ref refs/heads/main "$(git commit-tree -m one "$tree")" &&
		peak git dvx migrate import --everything && [ "$(tail -n 1 ../peak)" -le 131072 ] && git cat-file blob main:zeros.bin | grep -q "^size 314572800" &&
		peak git dvx migrate export --everything -I "*.bin" && [ "$(tail -n 1 ../peak)" -le 131072 ] && [ "$(git rev-parse main:zeros.bin)" = "$blob" ]
	)
'

test_done
