#!/bin/bash
# The lesson "Versioning Code, Data and Models" with real files of real size and plain Git: a directory as blob remote, a
# repository, two versions of the data, a team mate's clone, and the way back to the old version. Ends with a table of what
# was done, how long it took and how many bytes it moved. Everything happens in a temporary folder that is removed at the end.
#
#   DEMO_DIR=<folder>   use (and keep) this folder instead
set -eu -o pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
bin=${DVX_BIN:-$here/build/bin}
PATH=$bin:$PATH
if [ -n "${DEMO_DIR:-}" ]; then
	work=$DEMO_DIR
	mkdir -p "$work"
	[ -z "$(ls -A "$work")" ] || { echo "demo: '$work' is not empty; name an empty folder" >&2; exit 1; }
else
	work=$(mktemp -d "${TMPDIR:-/tmp}/git-dvx-demo.XXXXXX")
	trap 'rm -rf "$work"' EXIT
fi
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
mkdir -p "$HOME"
cd "$work"

bold=''
plain=''
if [ -t 1 ]; then
	bold=$(printf '\033[1m')
	plain=$(printf '\033[0m')
fi

say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
fail() {
	echo "demo: FAILED: $*" >&2
	exit 1
}

bytes_in() { find "$@" -type f -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { printf "%d", n }'; }
files_in() { find "$@" -type f | wc -l; }
human() { numfmt --to=iec-i --suffix=B --format=%.1f "$1"; }
now() { date +%s%N; }

# The command as one would type it: words with blanks or wildcards in quotes.
typed() {
	local word line='$'
	for word; do
		case $word in
		*[!A-Za-z0-9_./:=@%+,-]*) line="$line '$word'" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '%s%s%s\n' "$bold" "$line" "$plain"
}

rows=()
# step "name" "what the bytes are" command...: show it, run it, time it, and keep a row for the table.
step() {
	local name=$1 what=$2 before start ms
	shift 2
	typed "$@"
	before=$(bytes_in "$work/blobs")
	start=$(now)
	"$@"
	ms=$((($(now) - start) / 1000000))
	case $what in
	remote) what="$(human $(($(bytes_in "$work/blobs") - before))) to the remote" ;;
	worktree:*) what="$(human "$(bytes_in "${what#worktree:}")") in $(files_in "${what#worktree:}") files" ;;
	esac
	rows+=("$(printf '%-52s %8d ms   %s' "$name" "$ms" "$what")")
}
run() {
	typed "$@"
	"$@"
}
must_be_clean() {
	local state
	state=$(git status --porcelain)
	[ -z "$state" ] || fail "git status is not clean: $state"
}

say "Real data of this machine"
mkdir -p blobs src/pages
# One large file: the largest libraries and programs of this system, one behind the other, until it is 120 MB.
{ find -L /usr/lib /usr/bin -type f -size +64k -printf '%s %p\n' 2>/dev/null || true; } | sort -rn |
	awk 'size < 125829120 { size += $1; sub(/^[0-9]+ /, ""); printf "%s%c", $0, 0 }' >src/list
xargs -0 cat <src/list 2>/dev/null | head -c 125829120 >src/model.bin || true
while [ "$(stat -c %s src/model.bin)" -lt 104857600 ]; do # a very small system: its files twice
	cat src/model.bin src/model.bin >src/more && mv src/more src/model.bin
done
# Many small ones: headers, pages and texts of this system, with their own names.
{ find /usr/include /usr/share -type f -size -32k -size +0 -readable -print0 2>/dev/null || true; } | sort -z |
	awk 'BEGIN { RS = ORS = "\0" } NR <= 6000' >src/list
xargs -0 cp --parents -t src/pages <src/list
rm src/list
[ "$(files_in src/pages)" -ge 5000 ] || fail "found only $(files_in src/pages) small files on this machine"
echo "model.bin: $(human "$(stat -c %s src/model.bin)"); pages: $(files_in src/pages) files, $(human "$(bytes_in src/pages)")"

