# Part of bench.sh: answers about models, data and where they come from, in a repository of 50,000 commits and 1,500 tags.  The floor is
# what Git needs for the heart of the question; the peer is GTO (pip install gto), where it is in PATH.

# lineage_repo DIR COMMITS TAGS
lineage_repo() {
	git init -q "$1"
	awk -v commits="$2" -v tags="$3" -v first=0 -f "$here/tests/perf/make-lineage.awk" | git -C "$1" fast-import --quiet
	git -C "$1" read-tree HEAD
}
# lineage_more DIR FIRST: ten commits and ten tags more
lineage_more() { awk -v commits=10 -v tags=10 -v first="$2" -f "$here/tests/perf/make-lineage.awk" | git -C "$1" fast-import --quiet --force; }

# lineage_round KEY DIR: each question once
lineage_round() {
	timed "$1-at" git -C "$2" dvx model at production --date 2018-01-01
	timed "$1-list" git -C "$2" dvx model list
	timed "$1-model" git -C "$2" dvx trace "$lineage_old"
	timed "$1-head" git -C "$2" dvx trace HEAD
	timed "$1-path" git -C "$2" dvx trace -- models/churn.pkl
	timed "$1-diff" git -C "$2" dvx trace --diff "$lineage_old" "$lineage_new"
	timed "$1-whence" git -C "$2" dvx whence "$lineage_sha"
}
lineage_rows() { # KEY TEXT
	row "model at production --date$2" "$1-at" "${lineage_peer:+lineage-gto}" lineage-tags "<= 50 ms" ms 50
	row "model list$2" "$1-list" "${lineage_peer:+lineage-gto}" lineage-tags "<= 50 ms" ms 50
	row "trace MODEL@VERSION$2" "$1-model" "" lineage-parse "<= 50 ms" ms 50
	row "trace HEAD$2" "$1-head" "" lineage-parse "<= 50 ms" ms 50
	row "trace FILE$2" "$1-path" "" lineage-log "<= 50 ms" ms 50
	row "trace --diff MODEL@V1 MODEL@V2$2" "$1-diff" "" lineage-gitdiff "<= 50 ms" ms 50
	row "whence$2" "$1-whence" "" lineage-log "<= 50 ms" ms 50
}

bench_lineage() {
	local r=$work/lineage commits=$((50000 / scale)) tags=1500 more
	lineage_peer=
	lineage_repo "$r" "$commits" "$tags"
	lineage_old=churn0@v1.0.0 lineage_new=$(git -C "$r" tag -l --sort=-creatordate 'churn0@*' | sed -n 1p)
	lineage_sha=$(git -C "$r" cat-file -p HEAD:models/churn.pkl | sed -n 's/^oid sha256://p')
	if command -v gto >/dev/null; then lineage_peer=gto; else echo "gto is not in PATH: its column stays empty (pip install gto)"; fi
	timed lineage-first git -C "$r" dvx whence "$lineage_sha"
	timed lineage-first-floor sh -c "git -C '$r' log --all --raw --no-renames --format=%H"
	row "whence, first time: $commits commits are indexed" lineage-first "" lineage-first-floor "-" - 0
	lineage_round lineage-loose "$r" # fills the caches
	unset 'times[lineage-loose-at]' 'times[lineage-loose-list]' 'times[lineage-loose-model]' 'times[lineage-loose-head]' 'times[lineage-loose-path]' 'times[lineage-loose-diff]' 'times[lineage-loose-whence]'
	for _ in $(seq "$runs"); do lineage_round lineage-loose "$r"; done
	git -C "$r" pack-refs --all
	for _ in $(seq "$runs"); do
		lineage_round lineage "$r"
		timed lineage-parse git -C "$r" rev-parse HEAD
		timed lineage-tags git -C "$r" for-each-ref refs/tags
		timed lineage-log git -C "$r" log -1 -- models/churn.pkl
		timed lineage-gitdiff git -C "$r" diff --stat "$lineage_old" "$lineage_new"
		[ -z "$lineage_peer" ] || timed lineage-gto sh -c "cd '$r' && gto show"
	done
	lineage_rows lineage ""
	lineage_rows lineage-loose ", loose tags"
	more=$commits
	for _ in $(seq "$runs"); do
		for key in at model whence; do
			lineage_more "$r" "$more"
			more=$((more + 10))
			case $key in
			at) timed lineage-more-at git -C "$r" dvx model at production ;;
			model) timed lineage-more-model git -C "$r" dvx trace "$lineage_new" ;;
			whence) timed lineage-more-whence git -C "$r" dvx whence "$lineage_sha" ;;
			esac
		done
	done
	row "model at, 10 new commits and tags" lineage-more-at "" lineage-tags "<= 50 ms" ms 50
	row "trace MODEL@VERSION, 10 new" lineage-more-model "" lineage-parse "<= 50 ms" ms 50
	row "whence, 10 new" lineage-more-whence "" lineage-log "<= 50 ms" ms 50
	rm -rf "$r"
}
