#!/bin/bash
# Ratios, not seconds: each row is the median of interleaved runs of git-dvx, its peers where they are installed (Debian's git-lfs,
# plain Git) and the floor (what the machine needs for the same bytes), on one machine, in one go.
#
#   BENCH_RUNS=5       runs of each variant
#   BENCH_SCALE=1      divide the inputs by this (8: a quick look)
#   BENCH_DIR=<dir>    where to work (default: a new folder in TMPDIR); its file system is what is measured
#   BENCH_ONLY=<regex> only rows whose name matches
set -eu -o pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
PATH=${DVX_BIN:-$here/build/bin}:$PATH
runs=${BENCH_RUNS:-5}
scale=${BENCH_SCALE:-1}
only=${BENCH_ONLY:-.}
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/git-dvx-bench.XXXXXX")
lfs_pid= # a server of bench-lfs.sh
trap '[ -z "$lfs_pid" ] || kill "$lfs_pid"; chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
mkdir "$HOME"
git config --global user.name bench
git config --global user.email bench@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global gc.auto 0
git config --global protocol.file.allow always
lfs=
if git lfs version >/dev/null 2>&1; then lfs=lfs; else echo "git-lfs is not installed: its column stays empty (apt-get install git-lfs)"; fi

# Clones find their filters in the user's configuration.
(cd "$work" && git dvx install >/dev/null) # not here: this clone would get the hooks
[ -z "$lfs" ] || git lfs install --skip-repo >/dev/null

# ---- inputs ----
big=$((1024 / scale)) # MiB
files=$((20000 / scale))
mids=$((2000 / scale))
in=$work/in
mkdir -p "$in/small" "$in/mid"
noise() { openssl enc -aes-256-ctr -pass "pass:$1" -nosalt -pbkdf2 -iter 1 </dev/zero 2>/dev/null | head -c "$2"; }
noise big $((big << 20)) >"$in/big" || true
half=$((big * 500000))
{ head -c "$half" "$in/big" && { noise insert 10007 || true; } && tail -c +$((half + 1)) "$in/big"; } >"$in/big2"
noise small $((files * 1000)) >"$in/pool" || true
awk -v n="$files" -v dir="$in/small" 'BEGIN {
	srand(1); for (i = 0; i < 10; i++) system("mkdir -p " dir "/" i)
	for (i = 0; i < n; i++) { f = dir "/" i % 10 "/" i ".txt"; len = 600 + int(rand() * 400); s = i ","
		while (length(s) < len) s = s sprintf("%08x,", int(rand() * 4294967295)); printf "%s", substr(s, 1, len) >f; close(f) } }'
rm "$in/pool"
noise mid $((mids * 102400)) | split -b 102400 -a 5 -d - "$in/mid/" || true
echo "inputs: big $big MiB, big v2 with 10,007 bytes inserted, small $(find "$in/small" -type f | wc -l) files, mid $(find "$in/mid" -type f | wc -l) x 100 KB; median of $runs interleaved runs"

# ---- timing ----
declare -A times
now() { date +%s%N; }
# timed KEY COMMAND...: add a run of KEY, in microseconds.
timed() {
	local key=$1 start
	shift
	start=$(now)
	"$@" >/dev/null 2>"$work/err" || { echo "bench: '$*' failed:" >&2; cat "$work/err" >&2; exit 1; }
	times[$key]="${times[$key]:-} $((($(now) - start) / 1000))"
}
median() { [ -n "$1" ] || return 0; tr ' ' '\n' <<<"${times[$1]:-}" | grep . | sort -n | awk '{ a[NR] = $1 } END { if (NR) print a[int((NR + 1) / 2)]; else print "" }'; }
ms() { if [ -n "$1" ]; then awk -v t="$1" 'BEGIN { printf "%.1f ms", t / 1000 }'; else printf -- '-'; fi; }
ratio() { if [ -n "$1" ] && [ -n "$2" ]; then awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; else printf -- '-'; fi; }
# row NAME OURS PEER FLOOR "TARGET" peer|floor|ms|- MAX: one line, which says plainly when a target is missed.
printf '\n%-50s %11s %11s %11s %8s %8s  %s\n' "work" "git-dvx" "peer" "floor" "of peer" "of floor" "target"
row() {
	local ours peer floor against verdict
	ours=$(median "$2") peer=$(median "$3") floor=$(median "$4")
	case $6 in
	peer) against=$peer ;;
	floor) against=$floor ;;
	ms) against=1000 ;;
	*) against= ;;
	esac
	if [ -z "$against" ]; then
		verdict=
	elif awk -v a="$ours" -v b="$against" -v m="$7" 'BEGIN { exit !(a <= b * m) }'; then
		verdict=": met"
	else
		verdict=": MISSED"
	fi
	printf '%-50s %11s %11s %11s %8s %8s  %s%s\n' "$1" "$(ms "$ours")" "$(ms "$peer")" "$(ms "$floor")" \
		"$(ratio "$ours" "$peer")" "$(ratio "$ours" "$floor")" "$5" "$verdict"
}
wanted() { [[ $1 =~ $only ]]; }

