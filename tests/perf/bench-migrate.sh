# shellcheck shell=bash disable=SC2154
# Rows for `migrate import --everything`, read by bench.sh: a history of 2,000 commits with merges and tags (make-history.awk), each run
# on a fresh copy; the peer is git-lfs on its own copy, the floor is Git's fast-export into fast-import, which converts nothing.

bench_migrate() {
	local kind seed=$work/history commits=$((2000 / scale)) asif=$work/as-lfs
	mkdir "$asif" && ln -s "$(command -v git-dvx)" "$asif/git-lfs"
	git init -q "$seed"
	awk -v commits="$commits" -f "$here/tests/perf/make-history.awk" | git -C "$seed" fast-import --quiet --done
	git -C "$seed" repack -adq && git -C "$seed" checkout -q -f main
	for _ in $(seq "$runs"); do
		for kind in dvx floor aslfs ${lfs:+lfs}; do
			rm -rf "$work/m" && cp -r "$seed" "$work/m"
			sync -f "$work"
			case $kind in
			dvx) (cd "$work/m" && timed_migrate dvx git dvx migrate import --everything) ;;
			aslfs) (cd "$work/m" && timed_migrate aslfs "$asif/git-lfs" migrate import --everything) && refs_of "$work/m" >"$work/refs-ours" ;;
			lfs) (cd "$work/m" && timed_migrate lfs git lfs migrate import --everything) && refs_of "$work/m" >"$work/refs-lfs" ;;
			floor)
				git init -q "$work/m/new"
				timed_migrate floor bash -c "cd '$work/m' && git fast-export --all --reencode=no | git -C new fast-import --quiet" ;;
			esac
			times[migrate-$kind]="${times[migrate-$kind]:-} $(cat "$work/took")"
		done
		[ -z "$lfs" ] || cmp "$work/refs-ours" "$work/refs-lfs" || { echo "bench: other commits than git-lfs's" >&2; exit 1; }
	done
	row "migrate import, $commits commits" migrate-dvx migrate-lfs migrate-floor "<= 1/5 of LFS" peer 0.2
	row "the same called as git-lfs (whole objects)" migrate-aslfs migrate-lfs migrate-floor "<= 1/2 of LFS" peer 0.5
}
# Like timed, from within a directory: the time goes to a file.
timed_migrate() { # KIND COMMAND...
	local start
	shift
	start=$(now)
	"$@" >/dev/null 2>"$work/err" || { echo "bench: '$*' failed:" >&2; cat "$work/err" >&2; exit 1; }
	echo $((($(now) - start) / 1000)) >"$work/took"
}
# Every ref and the commit that it leads to.
refs_of() {
	git -C "$1" for-each-ref --format='%(refname) %(objectname) %(*objectname)' | awk '{ print $1, $NF }'
}
