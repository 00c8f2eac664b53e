#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='peak memory of pushes and pulls stays below 256 MiB, whatever is moved'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

test_have_prereq !ASAN || { skip_all='sanitizers use memory of their own'; test_done; }

# LARGE=1: 20 GiB and 1,000,000 objects (needs 35 GB of disk and half an hour).  Sparse data is one chunk for the remote; text does
# not repeat itself, and is compressed to a sixteenth.
sparse=2 lines=60000000 objects=200000 random=600
[ -z "${LARGE:-}" ] || { sparse=20 lines=2000000000 objects=1000000 random=5000; }

# peak WORDS COMMAND...: runs it, prints its peak resident set, and fails when that is above 256 MiB.
peak() {
	pk_words=$1 && shift && /usr/bin/time -f %M -o "$TRASH/rss" "$@" && pk_kib=$(tail -n 1 "$TRASH/rss") &&
	echo "# $pk_words: $((pk_kib >> 10)) MiB" | tee -a "$TRASH/figures" >&2 && test "$pk_kib" -le 262144
}

# moves_within_bounds NAME STORE: what repository NAME was asked to hold (requests.NAME) goes to the store and into a clone.
moves_within_bounds() {
	(cd "$1" && peak "push $1" git-dvx-transfer batch upload <"../requests.$1" >../answers) && tail -n 1 answers | grep -x "done" &&
	test "$(grep -c "^ok " answers)" = "$(grep -c . "requests.$1")" &&
	transfer_repo "$1-clone" "$2" && git -C "$1-clone" config dvx-remote.storage.endpointurl "${S3_ENDPOINT:-}" &&
	(cd "$1-clone" && peak "pull $1" git-dvx-transfer batch download <"../requests.$1" >../answers) && tail -n 1 answers | grep -x "done" &&
	test "$(grep -c "^ok " answers)" = "$(grep -c . "requests.$1")" &&
	(cd "$1" && peak "push $1 again" git-dvx-transfer batch upload <"../requests.$1" >../answers) &&
	test "$(grep -c "^present " answers)" = "$(grep -c . "requests.$1")"
}

test_expect_success "a sparse file of $sparse GiB" '
	transfer_repo sparse "$TRASH/store-sparse" && truncate -s ${sparse}G data && printf x >>data && store_file sparse data >requests.sparse && rm data &&
	moves_within_bounds sparse "$TRASH/store-sparse" && rm -rf sparse sparse-clone store-sparse
'

test_expect_success "text of $((lines / 100000000)).$((lines / 10000000 % 10)) GB that does not repeat itself" '
	transfer_repo text "$TRASH/store-text" && mkdir -p text/.git/lfs/objects && seq 1 $lines >text/.git/data && oid=$(oid_of text/.git/data) &&
	size=$(stat -c %s text/.git/data) && path=$(object_path text "$oid") && mkdir -p "$(dirname "$path")" && mv text/.git/data "$path" &&
	echo "$oid $size - data" >requests.text && moves_within_bounds text "$TRASH/store-text" && stored_bytes store-text &&
	rm -rf text text-clone store-text
'

test_expect_success "$objects objects" '
	transfer_repo many "$TRASH/store-many" && (cd many && store-many $objects) >requests.many &&
	moves_within_bounds many "$TRASH/store-many" && find store-many -type f | wc -l && rm -rf many many-clone store-many
'

# random_moves NAME URL: what cannot be compressed, through a connection.
random_moves() {
	transfer_repo "$1" "$2" && git -C "$1" config dvx-remote.storage.endpointurl "${S3_ENDPOINT:-}" &&
	random_file data $((random * 1048576)) "$1" && store_file "$1" data >"requests.$1" && rm data && moves_within_bounds "$1" "$2" && rm -rf "$1" "$1-clone"
}

test_expect_success RGW "$random MiB of random data through S3" '
	MEMSTORE_BYTES=$((random * 2 * 1048576 + 1073741824)) && export MEMSTORE_BYTES && start_rgw && new_bucket memory &&
	random_moves s3 s3://memory/store && stop_rgw
'

test_expect_success SSHD "$random MiB of random data through SSH" '
	start_sshd && random_moves ssh "ssh://testhost$TRASH/store-ssh" && rm -rf store-ssh
'

cat "$TRASH/figures"

test_done