# ---- repositories ----
# new KIND DIR: a repository whose data/** goes through dvx, lfs, a filter that does nothing, or nothing.
new() {
	git init -q "$2"
	case $1 in
	dvx) (cd "$2" && git dvx init && git dvx track 'data/**') >/dev/null ;;
	lfs) (cd "$2" && git lfs install --local && git lfs track 'data/**') >/dev/null ;;
	null) # the floor of any filter-process: pkt-lines in and out, content read and thrown away, a fixed answer
		git -C "$2" config filter.null.process "$work/null-filter"
		git -C "$2" config filter.null.required true
		echo 'data/** filter=null -text' >"$2/.gitattributes" ;;
	esac
	git -C "$2" add -A
	git -C "$2" commit -q --allow-empty -m start
	mkdir -p "$2/data"
}
${CC:-cc} -O2 -o "$work/null-filter" "$here/tests/perf/null-filter.c"
${CC:-cc} -O2 -o "$work/empty" -x c - <<<'int main(void) { return 0; }'

bench_add() { # INPUT "TARGET" KIND MAX, for git add and for git dvx add
	local input=$1 kind
	for _ in $(seq "$runs"); do
		# Plain Git needs a minute for the large file, and that figure is nobody's target.
		plain=plain
		[ "$input" != big ] || plain=
		for kind in dvx null $plain ${lfs:+lfs}; do
			rm -rf "$work/r" && new "$kind" "$work/r" && cp -r "$in/$input" "$work/r/data/"
			sync -f "$work"
			timed "add-$input-$kind" git -C "$work/r" add -A
		done
		rm -rf "$work/r" && new dvx "$work/r" && cp -r "$in/$input" "$work/r/data/"
		timed "add-$input-direct" git -C "$work/r" dvx add data
		timed "sha-$input" sh -c "find '$in/$input' -type f -print0 | xargs -0 sha256sum"
	done
	row "git add $input (peer: git-lfs; floor: null filter)" "add-$input-dvx" "add-$input-lfs" "add-$input-null" "$2" "$3" "$4"
	row "git dvx add $input (peer: git add; floor: sha256)" "add-$input-direct" "add-$input-plain" "sha-$input" "$5" "$6" "$7"
}

commit_all() { git -C "$1" add -A && git -C "$1" commit -qm "$2"; }
two_versions() { # KIND DIR: big, then big2, as data/big
	new "$1" "$2"
	cp "$in/big" "$2/data/big" && commit_all "$2" one && git -C "$2" tag one
	cp "$in/big2" "$2/data/big" && commit_all "$2" two && git -C "$2" tag two
}
everything() {
	new "$1" "$2"
	cp -r "$in/small" "$in/mid" "$in/big" "$2/data/" && commit_all "$2" all && git -C "$2" tag all
}

