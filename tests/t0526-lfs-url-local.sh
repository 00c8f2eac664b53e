#!/bin/bash
# shellcheck disable=SC2034
test_description='lfs.url may be a repository on this machine, as with Git LFS; remote.lfsdefault names a remote'
. "$(dirname "$0")/lib.sh"
skip_all_unless GITLFS "the peer is Debian's git-lfs"

test_expect_success 'setup: the commits go to one repository, the data to another' '
	git init -q --bare commits.git && git init -q --bare data.git && git dvx install && dvx_repo a && cd a &&
	git dvx track "*.bin" && random_file a.bin 200K one && random_file b.bin 3K two && git add -A && git commit -q -m one &&
	git remote add origin "$TRASH/commits.git" && git config lfs.url "file://$TRASH/data.git" && git push -q origin main && cd .. &&
	test -n "$(find data.git/lfs data.git/dvx -type f 2>/dev/null)" && test ! -d commits.git/dvx && test ! -d commits.git/lfs
'

test_expect_success 'a clone gets them from there; Git LFS pushes to the same place, and we read it' '
	git clone -q -c lfs.url="file://$TRASH/data.git" commits.git b && cmp a/b.bin b/b.bin && cmp a/a.bin b/a.bin &&
	git init -q --bare lc.git && git init -q l && (
		cd l && git lfs install --local && git lfs track "*.bin" && random_file l.bin 100K three && git add -A && git commit -q -m l &&
		git remote add origin "$TRASH/lc.git" && git config lfs.url "file://$TRASH/data.git" && git push -q origin main
	) &&
	git clone -q -n lc.git m && (cd m && git config lfs.url "file://$TRASH/data.git" && git dvx init && for d in clean smudge process required; do
		git config filter.lfs.$d "$(git config --global filter.dvx.$d)" || return 1; done &&
	git checkout HEAD -- . && cmp ../l/l.bin l.bin)
'

test_expect_success 'a committed file cannot send data to a place on this machine' '
	git clone -q commits.git c && (cd c && git config -f .lfsconfig lfs.url "file://$TRASH/data.git" && random_file c.bin 90K c && git add -A && git commit -q -m c &&
	test_must_fail git push -q origin main 2>err && grep "lfs.url (set by a committed file)" err)
'

test_expect_success 'remote.lfsdefault, when nothing else says which' '
	git init -q --bare store.git && git init -q d && (cd d && git dvx init && git dvx track "*.bin" && random_file d.bin 90K d && git add -A && git commit -q -m d &&
	git remote add one "$TRASH/commits.git" && git remote add two "$TRASH/store.git" && test_must_fail git dvx push &&
	git config remote.lfsdefault two && git dvx push && test -n "$(find ../store.git/dvx ../store.git/lfs -type f 2>/dev/null)")
'

test_done
