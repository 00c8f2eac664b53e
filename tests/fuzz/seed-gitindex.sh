#!/bin/sh
# Make the seeds of fuzz_gitindex from indexes that Git writes: seed-gitindex.sh <directory>.
# (The corpus in the tree was made this way; run it again to add what a newer Git writes.)
set -e
out=$(mkdir -p "$1" && cd "$1" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work GIT_CONFIG_NOSYSTEM=1
export HOME GIT_CONFIG_NOSYSTEM
git config --global user.name n
git config --global user.email e

# save <name> <hash flag>: a plain index
save() {
	{ printf "\\00$2"; cat .git/index; } >"$out/$1"
}

# save_split <name> <2 or 3>: flag, length of the index, index, shared index
save_split() {
	shared=$(git rev-parse --shared-index-path)
	size=$(wc -c <.git/index)
	{ printf "\\00$2\\$(printf %03o $((size / 256)))\\$(printf %03o $((size % 256)))"
		cat .git/index "$shared"; } >"$out/$1"
}

for format in sha1 sha256; do
	flag=0 split=2
	[ $format = sha1 ] || flag=1 split=3
	git init -q --object-format=$format "$work/$format"
	cd "$work/$format"
	git read-tree --empty
	save empty-$format $flag
	mkdir -p a/b c
	for i in 1 2 3 4 5 6; do
		echo $i >a/f$i
		echo x$i >a/b/a-longer-name-$i
		echo y$i >c/h$i
	done
	ln -s a symlink
	chmod +x a/f2
	git add . && git commit -qm1
	save v2-$format $flag
	git update-index --index-version 4
	save v4-$format $flag
	git update-index --index-version 2 && git update-index --skip-worktree a/f3 &&
		: >n && git add -N n
	save v3-$format $flag
	git update-index --index-version 4
	save v4-extended-$format $flag
	git -c index.threads=2 -c index.recordEndOfIndexEntries=true -c index.recordOffsetTable=true update-index \
		--force-write-index --index-version 4
	save eoie-$format $flag
	git update-index --untracked-cache --force-write-index && git status -s >/dev/null
	save untracked-$format $flag
	git -c core.fsmonitor=false update-index --no-untracked-cache
	printf '#!/bin/sh\nprintf "t\\0/\\0"\n' >"$work/fsmonitor" && chmod +x "$work/fsmonitor"
	git -c core.fsmonitor="$work/fsmonitor" update-index --fsmonitor &&
		git -c core.fsmonitor="$work/fsmonitor" status -s >/dev/null
	save fsmonitor-$format $flag
	git update-index --no-fsmonitor
	git rm -q --cached n
	for version in 2 4; do
		git update-index --no-split-index
		git update-index --index-version $version
		git config splitIndex.maxPercentChange 100
		git update-index --split-index
		save_split split-fresh-v$version-$format $split
		echo $version >a/f4 && echo new >a/new$version && git add a && git rm -q c/h$version
		git update-index --split-index # write
		save_split split-used-v$version-$format $split
	done
	git update-index --no-split-index && git commit -qam2
	git checkout -q -b other HEAD^ && echo other >a/f4 && git commit -qam3
	! git merge -q - >/dev/null 2>&1
	save conflict-$format $flag
	git reset -q --hard && git update-index --no-skip-worktree a/f3
	git sparse-checkout set --cone --sparse-index c >/dev/null
	save sparse-$format $flag
done
