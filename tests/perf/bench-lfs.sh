# shellcheck shell=bash disable=SC2154
# Rows for Git LFS's protocol, read by bench.sh: the same git-dvx-server, with git-dvx and Debian's git-lfs as its clients in turn, each
# with a store of its own.  The floor is curl with 8 connections, which puts and gets the same bytes with tickets of a batch that was asked
# for before; a clone's floor adds nothing for the worktree.

# lfs_server NAME OPTION...: http://… in $lfs_url, its process in $lfs_pid.
lfs_server() {
	local i
	: >"$work/$1.out"
	git-dvx-server --http 127.0.0.1:0 --store "$work/$1/store" --state "$work/$1/state" --anonymous write >"$work/$1.out" 2>"$work/$1.err" &
	lfs_pid=$!
	for ((i = 0; i < 100; i++)); do
		lfs_url=$(sed -n 's/^listening on //p' "$work/$1.out")
		[ -z "$lfs_url" ] || return 0
		sleep 0.05
	done
	echo "bench: git-dvx-server did not start" >&2
	exit 1
}
# lfs_server_end: it brings what it has to its store, first.
lfs_server_end() {
	kill -TERM "$lfs_pid"
	wait "$lfs_pid" || true
	lfs_pid=
}
lfs_server_peak() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$lfs_pid/status"; }
store_bytes() { find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }
peak_of() { # KEY COMMAND...: the largest process of it, in MiB, in $work/rss-KEY (the largest of all runs)
	local key=$1 mib
	shift
	command time -f %M -o "$work/rss" "$@" || return 1
	mib=$(($(tail -n 1 "$work/rss") / 1024))
	[ "$mib" -le "$(cat "$work/rss-$key" 2>/dev/null || echo 0)" ] || echo "$mib" >"$work/rss-$key"
}

# lfs_batch OPERATION: for the files of $work/lfs-list ("oid size path"), a configuration for curl in $work/curl.
lfs_batch() {
	awk -v op="$1" 'BEGIN { printf "{\"operation\":\"%s\",\"objects\":[", op } { printf "%s{\"oid\":\"%s\",\"size\":%s}", (NR > 1) ? "," : "", $1, $2 } END { print "]}" }' \
		"$work/lfs-list" >"$work/batch"
	curl -sf -H 'Accept: application/vnd.git-lfs+json' -H 'Content-Type: application/vnd.git-lfs+json' --data-binary "@$work/batch" \
		"$lfs_url/floor/info/lfs/objects/batch" >"$work/answer"
	# One object a line, then what curl wants.
	sed 's/{"oid"/\n{"oid"/g' "$work/answer" | grep '"href"' | sed 's/,"verify".*//; s/.*"oid":"\([0-9a-f]*\)".*"'"$1"'":{"href":"\([^"]*\)".*"Authorization":"\([^"]*\)".*/\1 \2 \3/' |
		awk -v op="$1" -v out="$work/floor-out" 'FNR == NR { path[$1] = $3; next }
			{ printf "%sfail\nurl = \"%s\"\nheader = \"Authorization: %s %s\"\n", n++ ? "next\n" : "", $2, $3, $4
			  if (op == "upload") printf "upload-file = \"%s\"\noutput = \"/dev/null\"\n", path[$1]; else printf "output = \"%s/%s\"\n", out, $1 }' "$work/lfs-list" - >"$work/curl"
	[ "$(grep -c '^url' "$work/curl")" = "$(wc -l <"$work/lfs-list")" ] || { echo "bench: the batch answer was not understood" >&2; exit 1; }
}
run_curl() { curl -sS --parallel --parallel-max 8 --config "$work/curl" >/dev/null; }

