#!/bin/bash
# shellcheck disable=SC2034
test_description='git-dvx-transfer when calls into the system fail: push, pull and checkout lose nothing acknowledged, say why, and complete the next time'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/faults-lib.sh"

transfer=git-dvx-transfer

# --- push to a directory -----------------------------------------------------------------------------------------

# remote_has_all: a repository without any object can get every one.
remote_has_all() {
	rm -rf ../check/.git/lfs ../check/.git/dvx &&
		(cd ../check && git-dvx-transfer batch download <../requests >../answers) && test "$(grep -c "^ok " ../answers)" = "$(grep -c . ../requests)" &&
		whole_objects_good ../check/.git/lfs/objects
}

prepare_push() { rm -rf ../blobs .git/dvx/remotes ../remote.git/refs/heads/main .git/refs/remotes ../remote.git/dvx ../remote.git/lfs; }
act_push() { git push -q origin main; }
judge_push() {
	whole_objects_good ../blobs && no_temporaries ../blobs/tmp || return 1
	if [ "$code" = 0 ]; then
		case $fault:$struck in EIO:fsync* | usual:fsync*) echo "durability failed unnoticed"; return 1 ;; esac
		remote_has_all
	else
		! git -C ../remote.git rev-parse -q --verify main || { echo "the reference moved"; return 1; }
	fi
}
again_push() {
	[ "$code" = 0 ] || { git push -q origin main && whole_objects_good ../blobs && remote_has_all; }
}

# The second version, after a push of the first.
prepare_push_next() { prepare_push && cp -a ../blobs.first ../blobs; }
act_push_next() { act_push; }
judge_push_next() { judge_push; }
again_push_next() { again_push; }

test_expect_success 'setup' '
	git init -q --bare remote.git && git init -q check && dvx_repo repo && cd repo && git remote add origin ../remote.git &&
	git dvx remote add -d storage "$TRASH/blobs" && git -C ../check config dvx.remote storage && git -C ../check config dvx-remote.storage.url "$TRASH/blobs" &&
	git dvx track "*.bin" && random_file large.bin 400001 large && random_file one.bin 900 one && random_file two.bin 30000 two && git add -A && git commit -q -m v1 &&
	git push -q origin main && cp -a ../blobs ../blobs.first && git tag v1 && { cat large.bin; echo more; } >l && mv l large.bin &&
	random_file two.bin 33000 two2 && git add -A && git commit -q -m v2 && git tag v2 &&
	for v in v1 v2; do for f in large one two; do git cat-file blob $v:$f.bin | sed -n "s/^oid sha256://p; s/^size //p" | paste -sd " "; done; done |
		sort -u | sed "s/$/ - file/" >../requests && test "$(grep -c . ../requests)" = 5
'
test_expect_success 'push, each call with its usual error' 'sweep push $transfer io usual'
test_expect_success 'push, each allocation' 'sweep push $transfer alloc ENOMEM'
test_expect_success 'push, interrupted reads and writes' 'sweep push $transfer read,receive,write,send,copy,fsync EINTR'
test_expect_success 'push, half of each read and write' 'sweep push $transfer read,receive,write,send,copy short'
test_expect_success 'push, a disk that stays full' 'sweep push $transfer create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'push fails when something cannot be flushed' 'sweep push $transfer fsync EIO'
test_expect_success 'push, killed at each call that writes' 'sweep push $transfer $writes KILL'
test_expect_success 'push of a next version, each call with its usual error' 'sweep push_next $transfer io usual'
test_expect_success 'the pre-push hook, each call with its usual error' 'sweep push git-dvx io usual'
test_expect_success 'the pre-push hook, each question to Git that is not heard' 'sweep push git-dvx send EIO'
test_expect_success 'the pre-push hook, each allocation' 'sweep push git-dvx alloc ENOMEM'

# --- push to a local Git repository that Git LFS is used with: whole objects beside it ------------------------------

beside_has_all() {
	rm -rf ../beside/.git/lfs ../beside/.git/dvx &&
		(cd ../beside && git-dvx-transfer batch --git-remote=origin download <../requests >../answers) &&
		test "$(grep -c "^ok " ../answers)" = "$(grep -c . ../requests)" && whole_objects_good ../beside/.git/lfs/objects
}
prepare_push_beside() { rm -rf ../plain.git/lfs ../plain.git/refs/heads/main .git/refs/remotes && mkdir -p ../plain.git/lfs/objects; }
act_push_beside() { git push -q origin main; }
judge_push_beside() {
	whole_objects_good ../plain.git/lfs/objects && no_temporaries ../plain.git/lfs/tmp || return 1
	if [ "$code" = 0 ]; then
		case $fault:$struck in usual:fsync*) echo "durability failed unnoticed"; return 1 ;; esac
		beside_has_all
	else
		! git -C ../plain.git rev-parse -q --verify main || { echo "the reference moved"; return 1; }
	fi
}
again_push_beside() { [ "$code" = 0 ] || { git push -q origin main && whole_objects_good ../plain.git/lfs/objects && beside_has_all; }; }

