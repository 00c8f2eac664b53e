# shellcheck shell=sh disable=SC2154
# For tests of git-dvx-transfer by itself: repositories whose stores are filled by hand, and requests for them.

# transfer_repo NAME REMOTE-URL: a repository whose default remote is REMOTE-URL (called 'storage').
transfer_repo() {
	git init -q "$1" &&
	git -C "$1" config dvx.remote storage &&
	git -C "$1" config dvx-remote.storage.url "$2"
}

# oid_of FILE
oid_of() {
	sha256sum <"$1" | cut -d' ' -f1
}

# object_path REPO OID: where a whole object is.
object_path() {
	echo "$1/.git/lfs/objects/$(echo "$2" | cut -c1-2)/$(echo "$2" | cut -c3-4)/$2"
}

# store_file REPO FILE [BASE-OID]: put the file into the repository's store, print its request line.
store_file() {
	sf_oid=$(oid_of "$2") && sf_path=$(object_path "$1" "$sf_oid") &&
	mkdir -p "$(dirname "$sf_path")" && cp "$2" "$sf_path" &&
	printf '%s %s %s %s\n' "$sf_oid" "$(wc -c <"$2")" "${3:--}" "$(basename "$2")"
}

# many_files REPO N: N small objects of different lengths, request lines on stdout.
many_files() {
	perl -MDigest::SHA=sha256_hex,sha512 -MFile::Path=make_path -e '
		my ($repo, $n) = @ARGV;
		for my $i (0 .. $n - 1) {
			my $data = sha512($i) x (1 + $i % 16) . $i;
			my $oid = sha256_hex($data);
			my $dir = sprintf("%s/.git/lfs/objects/%s/%s", $repo, substr($oid, 0, 2), substr($oid, 2, 2));
			make_path($dir);
			open(my $f, ">:raw", "$dir/$oid") or die "$dir/$oid: $!";
			print $f $data;
			close($f) or die;
			printf "%s %d - small/%d.bin\n", $oid, length($data), $i;
		}' "$1" "$2"
}

# upload REPO REQUESTS [OPTION...], download REPO REQUESTS [OPTION...]: answers without progress on stdout.
upload() {
	run_batch upload "$@"
}
download() {
	run_batch download "$@"
}
run_batch() {
	rb_direction=$1 rb_repo=$2 rb_requests=$PWD/$3
	[ -e "$rb_requests" ] || rb_requests=$3
	shift 3
	rb_status=0
	(cd "$rb_repo" && git-dvx-transfer batch "$@" "$rb_direction" <"$rb_requests" >"$TRASH/.answers.${rb_repo##*/}") || rb_status=$?
	grep -v '^progress ' "$TRASH/.answers.${rb_repo##*/}"
	return "$rb_status"
}

# has_objects REPO REQUESTS: every object can be read from the repository's store (asking again moves nothing), and the whole
# ones are right.
has_objects() {
	has_objects_quick "$1" "$2" && find "$1/.git/lfs/objects" -type f | while read -r ho_file; do
		test "$(oid_of "$ho_file")" = "$(basename "$ho_file")" || { echo "bad: $ho_file"; exit 1; }
	done
}
has_objects_quick() {
	(cd "$1" && git-dvx-transfer batch download --remote="$TRASH/no-such-remote") <"$2" |
		awk '/^ok .* 0$/ { n++ } END { exit n != wanted }' wanted="$(grep -c . "$2")"
}

# stored_bytes DIR: bytes of all files below.
stored_bytes() {
	find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

# flip_byte FILE OFFSET: change one byte.
flip_byte() {
	chmod u+w "$1" && perl -e '
		my ($path, $at) = @ARGV;
		open(my $f, "+<:raw", $path) or die "$path: $!";
		seek($f, $at, 0) && read($f, my $byte, 1) == 1 or die "$path: no byte $at";
		seek($f, $at, 0) && print $f chr(ord($byte) ^ 1);
		close($f) or die;' "$1" "$2"
}
