#!/bin/bash
# shellcheck disable=SC2034
test_description='sizes at every limit and names of every kind, through add, push, clone and checkout (LARGE=1: also > 4 GiB)'
. "$(dirname "$0")/lib.sh"

[ -z "${LARGE:-}" ] || test_set_prereq LARGE

# Limits: of chunks (16, 64, 256 KiB), of small objects (64 KiB), of segments and reads (1, 4 MiB).
sizes="0 1 2 127 1023 1024 16383 16384 16385 65535 65536 65537 262143 262144 262145 1048575 1048576 1048577 4194303 4194304 4194305"
newline=$(printf 'a\nb')

sums() { find data -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --zero; }

# arrives TAG: what is staged is committed, arrives by push and clone, comes and goes with a checkout, and is clean.
arrives() {
	git commit -q -m data && git tag -f "$1" && sums >"../sums.$1" && git push -q -f origin HEAD:main --tags && rm -rf "../clone.$1" &&
		git clone -q ../remote.git "../clone.$1" && (
		cd "../clone.$1" && sums | cmp - "../sums.$1" && test -z "$(git status --porcelain)" &&
			git checkout -q start && test ! -e data && git checkout -q "$1" && sums | cmp - "../sums.$1" && test -z "$(git status --porcelain)"
	)
}

random_sizes() {
	for size in $sizes; do
		random_file "data/random.$size" "$size" "$1$size" && head -c "$size" /dev/zero >"data/zero.$size" || return 1
	done
}

test_expect_success 'setup' '
	git init -q --bare remote.git && dvx_repo repo && cd repo && git remote add origin ../remote.git && git dvx remote add -d storage "$TRASH/blobs" &&
	git dvx track "data/**" && git add -A && git commit -q -m start && git tag start
'
test_expect_success 'sizes at every limit, by git add' 'mkdir data && random_sizes a && git add data && arrives sizes'
test_expect_success 'the same by git dvx add' 'git checkout -q start && mkdir data && random_sizes b && git dvx add data && arrives more-sizes'
test_expect_success 'a byte more and a byte less of each' '
	for f in data/random.*; do { printf x; cat "$f"; } >f && mv f "$f" || return 1; done &&
	for f in data/zero.*; do test ! -s "$f" || { head -c -1 "$f" >f && mv f "$f"; } || return 1; done && git add data && arrives changed-sizes
'

name_files() {
	n=0
	for name in "with space" " leading" "trailing " "$newline" "quote\"double" "quote'\''single" "back\\slash" "tab	tab" "ünïcode-日本" "-dash" "--" "-- x" "*" "?" "[a]" "a=b" "#hash" "!bang" ":(top)x" "%f %d" "\$HOME" "\`id\`" ".hidden" "very$(printf %0200d 7)" "$(printf "bad\377utf8")"; do
		n=$((n + 1)) && mkdir -p "data/d $n-$name" && random_file "data/$name" $((n * 50)) "$1s$n" && random_file "data/d $n-$name/$name" $((70000 + n)) "$1l$n" || return 1
	done
}
test_expect_success 'names of every kind, by git add' 'git checkout -q start && mkdir data && name_files a && git add data && arrives names'
test_expect_success 'the same by git dvx add' 'git checkout -q start && mkdir data && name_files b && git dvx add data && arrives more-names'
test_expect_success 'git dvx add of files that are named one by one' '
	git checkout -q start && mkdir data && name_files c && (cd data && git dvx add -- -dash -- "*" "$newline" "with space" ":(top)x" "-- x") &&
	test "$(git diff --cached --name-only -z --diff-filter=A | tr -cd "\0" | wc -c)" -ge 6 && git reset -q --hard && rm -rf data && git clean -q -d -f && git checkout -q start
'
test_expect_success 'missing files with such names: pointers, named in the summary, and pull brings them' '
	test_when_finished "cd ../repo" &&
	rm -rf ../clone && mv ../blobs ../away && git clone -q ../remote.git ../clone 2>../err && mv ../away ../blobs && cd ../clone && grep "still are pointers" ../err &&
	git checkout -q more-names 2>../err && git dvx pull && sums | cmp - ../sums.more-names && test -z "$(git status --porcelain)"
'

# --- more than 4 GiB (sparse) ------------------------------------------------------------------------------------

peak() { # COMMAND...: its largest process in KiB, appended to ../rss
	/usr/bin/time -a -o ../rss -f '%M KiB %e s  %C' "$@"
}

# Not through random_file: zeros with a few marks, at both ends and at 4 GiB.
large_file() {
	truncate -s 4294967301 "$1" && for at in 0 4294967290 4294967299; do printf '%s' "$2" | dd of="$1" bs=1 seek=$at conv=notrunc 2>/dev/null || return 1; done
}
test_expect_success LARGE '4 GiB + 5 bytes: git dvx add, push, clone, change, git add' '
	test_when_finished "cat ../rss; cd ../repo && rm -rf ../huge" &&
	git checkout -q start && mkdir data && : >../rss && large_file data/huge XY && peak git dvx add data/huge && peak git commit -q -m huge && git tag huge &&
	sha256sum data/huge >../huge.1 && peak git push -q -f origin HEAD:main --tags && du -sk ../blobs &&
	rm -rf .git/lfs && peak git clone -q ../remote.git ../huge && cd ../huge && sha256sum -c ../huge.1 && test -z "$(git status --porcelain)" &&
	large_file data/huge ZZ && peak git add data/huge && git commit -q -m changed && sha256sum data/huge >../huge.2 && peak git push -q origin HEAD:main &&
	peak git checkout -q huge && sha256sum -c ../huge.1 && peak git checkout -q - && sha256sum -c ../huge.2 && test -z "$(git status --porcelain)" && cat ../rss &&
	test "$(sort -rn ../rss | sed -n "1s/ .*//p")" -le 262144
'
test_done
