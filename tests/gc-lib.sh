# shellcheck shell=sh disable=SC2154
# For tests of removal from blob stores: the clock of a directory store is moved by making its files older.

# older DIR SECONDS: everything below was written so much earlier.
older() {
	find "$1" -type f -print0 | perl -0ne 'BEGIN { $by = shift } chomp; my @s = stat or die "$_: $!"; utime($s[8] - $by, $s[9] - $by, $_) or die' "$2"
}

# gc REPO NEEDED [OPTION...]: a run that is told that the requests in NEEDED are all that is needed; its answer also in $TRASH/.gc.
gc() {
	gc_repo=$1 gc_needed=$2
	shift 2
	{ cat "$gc_needed" && echo "done"; } | (cd "$gc_repo" && git-dvx-transfer gc "$@") >"$TRASH/.gc"
	gc_status=$?
	cat "$TRASH/.gc"
	return $gc_status
}

# said KEY: the number in the last answer.
said() {
	sed -n "s/^$1 //p" "$TRASH/.gc"
}

# blobs DIR KIND: how many there are: idx, notice or pack.
blobs() {
	find "$1/fragments" "$1/packs" -name "*.$2" | wc -l
}