bench_checkout_big() { # FOLDER LABEL "TARGET" KIND MAX
	local where=$1 label=$2
	two_versions dvx "$where/cb-dvx"
	[ -z "$lfs" ] || two_versions lfs "$where/cb-lfs"
	for _ in $(seq "$runs"); do
		for kind in dvx ${lfs:+lfs}; do
			git -C "$where/cb-$kind" checkout -q one
			timed "cb$label-$kind" git -C "$where/cb-$kind" checkout -q two
			[ -z "$(git -C "$where/cb-$kind" status --porcelain)" ] || { echo "bench: not clean" >&2; exit 1; }
		done
		rm -f "$where/copy"
		timed "cb$label-cp" cp --reflink=never "$in/big2" "$where/copy"
	done
	cmp "$where/cb-dvx/data/big" "$in/big2"
	row "checkout big -> big v2$label (floor: cp)" "cb$label-dvx" "cb$label-lfs" "cb$label-cp" "$3" "$4" "$5"
	git -C "$where/cb-dvx" checkout -q one
	command time -f %M -o "$work/rss" git -C "$where/cb-dvx" checkout -q two
	echo "    peak memory of git during that checkout$label: $(($(cat "$work/rss") / 1024)) MiB (target: <= 40; the filter's own is in it when larger)"
	rm -rf "$where/cb-dvx" "$where/cb-lfs" "$where/copy"
}

bench_checkout_all() {
	everything dvx "$work/ca-dvx"
	[ -z "$lfs" ] || everything lfs "$work/ca-lfs"
	for _ in $(seq "$runs"); do
		for kind in dvx ${lfs:+lfs}; do
			git -C "$work/ca-$kind" checkout -q all~1
			timed "ca-$kind" git -C "$work/ca-$kind" checkout -q all
		done
		rm -rf "$work/copy"
		timed ca-cp cp -r --reflink=never "$work/ca-dvx/data" "$work/copy"
	done
	row "checkout everything (floor: cp -r)" ca-dvx ca-lfs ca-cp "<= 1.5 x cp -r" floor 1.5
	rm -rf "$work/copy"
	for _ in $(seq "$runs"); do
		for kind in dvx ${lfs:+lfs}; do
			find "$work/ca-$kind/data" -type f -exec touch {} +
			timed "touch-$kind" git -C "$work/ca-$kind" status --porcelain
			timed "clean-$kind" git -C "$work/ca-$kind" status --porcelain
		done
		timed dvx-status git -C "$work/ca-dvx" dvx status
	done
	row "status after touching everything" touch-dvx touch-lfs "" "<= 1/4 of LFS" peer 0.25
	row "git status, nothing to do" clean-dvx clean-lfs "" "(the same program)" - 0
	row "git dvx status, nothing to do (floor: git status)" dvx-status "" clean-dvx "<= 50 ms" ms 50
}

bench_push_clone() {
	for _ in $(seq "$runs"); do
		for kind in dvx ${lfs:+lfs}; do
			rm -rf "$work/remote-$kind.git" "$work/clone-$kind" "$work/blobs-$kind"
			git init -q --bare "$work/remote-$kind.git"
			git -C "$work/ca-$kind" remote remove origin 2>/dev/null || true
			git -C "$work/ca-$kind" remote add origin "file://$work/remote-$kind.git"
			sync -f "$work"
			timed "push-$kind" git -C "$work/ca-$kind" push -q origin main
			timed "clone-$kind" git clone -q "file://$work/remote-$kind.git" "$work/clone-$kind"
		done
		timed "push-nothing" git -C "$work/ca-dvx" push -q origin main
		timed "dvx-push-nothing" git -C "$work/ca-dvx" dvx push
		git -C "$work/clone-dvx" dvx pull >/dev/null # the first one after a clone learns which blobs are pointers
		timed "dvx-pull-nothing" git -C "$work/clone-dvx" dvx pull
		rm -f "$work/copy"
		timed push-floor sh -c "cat '$in/big' '$in'/mid/* >'$work/copy' && sync '$work/copy'"
	done
	diff -r "$work/ca-dvx/data" "$work/clone-dvx/data"
	row "push to a local directory, durable (floor: cat+fsync)" push-dvx push-lfs push-floor "<= 1/2 of LFS" peer 0.5
	row "clone from a local directory, with data" clone-dvx clone-lfs "" "<= 1/5 of LFS" peer 0.2
	row "git push, nothing to do" push-nothing "" "" "<= 50 ms" ms 50
	row "git dvx push, nothing to do" dvx-push-nothing "" "" "<= 50 ms" ms 50
	row "git dvx pull, nothing to do" dvx-pull-nothing "" "" "<= 50 ms" ms 50
}

