#!/bin/sh
test_description='git-dvx-transfer as the standalone agent of Git LFS: directory and S3, dedupe, many small files, damage, kills'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless GITLFS "needs Debian's git-lfs"

# Git LFS splits the arguments at blanks, and our trash directory has some.
stores=$(mktemp -d /tmp/dvx-stores.XXXXXX) || exit 1
trap 'dvx_code=$?; rm -rf "$stores"; stop_servers; (exit "$dvx_code"); die' EXIT

# use_agent REPO STORE
use_agent() {
	git -C "$1" lfs install --local --skip-repo >/dev/null && git -C "$1" config lfs.standalonetransferagent dvx &&
	git -C "$1" config lfs.customtransfer.dvx.path git-dvx-transfer &&
	git -C "$1" config lfs.customtransfer.dvx.args "--store $2"
}
# lfs_work NAME STORE: a repository whose *.bin are Git LFS's, with its hooks, and a bare one beside it.
lfs_work() {
	git init -q --bare "$1.git" && git init -q "$1" && use_agent "$1" "$2" && git -C "$1" lfs install --local >/dev/null &&
	git -C "$1" remote add origin "$TRASH/$1.git" && echo "*.bin filter=lfs diff=lfs merge=lfs -text" >"$1/.gitattributes"
}
# commit_push REPO
commit_push() {
	git -C "$1" add . && git -C "$1" commit -q -m "$(date +%N)" && git -C "$1" push -q origin main
}
# lfs_clone REPO COPY STORE: a clone that gets its data while it is checked out.
lfs_clone() {
	git -c lfs.standalonetransferagent=dvx -c lfs.customtransfer.dvx.path=git-dvx-transfer \
		-c "lfs.customtransfer.dvx.args=--store $3" -c filter.lfs.process="git-lfs filter-process" -c filter.lfs.required=true \
		clone -q "$1.git" "$2" && use_agent "$2" "$3"
}
# same_files A B
same_files() {
	diff -r -x .git "$1" "$2"
}

test_expect_success 'push, clone, fetch and pull through a directory' '
	lfs_work work "$stores/dir" && random_file work/big.bin 20M big && random_file work/small.bin 500 small &&
	: >work/empty.bin && commit_push work && test -s "$stores/dir/format" && test ! -d work.git/lfs/objects &&
	lfs_clone work copy "$stores/dir" && same_files work copy &&
	random_file work/more.bin 300000 more && commit_push work && git -C copy fetch -q && git -C copy lfs fetch origin main &&
	git -C copy pull -q && same_files work copy && git -C copy lfs fsck
'

test_expect_success 'an edit of a large file costs about its chunks, whatever it is called' '
	before=$(stored_bytes "$stores/dir") && random_file patch 10K patch &&
	cp work/big.bin work/another-name.bin && dd if=patch of=work/another-name.bin bs=1M seek=7 conv=notrunc status=none &&
	git -C work rm -q --cached big.bin && rm work/big.bin && commit_push work &&
	after=$(stored_bytes "$stores/dir") && echo "$((after - before)) bytes more" && test $((after - before)) -lt 700000 &&
	lfs_clone work copy2 "$stores/dir" && same_files work copy2
'

test_expect_success '400 small files make few packs, though Git LFS hands them over one by one' '
	lfs_work many "$stores/many" && for i in $(seq 400); do echo "file $i" >"many/$i.bin"; done &&
	commit_push many && packs=$(find "$stores/many/packs" -name "*.pack" | wc -l) && echo "$packs packs" && test "$packs" -le 130 &&
	lfs_clone many many2 "$stores/many" && same_files many many2
'

test_expect_success 'the store may be named as a remote is' '
	lfs_work named storage && git -C named config dvx-remote.storage.url "$stores/named" && random_file named/a.bin 3000 a &&
	commit_push named && test -s "$stores/named/format"
'

