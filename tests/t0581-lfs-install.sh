#!/bin/sh
test_description='git lfs install, uninstall, update; hooks; git dvx install --lfs'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/lfs-name-lib.sh"

filter() {
	git config --get-regexp "^filter\.$1\." | sort
}

# A hook as a version of Git LFS writes it.
guard='command -v git-lfs >/dev/null 2>&1 || {'
old_stub() {
	printf '#!/bin/sh\n%s echo >&2 "\\nThis repository is configured for Git LFS but '"'git-lfs'"' was not found on your path. If you no longer wish to use Git LFS, remove this hook by deleting '"'.git/hooks/$1'"'.\\n"; exit 2; }\ngit lfs %s "$@"\n' "$guard" "$1"
}
new_stub() {
	printf '#!/bin/sh\n%s printf >&2 "\\n%%s\\n\\n" "This repository is configured for Git LFS but '"'git-lfs'"' was not found on your path. If you no longer wish to use Git LFS, remove this hook by deleting the '"'$1'"' file in the hooks directory (set by '"'core.hookspath'; usually '.git/hooks'"')."; exit 2; }\ngit lfs %s "$@"\n' "$guard" "$1"
}

test_expect_success 'the name' '
	lfs_link && PATH=$TRASH/.lfsbin:$PATH && export PATH && git init -q r && cd r && git lfs version
'

test_expect_success 'install routes filter=lfs to git-dvx-filter, puts hooks and the mark in place' '
	git lfs install >out && printf "Updated Git hooks.\nGit LFS initialized.\n" >expect && test_cmp expect out &&
	cat >expect <<-\END &&
	filter.lfs.clean git-dvx-filter clean -- %f
	filter.lfs.process git-dvx-filter
	filter.lfs.required true
	filter.lfs.smudge git-dvx-filter smudge -- %f
	END
	filter lfs >out && test_cmp expect out && test -z "$(filter dvx)" &&
	test "$(git config --local lfs.repositoryformatversion)" = 0 &&
	for h in pre-commit pre-push post-checkout post-commit post-merge; do grep "git-dvx hook $h" .git/hooks/$h || return 1; done
'

test_expect_success 'a second time, skipping smudge, and back' '
	git lfs install && git lfs install --skip-smudge && filter lfs >out &&
	grep "^filter.lfs.process git-dvx filter-process --skip$" out && grep "^filter.lfs.smudge git-dvx smudge --skip -- %f$" out &&
	git lfs install && filter lfs >out && grep "^filter.lfs.process git-dvx-filter$" out
'

test_expect_success 'what Git LFS wrote is taken over, what a user wrote is not' '
	git config --global filter.lfs.process "git-lfs filter-process" && git config --global filter.lfs.clean "git-lfs clean -- %f" &&
	git lfs install && filter lfs | grep "process git-dvx-filter" &&
	git config --global filter.lfs.clean mine &&
	test_expect_code 2 git lfs install 2>err && grep "git lfs install --force" err && test "$(git config filter.lfs.clean)" = mine &&
	test_expect_code 128 git dvx install --lfs 2>err && grep "force" err &&
	git lfs install --force && ! filter lfs | grep mine
'

test_expect_success 'scopes' '
	git lfs uninstall --skip-repo && test -z "$(filter lfs)" &&
	git lfs install --local && test -n "$(git config --local filter.lfs.process)" && test -z "$(git config --global filter.lfs.process)" &&
	git lfs uninstall --local && test -z "$(filter lfs)" &&
	git lfs install --worktree && test -n "$(git config --worktree filter.lfs.process)" && git lfs uninstall --worktree &&
	git lfs install --file ../settings --skip-repo && test -n "$(git config --file ../settings filter.lfs.process)" &&
	git lfs uninstall --file ../settings --skip-repo && test -z "$(git config --file ../settings filter.lfs.process)" &&
	test_expect_code 2 git lfs install --local --system &&
	cd .. && test_expect_code 128 git lfs install --local && git lfs install && test -n "$(git config --global filter.lfs.process)" && cd r
'

