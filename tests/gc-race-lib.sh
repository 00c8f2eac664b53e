# shellcheck shell=bash disable=SC2154
# Writers, readers and gcs on one store, with a grace period of seconds, against a model: a commit is a file in refs/ with the objects it
# needs, made when its push ended well; whatever a commit needs that is there before and after a read must have been read, right.
#
#	gc_race URL    DVX_RACE_SECONDS (30) long; repositories get what race_config() {…} sets (its argument is one)

race_seconds=${DVX_RACE_SECONDS:-30}
race_grace=8
race_config() { :; }

# What the grace period allows for: the time between a push that ended and its reference, and between collecting what is needed and the gc.
race_late() {
	sleep "0.$((RANDOM % 9))"
}

# race_setup URL: a pool of objects that all writers have, some of them versions of others.
race_setup() {
	local i size
	transfer_repo pool "$1" && git -C pool config dvx.gcGrace "$race_grace" && git -C pool config dvx.jobs 2 && race_config pool && mkdir refs && : >pool.requests &&
		for i in $(seq 16); do
			size=$((100000 + i * 10000)) && random_file "object.$i" "$size" "object $i" && store_file pool "object.$i" >>pool.requests &&
				{ cat "object.$i" && echo more; } >"object.$i.v2" && store_file pool "object.$i.v2" "$(oid_of "object.$i")" >>pool.requests || return 1
		done && many_files pool 800 >>pool.requests &&
		for i in $(seq 16); do cp -rl pool "writer$i" || return 1; done &&
		for i in 1 2 3 4; do transfer_repo "reader$i" "$1" && race_config "reader$i" || return 1; done &&
		for i in 1 2; do transfer_repo "gc$i" "$1" && git -C "gc$i" config dvx.gcGrace "$race_grace" && race_config "gc$i" || return 1; done
}

race_writer() {
	local n=0 last=0 limit
	while [ ! -e stop ]; do
		n=$((n + 1)) limit=600
		[ $((RANDOM % 6)) != 0 ] || limit=0.0$((RANDOM % 90 + 10))
		shuf -n $((RANDOM % 6 + 1)) pool.requests >"w$1.requests"
		if (cd "writer$1" && timeout -s KILL $limit git-dvx-transfer batch upload <"../w$1.requests" >"../w$1.out" 2>>"../w$1.err") 2>/dev/null; then
			race_late && cut -d' ' -f1 "w$1.requests" >"w$1.commit" && mv "w$1.commit" "refs/$1.$n" && echo >>commits
			rm -f "refs/$1.$last"
			last=$n
		elif grep -q '^fatal' "w$1.out"; then
			grep '^fatal' "w$1.out" >>refused
		fi
		sleep "$((RANDOM % 3)).$((RANDOM % 10))"
	done
}

# race_needed FILE: the requests of all that commits need; which commits these are, in FILE.refs.
race_needed() {
	: >"$1.refs" && : >"$1.oids"
	for race_ref in refs/*; do
		cat "$race_ref" >>"$1.oids" 2>/dev/null && echo "$race_ref" >>"$1.refs"
	done
	grep -F -f "$1.oids" pool.requests >"$1"
}

# race_judge NAME REPO: of what `race_needed NAME` found and commits still need, all was answered well, and has the right bytes.
race_judge() {
	local ref
	while read -r ref; do
		if [ -e "$ref" ]; then cat "$ref"; fi
	done <"$1.refs" 2>/dev/null | sort -u >"$1.still"
	grep '^ok ' "$1.out" | cut -d' ' -f2 | sort >"$1.got"
	comm -23 "$1.still" "$1.got" >"$1.lost"
	if [ -s "$1.lost" ]; then
		echo "$1: lost:" && cat "$1.lost" && grep -F -f "$1.lost" "$1.out"
	fi
	find "$2/.git/lfs/objects" -type f 2>/dev/null | xargs -r sha256sum | awk '{ n = split($2, part, "/"); if (part[n] != $1) print "wrong bytes: " $2 }'
}

race_reader() {
	local n=0
	while [ ! -e stop ]; do
		n=$((n + 1))
		rm -rf "reader$1/.git/lfs" "reader$1/.git/dvx/packs" "reader$1/.git/dvx/store"
		[ $((RANDOM % 2)) = 0 ] || rm -rf "reader$1/.git/dvx"
		race_needed "r$1"
		[ -s "r$1" ] || { sleep 0.2 && continue; }
		(cd "reader$1" && git-dvx-transfer batch download <"../r$1" >"../r$1.out" 2>>"../r$1.err")
		race_judge "r$1" "reader$1" >>bad
		echo >>reads
		sleep "0.$((RANDOM % 10))"
	done
}

race_gc() {
	local option=
	while [ ! -e stop ]; do
		race_needed "g$1" && race_late
		{ cat "g$1" && echo "done"; } | (cd "gc$1" && git-dvx-transfer gc $option) >"g$1.out" 2>>"g$1.err" || { cat "g$1.out" >>gc.failed; }
		cat "g$1.out" >>gc.said
		[ -n "$option" ] && option= || option=--repack
		sleep "0.$((RANDOM % 10))"
	done
}

race_sum() {
	awk -v key="$1" '$1 == key { n += $2 } END { print n + 0 }' gc.said
}

# On a machine that is busy a gc may find its time over again and again: then it goes on, up to ten times as long.
race_wait_for_removal() {
	local i
	for i in $(seq $((race_seconds * 9))); do
		[ "$(race_sum removed-packs)" -eq 0 ] || break
		sleep 1
	done
}

gc_race() {
	local i
	race_setup "$1" && : >bad && : >commits && : >reads && : >gc.said && : >gc.failed && : >refused || return 1
	for i in $(seq 16); do race_writer "$i" & done
	for i in 1 2 3 4; do race_reader "$i" & done
	for i in 1 2; do race_gc "$i" & done
	sleep "$race_seconds" && race_wait_for_removal && : >stop && wait
	race_needed last && transfer_repo last.repo "$1" && race_config last.repo && (cd last.repo && git-dvx-transfer batch download <../last >../last.out) && race_judge last last.repo >>bad
	echo "$(grep -c '' commits) commits, $(grep -c '' refused) refused, $(grep -c '' reads) reads, $(race_sum removed-fragments) fragments and $(race_sum removed-packs) packs removed," \
		"$(race_sum rescued-fragments) rescued, $(race_sum merged-fragments) merged, $(race_sum repacked-bytes) bytes repacked"
	cat bad gc.failed && sort refused | uniq -c
	[ ! -s bad ] && [ ! -s gc.failed ] && [ "$(grep -c '' commits)" -ge 10 ] && [ "$(grep -c '' reads)" -ge 4 ]
}
