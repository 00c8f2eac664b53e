# shellcheck shell=sh disable=SC2154
# For tests of the client of Git LFS servers: to be read after servers-lib.sh and transfer-lib.sh.

# start_quirks [NAME]: the server of tests/tools/lfs-server.py at $QUIRK_ENDPOINT/lfs.
start_quirks() {
	dvx_server_start lfs-quirks.sh "${1:-quirks}" && : >"$QUIRK_DIR/log"
}

# quirk LINE...: from now on; without arguments it is honest again.  quirk_log counts from here.
quirk() {
	: >"$QUIRK_DIR/quirks.new"
	[ $# = 0 ] || printf '%s\n' "$@" >"$QUIRK_DIR/quirks.new"
	mv "$QUIRK_DIR/quirks.new" "$QUIRK_DIR/quirks" && quirk_mark
}
quirk_mark() {
	quirk_mark=$(wc -l <"$QUIRK_DIR/log")
}
# quirk_log [REGEX]: the requests since, as JSON, that match (grep -E).
quirk_log() {
	tail -n +$((${quirk_mark:-0} + 1)) "$QUIRK_DIR/log" | grep -E "${1:-.}"
}
quirk_requests() {
	quirk_log "${1:-.}" | wc -l
}

# lfs_repo NAME [URL]: a repository whose Git LFS server that is; not patient.
lfs_repo() {
	git init -q "$1" && lfs_server "$1" "${2:-$QUIRK_ENDPOINT/lfs}"
}
# lfs_server REPO URL
lfs_server() {
	git -C "$1" config remote.origin.url "$TRASH/none.git" && git -C "$1" config lfs.url "$2" &&
		git -C "$1" config dvx.retries 2 && git -C "$1" config dvx.stallSeconds 2
}

# serve_objects REPO REQUESTS: the server has the objects of REPO; as if they had been pushed.
serve_objects() {
	while read -r so_oid _; do
		cp "$(object_path "$1" "$so_oid")" "$QUIRK_DIR/objects/$so_oid" || return 1
	done <"$2"
}

# nothing_wrong REPO: what is in its store is what it is called.
nothing_wrong() {
	find "$1/.git/lfs/objects" -type f 2>/dev/null | while read -r nw_path; do
		[ "$(oid_of "$nw_path")" = "$(basename "$nw_path")" ] || { echo "bad: $nw_path"; exit 1; }
	done
}
