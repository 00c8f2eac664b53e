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
	python3 - "$1" "$2" <<-'END'
	import hashlib, os, sys
	repo, n = sys.argv[1], int(sys.argv[2])
	for i in range(n):
	    data = hashlib.sha512(str(i).encode()).digest() * (1 + i % 16) + b"%d" % i
	    oid = hashlib.sha256(data).hexdigest()
	    path = "%s/.git/lfs/objects/%s/%s/%s" % (repo, oid[:2], oid[2:4], oid)
	    os.makedirs(os.path.dirname(path), exist_ok=True)
	    with open(path, "wb") as f:
	        f.write(data)
	    print(oid, len(data), "-", "small/%d.bin" % i)
	END
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
	(cd "$rb_repo" && git-dvx-transfer batch "$@" "$rb_direction" <"$rb_requests" >"$TRASH/.answers") || rb_status=$?
	grep -v '^progress ' "$TRASH/.answers"
	return "$rb_status"
}

# has_objects REPO REQUESTS: every object can be read from the repository's store (asking again moves nothing), and the whole
# ones are right.
has_objects() {
	hb_n=$(grep -c . "$2") &&
	download "$1" "$2" --remote="$TRASH/no-such-remote" >has.out &&
	test "$(grep -c '^ok .* 0$' has.out)" = "$hb_n" &&
	find "$1/.git/lfs/objects" -type f | while read -r hb_file; do
		test "$(oid_of "$hb_file")" = "$(basename "$hb_file")" || { echo "bad: $hb_file"; exit 1; }
	done
}

# stored_bytes DIR: bytes of all files below.
stored_bytes() {
	find "$1" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'
}

# flip_byte FILE OFFSET: change one byte.
flip_byte() {
	python3 - "$1" "$2" <<-'END'
	import os, sys
	path, at = sys.argv[1], int(sys.argv[2])
	os.chmod(path, 0o644)
	with open(path, "r+b") as f:
	    f.seek(at, 0 if at >= 0 else 2)
	    b = f.read(1)
	    f.seek(at, 0 if at >= 0 else 2)
	    f.write(bytes([b[0] ^ 1]))
	END
}
