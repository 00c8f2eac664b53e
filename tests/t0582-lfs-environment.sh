#!/bin/sh
test_description='the environment of Git LFS: skipping, progress, switches; git lfs and git dvx read it the same'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/lfs-name-lib.sh"

test_expect_success 'a repository of Git LFS, ours by name' '
	lfs_link && PATH=$TRASH/.lfsbin:$PATH && export PATH && git init -q --bare up.git && git init -q r && cd r &&
	git lfs install && git lfs track "*.bin" && mkdir d && for i in 1 2 3; do seq $i >$i.bin; done && cp 3.bin d/4.bin && seq 5 >>d/4.bin &&
	git add . && git commit -q -m 1 && git remote add origin ../up.git && git push -q origin main && cd ..
'

is_pointer() {
	head -n 1 "$1" | grep -q "^version https://git-lfs"
}

for value in 1 true YES on t; do
	test_expect_success "GIT_LFS_SKIP_SMUDGE=$value" '
		rm -rf c && GIT_LFS_SKIP_SMUDGE=$value git clone -q up.git c && is_pointer c/1.bin && is_pointer c/d/4.bin &&
		git -C c status --short >out && test_must_be_empty out
	'
done

for value in 0 false No off f '' 2 maybe; do
	test_expect_success "GIT_LFS_SKIP_SMUDGE='$value'" '
		rm -rf c && GIT_LFS_SKIP_SMUDGE=$value git clone -q up.git c && seq 1 | cmp - c/1.bin
	'
done

test_expect_success 'install --skip-smudge, and a pull that brings the data' '
	rm -rf c && git lfs install --skip-smudge --skip-repo && git clone -q up.git c && is_pointer c/2.bin &&
	(cd c && git lfs pull && seq 2 | cmp - 2.bin) && git lfs install --skip-repo
'

test_expect_success 'lfs.fetchinclude and lfs.fetchexclude: clone, checkout, pull' '
	rm -rf c && git -c lfs.fetchexclude=d clone -q up.git c && is_pointer c/d/4.bin && seq 1 | cmp - c/1.bin &&
	git -C c status --short >out && test_must_be_empty out &&
	rm -rf c && git -c lfs.fetchinclude="d, 1.bin" clone -q up.git c && is_pointer c/2.bin && seq 1 | cmp - c/1.bin && ! is_pointer c/d/4.bin &&
	git -C c lfs pull && seq 2 | cmp - c/2.bin
'

test_expect_success 'GIT_LFS_SKIP_DOWNLOAD_ERRORS, lfs.skipdownloaderrors' '
	git clone -q --bare up.git poor.git &&
	rm -rf c && GIT_LFS_SKIP_SMUDGE=1 git clone -q poor.git c && cd c && test_expect_code 2 git lfs smudge <1.bin >out 2>err &&
	GIT_LFS_SKIP_DOWNLOAD_ERRORS=1 git lfs smudge <1.bin >out && cmp 1.bin out &&
	git -c lfs.skipdownloaderrors=true lfs smudge <1.bin >out && cmp 1.bin out && cd ..
'

test_expect_success 'GIT_LFS_SKIP_PUSH' '
	cd r && seq 9 >9.bin && git add . && git commit -q -m 9 && GIT_LFS_SKIP_PUSH=on git push -q origin main && cd .. &&
	rm -rf c && git clone -q up.git c 2>err && is_pointer c/9.bin && seq 1 | cmp - c/1.bin &&
	git -C r lfs push origin main && GIT_LFS_SKIP_PUSH=off git -C r lfs push --all origin && git -C c lfs pull && seq 9 | cmp - c/9.bin
'

test_expect_success 'GIT_LFS_PROGRESS: a line for each object' '
	rm -rf c progress && GIT_LFS_PROGRESS=$TRASH/progress git clone -q up.git c && cat progress &&
	grep "^download [1-5]/5 [0-9]*/[0-9]* [0-9d/]*\.bin$" progress >lines && test "$(wc -l <lines)" = 5 &&
	grep "^checkout [1-5]/5 10/10 9.bin\|^checkout [1-5]/5 18/18 9.bin" progress &&
	rm progress && cd r && seq 10 >10.bin && git add . && git commit -q -m 10 && GIT_LFS_PROGRESS=$TRASH/progress git push -q origin main && cd .. &&
	printf "upload 1/1 21/21 10.bin\n" >expect && test_cmp expect progress
'

test_expect_success 'a relative path is none, one that cannot be written is no failure' '
	rm -rf c && GIT_LFS_PROGRESS=progress.txt git clone -q up.git c && ! ls progress.txt c/progress.txt &&
	rm -rf c && GIT_LFS_PROGRESS=/nowhere/progress git clone -q up.git c && seq 9 | cmp - c/9.bin
'

test_expect_success 'GIT_LFS_FORCE_PROGRESS' '
	rm -rf c/.git/lfs/objects && (cd c && GIT_LFS_FORCE_PROGRESS=1 git lfs fetch 2>err && tr "\r" "\n" <err | grep "100%") &&
	rm -rf c/.git/lfs/objects && (cd c && GIT_LFS_FORCE_PROGRESS=false git lfs fetch 2>err && test_must_be_empty err)
'

test_expect_success 'no secret of the environment in env or in a log' '
	cd r && GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="Authorization: hidden-word" git lfs env >out &&
	! grep hidden-word out && test_must_fail git -c http.extraHeader="X: hidden-word" lfs logs boomtown && git lfs logs last >out && grep boomtown out &&
	! grep hidden-word out && test_must_fail git lfs fetch https://user:hidden-word@127.0.0.1:1/r.git nosuch && git lfs logs last >out &&
	grep "git-lfs fetch" out && ! grep hidden-word out && GIT_TOKEN=hidden-word git lfs env >out && ! grep hidden-word out && git remote add web https://user:hidden-word@example.org/r && git lfs env >out && grep "Endpoint (web)" out &&
	! grep hidden-word out
'

test_done
