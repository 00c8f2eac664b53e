#!/bin/bash
# shellcheck disable=SC2034
test_description='where there is no Git LFS, git dvx install makes its repositories work, with no other word'
. "$(dirname "$0")/lib.sh"

# All programs of the system but git-lfs.
mkdir "$TRASH/programs" && for p in /bin/* /usr/bin/* /usr/sbin/*; do
	[ "${p##*/}" = git-lfs ] || ln -sf "$p" "$TRASH/programs/"
done
PATH=$(dirname "$(command -v git-dvx)"):$TRASH/programs
export PATH
! command -v git-lfs || { skip_all="git-lfs lies beside git-dvx"; test_done; }

test_expect_success 'install says so, once' '
	git dvx install >out && grep "also for filter=lfs, since there is no Git LFS" out && test "$(git config --global filter.lfs.required)" = true &&
	git dvx install >out && ! grep "no Git LFS" out
'

test_expect_success 'a repository of Git LFS: add, push, clone, with no other setting' '
	git init -q --bare up.git && mkdir up.git/lfs up.git/lfs/objects && git init -q a && (
		cd a && printf "%s\n" "*.bin filter=lfs diff=lfs merge=lfs -text" >.gitattributes && random_file a.bin 200K one && random_file b.bin 3000 two &&
		git add -A && git commit -q -m one && git cat-file blob :a.bin | grep "^oid sha256" && git remote add origin ../up.git && git push -q origin main
	) &&
	test $(find up.git/lfs/objects -type f | wc -l) = 2 && git clone -q up.git b && cmp a/a.bin b/a.bin && cmp a/b.bin b/b.bin && cd b && is_clean
'

test_expect_success 'uninstall takes it back' '
	git dvx uninstall && test_must_fail git config --global filter.lfs.clean
'

test_done
