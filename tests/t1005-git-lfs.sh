#!/bin/bash
# shellcheck disable=SC2034
test_description='Git LFS and git-dvx on one repository: both directions, one store'
. "$(dirname "$0")/lib.sh"
skip_all_unless GITLFS "the peer is Debian's git-lfs"

# Two people: Ada uses git-dvx, Ben uses Git LFS; each has a home of their own.
ada() { (export HOME="$TRASH/ada" && cd "$TRASH/$1" && shift && "$@"); }
ben() { (export HOME="$TRASH/ben" && cd "$TRASH/$1" && shift && "$@"); }

test_expect_success 'setup: filter=lfs is run by git-dvx for Ada, by git-lfs for Ben' '
	mkdir ada ben && cp .home/.gitconfig ada/ && cp .home/.gitconfig ben/ &&
	ben . git lfs install --skip-repo && ada . git dvx install &&
	for d in clean smudge process required; do
		ada . git config --global filter.lfs.$d "$(ada . git config --global filter.dvx.$d)" || return 1; done &&
	git init -q --bare remote.git
'

test_expect_success 'Ben starts the repository with Git LFS' '
	git init -q b && ben b git lfs install --local && ben b git lfs track "*.bin" &&
	random_file b/big.bin 5M big1 && random_file b/small.bin 5000 small1 &&
	ben b git add -A && ben b git commit -q -m one && ben b git remote add origin "file://$TRASH/remote.git" && ben b git push -q origin main &&
	(cd b && sha256sum *.bin) >sums1
'

test_expect_success 'Ada clones: the data come from the lfs/objects of the remote' '
	ada . git clone -q "file://$TRASH/remote.git" a && (cd a && sha256sum --quiet -c ../sums1) && ada a is_clean
'

test_expect_success 'Git LFS reads the store that Ada filled: ls-files, fsck, status agree' '
	ada a git dvx ls-files -l >ours && ben a git lfs ls-files -l >theirs && test_cmp theirs ours &&
	ben a git lfs fsck && test -z "$(ben a git status --porcelain)"
'

test_expect_success 'Ada changes and pushes; Ben pulls with Git LFS' '
	random_file a/big.bin 5M big2 && random_file a/small.bin 4000 small2 && random_file a/new.bin 70K new &&
	ada a git add -A && ada a git commit -q -m two && ada a git push -q origin main && (cd a && sha256sum *.bin) >sums2 &&
	ben b git pull -q origin main && (cd b && sha256sum --quiet -c ../sums2) && ben b git lfs fsck && test -z "$(ben b git status --porcelain)"
'

test_expect_success 'Ben changes and pushes; Ada pulls' '
	random_file b/big.bin 6M big3 && ben b git commit -q -a -m three && ben b git push -q origin main &&
	ada a git pull -q origin main && cmp a/big.bin b/big.bin && ada a is_clean
'

test_expect_success 'one clone, both tools in turn: each sees what the other added' '
	random_file a/ada.bin 3000 ada && ada a git add ada.bin && ada a git commit -q -m ada &&
	ben a git lfs ls-files | grep "\* ada.bin" && ben a git lfs fsck &&
	rm a/ada.bin && ben a git -c filter.lfs.process="git-lfs filter-process" checkout -- ada.bin && not_pointer a/ada.bin &&
	random_file a/ben.bin 200K ben && ben a git add ben.bin && ben a git commit -q -m ben &&
	rm a/ben.bin && ada a git checkout -- ben.bin && not_pointer a/ben.bin && test -z "$(ada a git status --porcelain)"
'

test_expect_success 'the same bytes give the same blob, whoever cleans' '
	random_file x 100K x && ada a git-dvx-filter clean <x >p1 && ben b git lfs clean <x >p2 && test_cmp p1 p2
'

test_expect_success 'a Git LFS user reads a repository of git-dvx (filter=lfs in the attributes) from a chunked blob store through the agent' '
	ada a git dvx remote add -d storage "$TRASH/blobs" && ada a git dvx push -A && ada . git clone -q --bare a plain.git && rm -rf plain.git/lfs &&
	GIT_LFS_SKIP_SMUDGE=1 ben . git clone -q plain.git c 2>/dev/null && is_pointer c/big.bin &&
	ben c git config lfs.standalonetransferagent dvx && ben c git config lfs.customtransfer.dvx.path git-dvx-transfer &&
	ben c git config lfs.customtransfer.dvx.args "--store \"$TRASH/blobs\"" && ben c git lfs pull && cmp c/big.bin a/big.bin && cmp c/ada.bin a/ada.bin
'

test_done