test_expect_success 'setup of pushes without a blob remote' '
	cd "$TRASH" && git init -q --bare plain.git && git init -q beside && git -C beside remote add origin ../plain.git && dvx_repo plain && cd plain &&
	git remote add origin ../plain.git && git dvx track "*.bin" && git -C ../repo archive v1 "*.bin" | tar -xf - && git add -A && git commit -q -m v1 &&
	git -C ../repo archive v2 "*.bin" | tar -xf - && git add -A && git commit -q -m v2 &&
	prepare_push_beside && git push -q origin main && beside_has_all && test "$(find ../plain.git/lfs/objects -type f | wc -l)" = 5
'
test_expect_success 'push beside, each call with its usual error' 'sweep push_beside $transfer io usual'
test_expect_success 'push beside, each allocation' 'sweep push_beside $transfer alloc ENOMEM'
test_expect_success 'push beside, a disk that stays full' 'sweep push_beside $transfer create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'push beside, killed at each call that writes' 'sweep push_beside $transfer $writes KILL'

# --- pull --------------------------------------------------------------------------------------------------------

prepare_pull() { rm -rf .git/lfs .git/dvx .git/index.lock *.bin && GIT_LFS_SKIP_SMUDGE=1 git -c core.hooksPath=/dev/null checkout -q -f main && is_pointer large.bin; }
act_pull() { git dvx pull; }
judge_pull() {
	local file
	for file in *.bin; do
		grep -q "^$(sha256sum "$file")$" ../sums2 || is_pointer "$file" || return 1
	done
	whole_objects_good .git/lfs/objects && no_temporaries .git/dvx/tmp .git/lfs/tmp || return 1
	[ "$code" != 0 ] || [ -s "$err" ] || { sha256sum --quiet -c ../sums2 && test -z "$(git status --porcelain)"; }
}
again_pull() {
	rm -f .git/index.lock && git dvx pull && sha256sum --quiet -c ../sums2 && test -z "$(git status --porcelain)" && whole_objects_good .git/lfs/objects
}

# A checkout that has to fetch.
prepare_fetch() { rm -f .git/index.lock && git checkout -q -f v2 && git dvx checkout && rm -rf .git/lfs .git/dvx; }
act_fetch() { git -c core.hooksPath=/dev/null checkout -q v1; }
judge_fetch() {
	local file
	[ "$code" = 0 ] || return 1
	for file in *.bin; do
		grep -q "^$(sha256sum "$file")$" ../sums1 || { is_pointer "$file" && [ -s "$err" ]; } || return 1
	done
	whole_objects_good .git/lfs/objects && no_temporaries .git/dvx/tmp .git/lfs/tmp
}
again_fetch() { git dvx pull && sha256sum --quiet -c ../sums1 && test -z "$(git status --porcelain)" && git dvx fetch v2; }

test_expect_success 'setup of pulls' '
	cd "$TRASH/repo" && prepare_push && git push -q --tags origin main && cd "$TRASH" && git clone -q remote.git clone && cd clone && git checkout -q v1 && sha256sum *.bin >../sums1 &&
	git checkout -q main && sha256sum *.bin >../sums2
'
test_expect_success 'pull, each call of the transfer with its usual error' 'sweep pull $transfer io usual'
test_expect_success 'pull, each allocation of the transfer' 'sweep pull $transfer alloc ENOMEM'
test_expect_success 'pull, interrupted reads and writes' 'sweep pull $transfer read,receive,write,send,copy,fsync EINTR'
test_expect_success 'pull, half of each read and write' 'sweep pull $transfer read,receive,write,send,copy short'
test_expect_success 'pull, a disk that stays full' 'sweep pull $transfer create,write,mkdir,copy,rename,link ENOSPC+'
test_expect_success 'pull, killed at each call that writes' 'sweep pull $transfer,git-dvx $writes KILL'
test_expect_success 'pull, each call of git-dvx with its usual error' 'sweep pull git-dvx io usual'
test_expect_success 'a checkout that fetches, each call of the transfer with its usual error' 'sweep fetch $transfer io usual'
test_done