test_expect_success 'an object that the store lacks: Git LFS says 404 and our words' '
	rm -rf "$stores/lacks" && cp -r "$stores/dir" "$stores/lacks" && rm -f "$stores/lacks"/fragments/* &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q work.git poor && use_agent poor "$stores/lacks" &&
	test_must_fail git -C poor lfs pull 2>err && cat err && grep "has no object" err
'

test_expect_success 'a damaged pack: no wrong byte gets into the clone' '
	rm -rf "$stores/hurt" && cp -r "$stores/dir" "$stores/hurt" && chmod -R u+w "$stores/hurt" &&
	find "$stores/hurt/packs" -name "*.pack" -size +100k | while read -r p; do flip_byte "$p" 1000 || exit 1; done &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q work.git hurt && use_agent hurt "$stores/hurt" &&
	test_must_fail git -C hurt lfs pull 2>err && cat err && grep -i "damaged\|corrupt\|hash" err &&
	find hurt/.git/lfs/objects -type f | while read -r f; do test "$(oid_of "$f")" = "$(basename "$f")" || exit 1; done &&
	test -z "$(find hurt/.git/lfs/tmp -name "dvx-*" 2>/dev/null)"
'

test_expect_success 'a store that cannot be written to fails the push' '
	lfs_work full "$stores/dir/format/below" && random_file full/a.bin 3000 a && random_file full/b.bin 6M b &&
	git -C full add . && git -C full commit -q -m x && test_must_fail git -C full push -q origin main 2>err && cat err &&
	grep "dir/format" err && test -z "$(find full/.git/dvx -path "*incoming*" -type l)"
'

test_expect_success 'kill -9 in the middle of a push, then again' '
	lfs_work killed "$stores/killed" && for i in $(seq 20); do random_file "killed/$i.bin" 300000 "k$i"; done &&
	random_file killed/large.bin 30M large && git -C killed add . && git -C killed commit -q -m x &&
	for delay in 0.05 0.15 0.3; do
		setsid git -C killed push -q origin main 2>/dev/null & pid=$!
		sleep $delay; kill -9 -- -$pid 2>/dev/null; wait $pid || :
	done &&
	find killed killed.git -name "*.lock" ! -path "*/dvx/*" -delete && # what a killed Git leaves
	git -C killed push -q origin main && lfs_clone killed killed2 "$stores/killed" && same_files killed killed2
'

test_expect_success 'progress of a large file comes while it is on its way' '
	random_file large 60M large && o=$(oid_of large) && git init -q alone &&
	{ echo "{\"event\":\"init\",\"operation\":\"upload\",\"remote\":\"origin\",\"concurrent\":true,\"concurrenttransfers\":8}" &&
	  echo "{\"event\":\"upload\",\"oid\":\"$o\",\"size\":62914560,\"path\":\"$TRASH/large\",\"action\":null}" && echo "{\"event\":\"terminate\"}"; } >in &&
	(cd alone && git-dvx-transfer --store "$stores/alone") <in >out && cat out && test "$(grep -c "\"progress\"" out)" -ge 2 &&
	grep -c "\"complete\"" out &&
	awk -F"[:,}]" "/progress/ { so = \$6; sum += \$8; if (sum != so) exit 1 } END { exit sum != 62914560 }" out
'

if test_have_prereq RGW; then
	test_expect_success 'a bucket' 'start_rgw && new_bucket data'
else
	say "skipping S3: needs Ceph's radosgw"
fi

test_expect_success RGW 'push, clone, fetch and pull through S3, with dedupe' '
	lfs_work s3 s3://data/lfs &&
	export AWS_ENDPOINT_URL="$S3_ENDPOINT" && random_file s3/big.bin 10M s3big && : >s3/empty.bin &&
	for i in $(seq 40); do echo "small $i" >"s3/$i.bin"; done && commit_push s3 &&
	before=$(s3.py sizes data) && cp s3/big.bin s3/big2.bin && dd if=patch of=s3/big2.bin bs=1M seek=3 conv=notrunc status=none &&
	commit_push s3 && after=$(s3.py sizes data) && echo "$((after - before)) bytes more" && test $((after - before)) -lt 700000 &&
	s3.py verify data && lfs_clone s3 s3copy s3://data/lfs && same_files s3 s3copy
'

if test_have_prereq SSHD && start_sshd 2>"$TRASH/.sshd"; then
	test_set_prereq FAR
else
	say "skipping SSH: no SSH server for us: $(cat "$TRASH/.sshd" 2>/dev/null)"
fi

test_expect_success FAR 'push and clone through SSH' '
	store=ssh://$SSH_USER@$SSH_HOST:$SSH_PORT$SSH_FAR_HOME/lfs-store && lfs_work ssh "$store" &&
	random_file ssh/big.bin 5M sshbig && for i in 1 2 3 4 5; do echo "far $i" >"ssh/$i.bin"; done && commit_push ssh &&
	test -s "$SSH_FAR_HOME/lfs-store/format" && lfs_clone ssh sshcopy "$store" && same_files ssh sshcopy
'

test_expect_success RCLONE 'push and clone through rclone' '
	RCLONE_CONFIG=$TRASH/rclone.conf && export RCLONE_CONFIG && printf "[disk]\ntype = local\n" >"$RCLONE_CONFIG" &&
	lfs_work rc "rclone://disk:$stores/rclone" && random_file rc/big.bin 5M rcbig && echo tiny >rc/tiny.bin && commit_push rc &&
	test -d "$stores/rclone/packs" && lfs_clone rc rccopy "rclone://disk:$stores/rclone" && same_files rc rccopy
'

test_done