test_expect_success 'Git LFS'"'"'s own hooks, of any version, give way' '
	git lfs uninstall && test_must_fail ls .git/hooks/pre-push &&
	for h in pre-push post-checkout post-commit post-merge; do old_stub $h >.git/hooks/$h && chmod +x .git/hooks/$h || return 1; done &&
	git lfs install && grep "git-dvx hook pre-push" .git/hooks/pre-push && ! ls .git/hooks/*.old &&
	new_stub pre-push >.git/hooks/pre-push && printf "#!/bin/sh\ngit lfs post-merge \"\$@\"\n" >.git/hooks/post-merge &&
	git lfs update && grep "git-dvx hook pre-push" .git/hooks/pre-push && grep "git-dvx hook" .git/hooks/post-merge &&
	printf "#!/bin/sh\ngit lfs push --stdin \$*\n" >.git/hooks/pre-push && git lfs update && grep "git-dvx hook" .git/hooks/pre-push
'

test_expect_success GITLFS 'those that this git-lfs writes, too' '
	git init -q ../theirs && (cd ../theirs && PATH=${PATH#"$TRASH/.lfsbin:"} git-lfs update) && cp ../theirs/.git/hooks/p*[a-z] .git/hooks/ && rm -f .git/hooks/*.sample &&
	grep "git lfs pre-push" .git/hooks/pre-push && git lfs update && grep "git-dvx hook pre-push" .git/hooks/pre-push
'

test_expect_success 'hooks with anything of a user in them stay' '
	for line in "echo mine" "command -v git-lfs >/dev/null 2>&1 || { echo >&2 \"\$(mine)\"; exit 2; }" \
			"command -v git-lfs >/dev/null 2>&1 || { echo >&2 \"a\"; mine \"b\"; exit 2; }"; do
		printf "#!/bin/sh\n%s\ngit lfs pre-push \"\$@\"\n" "$line" >.git/hooks/pre-push && cp .git/hooks/pre-push before &&
		test_expect_code 2 git lfs install 2>err && grep "Hook already exists: pre-push" err && grep "update --manual" err &&
		test_cmp before .git/hooks/pre-push || return 1
	done &&
	git lfs update --manual >out && grep "Add the following to .*pre-push" out && test_cmp before .git/hooks/pre-push &&
	git lfs install --manual >out && grep "git-dvx hook post-merge" out &&
	git lfs update --force && grep "git-dvx hook" .git/hooks/pre-push && test_cmp before .git/hooks/pre-push.old && rm .git/hooks/pre-push.old
'

test_expect_success 'plain git dvx leaves filter.lfs and the hooks of Git LFS alone' '
	git lfs uninstall && git config --global filter.lfs.process "git-lfs filter-process" && old_stub pre-push >.git/hooks/pre-push &&
	git dvx install 2>err && grep "pre-push" err && grep "git lfs pre-push" .git/hooks/pre-push &&
	test "$(git config filter.lfs.process)" = "git-lfs filter-process" &&
	git dvx uninstall && test "$(git config filter.lfs.process)" = "git-lfs filter-process" && grep "git lfs pre-push" .git/hooks/pre-push
'

test_expect_success 'git dvx install --lfs takes both over, uninstall gives both back' '
	git dvx install --lfs && test "$(git config filter.lfs.process)" = git-dvx-filter && test "$(git config filter.dvx.process)" = git-dvx-filter &&
	grep "git-dvx hook pre-push" .git/hooks/pre-push &&
	git dvx install --lfs --skip-smudge && test "$(git config filter.dvx.process)" = "git-dvx filter-process --skip" &&
	git lfs uninstall >out && grep "kept" out && test -x .git/hooks/pre-push && test -z "$(filter lfs)" &&
	git dvx install --lfs --manual >out && grep "git-dvx hook pre-commit" out &&
	git dvx uninstall && test -z "$(filter lfs)" && test -z "$(filter dvx)" && test_must_fail ls .git/hooks/pre-push
'

# What a user sees who only has a repository of Git LFS.
test_expect_success 'add, push, clone and merge with nothing but git lfs install' '
	git lfs install && git lfs track "*.bin" && seq 1000 >a.bin && git add . && git commit -q -m 1 &&
	git cat-file blob :a.bin | grep "^oid sha256:" && git init -q --bare ../up.git && git remote add origin ../up.git && git push -q origin main &&
	git clone -q ../up.git ../clone && seq 1000 | cmp - ../clone/a.bin &&
	(cd ../clone && git status --short >../status && test_must_be_empty ../status && test_must_fail git config --local lfs.repositoryformatversion) &&
	git -C ../clone lfs ls-files >out && grep "\* a.bin" out
'

test_expect_success 'a configuration that still says git-lfs, and the hooks of Git LFS, work' '
	git config --global filter.lfs.process "git-lfs filter-process" && git config --global filter.lfs.clean "git-lfs clean -- %f" &&
	git config --global filter.lfs.smudge "git-lfs smudge -- %f" &&
	for h in pre-push post-checkout post-commit post-merge; do new_stub $h >.git/hooks/$h || return 1; done &&
	seq 2000 >b.bin && git add b.bin && git commit -q -m 2 && git push -q origin main &&
	git clone -q ../up.git ../clone2 && seq 2000 | cmp - ../clone2/b.bin && git -C ../clone2 status --short >out && test_must_be_empty out &&
	git config --global --unset filter.lfs.process && git checkout -q HEAD^ && test_must_fail ls b.bin &&
	git checkout -q main && seq 2000 | cmp - b.bin && seq 10 >one.bin && git add one.bin && git cat-file blob :one.bin | grep ^oid &&
	git rm -q -f --cached one.bin
'

test_expect_success 'a push without its data is stopped by Git LFS'"'"'s hook, too' '
	seq 3000 >c.bin && git add c.bin && git commit -q -m 3 && rm -r .git/lfs/objects && rm -rf .git/dvx/packs &&
	test_must_fail git push origin main && GIT_LFS_SKIP_PUSH=1 git push -q origin main
'

test_expect_success GITLFS 'back to Git LFS: it finds everything' '
	git -C ../clone2 lfs uninstall && git -C ../clone2 lfs uninstall --local &&
	(PATH=${PATH#"$TRASH/.lfsbin:"} && cd ../clone2 && git-lfs version | grep -v dvx && git lfs install --force && git lfs fsck &&
		rm b.bin && git checkout b.bin && seq 2000 | cmp - b.bin && git lfs ls-files | grep "\* b.bin")
'

test_expect_success 'make install-lfs' '
	test "$(sed -n "/^install-lfs:/,/^$/p" "$dvx_top/Makefile" | grep -c "ln -sf git-dvx")" = 1
'

test_done