bench_added() {
	local before after
	two_versions dvx "$work/ad"
	(cd "$work/ad" && git dvx remote add -d storage "$work/ad-blobs") >/dev/null
	git -C "$work/ad" checkout -q one && git -C "$work/ad" dvx push >/dev/null
	before=$(find "$work/ad-blobs" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
	git -C "$work/ad" checkout -q two && git -C "$work/ad" dvx push >/dev/null
	after=$(find "$work/ad-blobs" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
	echo "    bytes added on the remote by big v2: $((after - before)) (target: <= 200,000: $([ $((after - before)) -le 200000 ] && echo met || echo MISSED); one chunk is the floor)"
	rm -rf "$work/ad" "$work/ad-blobs"
}

many() { # COMMAND...: 50 times, so that the clock's resolution does not matter
	for _ in {1..50}; do
		"$@" >/dev/null 2>&1 </dev/null || true
	done
}
bench_start() {
	for _ in $(seq $((runs * 3))); do
		timed start-empty many "$work/empty"
		timed start-filter many git-dvx-filter
		timed start-dvx many git-dvx version
		[ -z "$lfs" ] || timed start-lfs many git-lfs version
	done
	local e f d l
	e=$(median start-empty) f=$(median start-filter) d=$(median start-dvx) l=$(median start-lfs)
	awk -v e="$e" -v f="$f" -v d="$d" -v l="${l:-0}" 'BEGIN { printf "    start: empty process %.2f ms, git-dvx-filter +%.2f ms (target: <= 0.5: %s), git-dvx %.2f ms (target: <= 8: %s), git-lfs %.2f ms\n",
		e / 50000, (f - e) / 50000, (f - e) / 50000 <= 0.5 ? "met" : "MISSED", d / 50000, d / 50000 <= 8 ? "met" : "MISSED", l / 50000 }'
}

wanted start && bench_start
wanted add-big && bench_add big "<= 1/4 of LFS" peer 0.25 "" - 0
wanted add-small && bench_add small "<= 1.2 x floor" floor 1.2 "<= 1/3 of git add" peer 0.334
wanted add-mid && bench_add mid "<= 1/3 of LFS" peer 0.334 "" - 0
wanted checkout-big && bench_checkout_big "$work" "" "<= 2 x cp" floor 2
if wanted checkout-btrfs; then
	if [ "$(id -u)" = 0 ] && [ -x "$here/tests/servers/reflink-fs.sh" ] && command -v mkfs.btrfs >/dev/null; then
		if [ -z "${BENCH_IN_BTRFS:-}" ] && [ -z "${FS_DIR:-}" ]; then
			BENCH_ONLY=checkout-btrfs "$here/tests/servers/reflink-fs.sh" -t btrfs -s 12G "$here/tests/perf/bench.sh" | grep -v -e '^inputs' -e '^work' -e '^$' || echo "    btrfs: could not be mounted here"
		fi
	else
		echo "    btrfs: skipped (needs root and btrfs-progs)"
	fi
fi
if [ -n "${FS_DIR:-}" ] && wanted checkout-btrfs; then
	mkdir "$FS_DIR/b"
	bench_checkout_big "$FS_DIR/b" " (btrfs)" "<= 150 ms" ms 150
fi
if wanted checkout-all || wanted push; then
	bench_checkout_all
	bench_push_clone
fi
wanted added && bench_added
# shellcheck source=tests/perf/bench-s3.sh
. "$here/tests/perf/bench-s3.sh"
if wanted s3-small || wanted s3-big; then bench_s3; fi
wanted ssh && bench_ssh
# shellcheck source=tests/perf/bench-migrate.sh
. "$here/tests/perf/bench-migrate.sh"
wanted migrate && bench_migrate
# shellcheck source=tests/perf/bench-lfs.sh
. "$here/tests/perf/bench-lfs.sh"
wanted lfs && bench_lfs
# shellcheck source=tests/perf/bench-metrics.sh
. "$here/tests/perf/bench-metrics.sh"
wanted metrics && bench_metrics
# shellcheck source=tests/perf/bench-pipeline.sh
. "$here/tests/perf/bench-pipeline.sh"
wanted pipeline && bench_pipeline
# shellcheck source=tests/perf/bench-rows.sh
. "$here/tests/perf/bench-rows.sh"
wanted rows && bench_rows
# shellcheck source=tests/perf/bench-lineage.sh
. "$here/tests/perf/bench-lineage.sh"
wanted lineage && bench_lineage
echo "done"
