#!/bin/sh
test_description='a local Git repository as remote: its blob store, its lfs/objects, its own packs'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"

# First a bare repository that nobody uses Git LFS with: a blob store in dvx/.
contract_new() {
	git init -q --bare "$TRASH/remotes/$1.git" && echo "$TRASH/remotes/$1.git"
}

remote_contract_objects

test_expect_success 'the blobs are in dvx/, nothing is in lfs/' '
	test -e remotes/main.git/dvx/format && test -n "$(find remotes/main.git/dvx/packs -name "*.pack")" &&
	test ! -e remotes/main.git/lfs
'

# Then one where Git LFS is in use: the same again.
contract_new() {
	git init -q --bare "$TRASH/lfs/$1.git" && mkdir -p "$TRASH/lfs/$1.git/lfs/objects" && echo "$TRASH/lfs/$1.git"
}
rm -rf origin clone dry partial other writer? reader
remote_contract_objects

test_expect_success 'every object is a whole file in lfs/objects, nothing is in dvx/' '
	test ! -e lfs/main.git/dvx/format && while read -r oid rest; do
		case $oid in $(oid_of bad.bin)|$(oid_of bad.small)) continue ;; esac
		f=lfs/main.git/lfs/objects/$(echo $oid | cut -c1-2)/$(echo $oid | cut -c3-4)/$oid &&
		test "$(oid_of "$f")" = $oid || exit 1
	done <requests
'

test_expect_success 'large files are linked, not copied, in both directions' '
	f=$(oid_of file.3000000) &&
	test "$(stat -c %h "$(object_path origin $f)")" -gt 1 && test "$(stat -c %h "$(object_path clone $f)")" -gt 1
'

test_expect_success 'lfs.storage of the remote repository is honoured' '
	git init -q --bare stored.git && git -C stored.git config lfs.storage "$TRASH/elsewhere" && mkdir -p elsewhere/objects &&
	transfer_repo stored "$TRASH/stored.git" && random_file s1 200000 s1 && store_file stored s1 >r-s1 && upload stored r-s1 &&
	test "$(find elsewhere/objects -type f | wc -l)" = 1 && transfer_repo stored2 "$TRASH/stored.git" && download stored2 r-s1 &&
	has_objects stored2 r-s1
'

test_expect_success 'this repository keeps small objects whole: lfs/objects is made' '
	git init -q --bare fresh.git && transfer_repo whole "$TRASH/fresh.git" && git -C whole config dvx.smallObjects whole &&
	random_file w1 500 w1 && store_file whole w1 >r-w1 && upload whole r-w1 &&
	test "$(find fresh.git/lfs/objects -type f | wc -l)" = 1 && test ! -e fresh.git/dvx/format
'

test_expect_success 'a clone of a working repository that never pushed gets small and large objects' '
	transfer_repo maker "$TRASH/main-of-maker" && many_files maker 50 >r-own && store_file maker file.3000000 >>r-own &&
	transfer_repo maker2 "$TRASH/maker/.git" && download maker2 r-own && has_objects maker2 r-own &&
	test -n "$(find maker2/.git/dvx/packs -name "*.pack")" && rm -rf maker3 &&
	transfer_repo maker3 "$TRASH/maker2" && download maker3 r-own && has_objects maker3 r-own
'

test_expect_success 'a file:// remote of Git is used without any configuration' '
	git init -q --bare plain.git && git init -q plain && git -C plain remote add origin "file://$TRASH/plain.git" &&
	store_file plain w1 >r-w1 && upload plain r-w1 >out && head -n 1 out | grep "^remote origin$" &&
	git init -q plain2 && git -C plain2 remote add origin "file://$TRASH/plain.git" && download plain2 r-w1 && has_objects plain2 r-w1
'

test_expect_success 'a damaged whole object there fails by name, unless the blobs have it' '
	git init -q --bare hurt.git && transfer_repo hurt "$TRASH/hurt.git" && random_file h1 300000 h1 && store_file hurt h1 >r-h1 &&
	upload hurt r-h1 && o=$(oid_of h1) && d=hurt.git/lfs/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-4) && mkdir -p "$d" &&
	cp h1 "$d/$o" && flip_byte "$d/$o" 77 && transfer_repo hurt2 "$TRASH/hurt.git" && download hurt2 r-h1 && has_objects hurt2 r-h1 &&
	rm -rf hurt.git/dvx && transfer_repo hurt3 "$TRASH/hurt.git" && test_expect_code 1 download hurt3 r-h1 >out &&
	grep "^error $o corrupt .*h1.*hurt.git/lfs/objects" out
'

test_done