say "Once for each user"
run git dvx install
git config --global user.name "Ada"
git config --global user.email "ada@example.org"
git config --global init.defaultBranch main
git config --global advice.detachedHead false

say "A project, a directory as blob remote"
git init -q --bare team.git
git init -q project
cd project
git remote add origin ../team.git
run git dvx init
run git dvx remote add -d storage ../blobs
printf 'learning_rate: 0.01\n' >config.yaml
printf 'print("train")\n' >train.py
git add -A
git commit -qm "start: code and configuration"

say "The lesson's three files: git dvx add"
mkdir data
od -An -tx1 -w32 -N 240000 ../src/model.bin >data/projects.json
head -c 2000 data/projects.json >data/tags.json
tail -c 90000 data/projects.json >data/features.json
run git dvx add data/projects.json data/tags.json data/features.json

say "Everything else: track a pattern once, then plain git add"
run git dvx track '*.bin' 'pages/**'
cp ../src/model.bin model.bin
cp -r ../src/pages pages
step "git add: a large file and thousands of small ones" worktree:. git add -A
run git commit -qm "data and model, first version"
git tag v1
echo "what Git holds of the model:"
git cat-file blob HEAD:model.bin
must_be_clean

say "Push: the data first, then the commits"
step "git push of version 1" remote git push -q origin main v1
step "git push again: nothing to do" remote git push -q origin main

say "Version 2: the large file grows in the middle, ten small files change"
{ head -c 50000000 ../src/model.bin && echo "ten thousand new weights would stand here" && tail -c +50000001 ../src/model.bin; } >model.bin
find pages -type f -size -8k | sort | awk 'NR % 500 == 1 && ++n <= 10' >../ten
while read -r page; do echo "corrected" >>"$page"; done <../ten
printf 'learning_rate: 0.02\n' >config.yaml
step "git add of version 2" "11 files changed" git add -A
run git commit -qm "more data, second version"
git tag v2
find model.bin pages data -type f -print0 | xargs -0 sha256sum >../v2.sums
step "git push of version 2: only what changed travels" remote git push -q origin main v2
cd ..

say "A team mate clones"
step "git clone, data included" worktree:mate git clone -q team.git mate
cd mate
sha256sum --quiet -c ../v2.sums || fail "the clone's data differ"
must_be_clean
echo "all $(wc -l <../v2.sums) files have the right bytes, git status is clean"

say "Back to the old version, and forth"
step "git checkout v1" "everything as it was" git checkout -q v1
cmp model.bin ../src/model.bin || fail "model.bin of v1 differs"
diff -r pages ../src/pages || fail "pages of v1 differ"
grep -q 0.01 config.yaml || fail "config.yaml is not that of v1"
must_be_clean
step "git checkout main" "the new version again" git checkout -q main
sha256sum --quiet -c ../v2.sums || fail "the data of v2 differ"
must_be_clean
step "git status" "nothing to do" git status --short

say "The lesson's test: delete the data, pull"
rm -r data model.bin
step "git dvx pull" "deleted files are back" git dvx pull
sha256sum --quiet -c ../v2.sums || fail "pull did not bring the data back"
must_be_clean
cd ..

say "The team mate pushes, the first one pulls"
cd mate
git config user.name "Ben"
page=$(head -n 1 ../ten)
echo "seen by Ben" >>"$page"
git commit -qam "one page annotated"
step "git push by the team mate" remote git push -q origin main
cd ../project
step "git pull" "one file" git pull -q origin main
cmp "$page" "../mate/$page" || fail "the pulled page differs"
must_be_clean
cd ..

printf '\n%s%-52s %11s   %s%s\n' "$bold" "what" "time" "bytes" "$plain"
printf '%s\n' "${rows[@]}"
printf '\nThe model is %s; two versions of everything take %s in the blob remote, and Git itself holds %s.\n' \
	"$(human "$(stat -c %s src/model.bin)")" "$(human "$(bytes_in blobs)")" "$(human "$(bytes_in team.git)")"
echo "demo: all steps done, every byte compared"