lfs_round() { # INPUT KIND
	local repo=$work/l-$1-$2 clone=$work/l-clone
	rm -rf "$work/l-srv" "$repo.git" "$clone"
	mkdir "$work/l-srv" && lfs_server l-srv
	git init -q --bare "$repo.git"
	git -C "$repo" config lfs.url "$lfs_url/data/info/lfs"
	git -C "$repo" remote remove origin 2>/dev/null || true
	git -C "$repo" remote add origin "$repo.git"
	git -C "$repo" checkout -q -B main one
	rm -rf "$repo/.git/dvx/remotes"
	sync -f "$work"
	timed "lfs-push-$1-$2" peak_of "$2" git -C "$repo" push -q origin main
	timed "lfs-nothing-$1-$2" git -C "$repo" push -q origin main
	timed "lfs-clone-$1-$2" peak_of "$2" git clone -q -c "lfs.url=$lfs_url/data/info/lfs" "$repo.git" "$clone"
	diff -r "$repo/data" "$clone/data"
	[ "$(lfs_server_peak)" -le "$(cat "$work/rss-server-$2" 2>/dev/null || echo 0)" ] || lfs_server_peak >"$work/rss-server-$2"
	if [ "$1" = half ]; then
		lfs_server_end
		before=$(store_bytes "$work/l-srv/store")
		lfs_server l-srv
		git -C "$repo" config lfs.url "$lfs_url/data/info/lfs"
		git -C "$repo" checkout -q two && git -C "$repo" push -q origin HEAD:main 2>/dev/null
		lfs_server_end
		echo $(($(store_bytes "$work/l-srv/store") - before)) >"$work/added-$2"
	else
		lfs_server_end
	fi
	rm -rf "$clone"
}

lfs_floor() { # INPUT
	rm -rf "$work/l-srv" "$work/floor-out" && mkdir "$work/l-srv" "$work/floor-out" && lfs_server l-srv
	find "$in/$1" -type f -exec sha256sum {} + | while read -r oid path; do echo "$oid $(stat -c %s "$path") $path"; done >"$work/lfs-list"
	lfs_batch upload
	sync -f "$work"
	timed "lfs-put-$1" run_curl
	lfs_batch download
	timed "lfs-get-$1" run_curl
	lfs_server_end
	rm -rf "$work/copy"
	timed "lfs-cp-$1" cp -r --reflink=never "$in/$1" "$work/copy"
	rm -rf "$work/copy" "$work/floor-out"
}

bench_lfs() {
	local input kind
	if ! command -v git-dvx-server >/dev/null || ! command -v curl >/dev/null; then
		echo "    Git LFS: skipped (needs git-dvx-server and curl)"
		return
	fi
	mkdir -p "$in/twenty"
	noise twenty $((mids * 20000)) | split -b 20000 -a 5 -d - "$in/twenty/" || true
	noise half $((big << 19)) >"$in/half" || true
	{ head -c $((half / 2)) "$in/half" && { noise edit 10007 || true; } && tail -c "+$((half / 2 + 1))" "$in/half"; } >"$in/half2"
	git config --global lfs.locksverify false
	for input in twenty half; do
		for kind in dvx ${lfs:+lfs}; do
			new "$kind" "$work/l-$input-$kind" 2>/dev/null
			cp -r "$in/$input" "$work/l-$input-$kind/data/" && commit_all "$work/l-$input-$kind" one && git -C "$work/l-$input-$kind" tag one
			[ "$input" = twenty ] || { cp "$in/half2" "$work/l-$input-$kind/data/half" && commit_all "$work/l-$input-$kind" two && git -C "$work/l-$input-$kind" tag two; }
		done
		for _ in $(seq "$runs"); do
			for kind in dvx ${lfs:+lfs}; do lfs_round "$input" "$kind"; done
			lfs_floor "$input"
		done
		kind="$mids x 20 KB"
		[ "$input" = twenty ] || kind="$((big / 2)) MiB"
		row "LFS server: push $kind (floor: curl PUT)" "lfs-push-$input-dvx" "lfs-push-$input-lfs" "lfs-put-$input" "(no target)" - 0
		row "LFS server: clone $kind (floor: curl GET)" "lfs-clone-$input-dvx" "lfs-clone-$input-lfs" "lfs-get-$input" "(no target)" - 0
		row "LFS server: the same (floor: cp)" "lfs-clone-$input-dvx" "lfs-clone-$input-lfs" "lfs-cp-$input" "(no target)" - 0
		row "LFS server: push $kind, nothing to do" "lfs-nothing-$input-dvx" "lfs-nothing-$input-lfs" "" "(no target)" - 0
	done
	for kind in dvx ${lfs:+lfs}; do
		echo "    $kind as client: $(cat "$work/added-$kind") bytes added to the store by an edit of 10,007 bytes; peak memory of the client $(cat "$work/rss-$kind") MiB, of the server $(cat "$work/rss-server-$kind") MiB"
	done
	rm -rf "$work"/l-*
}
