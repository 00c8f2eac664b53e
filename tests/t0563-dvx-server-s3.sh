#!/bin/sh
test_description='git-dvx-server: a remote of the repository as store, on S3'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"
skip_all_unless RGW "needs Ceph's radosgw"
skip_all_unless GITLFS "needs Git LFS"

test_expect_success 'a server in front of a bucket, by the name of the remote' '
	start_rgw && new_bucket lfs && git init -q admin && cd admin && s3_remote lfs && start_dvx_server --store storage && cd ..
'

test_expect_success 'Git LFS pushes and clones; the bucket has packs, not objects' '
	git init -q --bare data.git && git init -q data &&
	(
		cd data && git lfs install --local && git lfs track "*.bin" && git config -f .lfsconfig lfs.url "$DVX_SERVER_URL/data" &&
			for n in 1 2 3 4 5 6 7 8 9 10 11 12; do random_file $n.bin 50000 s3-$n || exit; done && random_file large.bin 3M s3-large &&
			git add . .lfsconfig && git commit -qm data && git push -q "$TRASH/data.git" main
	) &&
	stop_dvx_server && s3.py ls lfs >listing && cat listing && test "$(grep -c "\.pack" listing)" -le 3 &&
	(cd admin && restart_dvx_server && git-dvx-transfer fsck) && rm -rf "$DVX_SERVER_STATE/cache" &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q data.git copy && (cd copy && git lfs install --local && git lfs pull) &&
	for f in data/*.bin; do test_cmp_bin $f copy/${f#data/} || return 1; done
'

test_expect_success 'a store that is away: uploads are taken, and brought there later; what only it has waits' '
	kill_gateway && (
		cd data && random_file 13.bin 50000 s3-13 && git add . && git commit -qm more && git push -q "$TRASH/data.git" main
	) &&
	start_gateway && stop_dvx_server && test -z "$(find "$DVX_SERVER_STATE/incoming" -type f)" &&
	rm -rf "$DVX_SERVER_STATE/cache" && (cd admin && restart_dvx_server) &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q data.git again && (cd again && git lfs install --local && git lfs pull) &&
	test_cmp_bin data/13.bin again/13.bin
'

# Git LFS asks for 100 objects in a batch, and then for one after the other; how many of these the server can gather into one
# request to the bucket depends on who is faster.
test_expect_success '600 small files cost the bucket few requests' '
	git init -q --bare many.git && git init -q many &&
	(
		cd many && git lfs install --local && git lfs track "*.bin" && git config -f .lfsconfig lfs.url "$DVX_SERVER_URL/many" &&
			random_file noise 12000000 noise && split -b 20000 -a 3 -d --additional-suffix=.bin noise file && rm noise &&
			git add . .lfsconfig && git commit -qm many && s3_mark && git push -q "$TRASH/many.git" main
	) &&
	stop_dvx_server && n=$(s3_requests) && echo "$n requests of the push" && test "$n" -le 200 &&
	rm -rf "$DVX_SERVER_STATE/cache" && (cd admin && restart_dvx_server) &&
	GIT_LFS_SKIP_SMUDGE=1 git clone -q many.git pulled && s3_mark && (cd pulled && git lfs install --local && git lfs pull) &&
	n=$(s3_requests) && echo "$n requests of the pull" && test "$n" -le 500 && diff -r -x .git many pulled
'

test_done
