#!/bin/bash
# shellcheck disable=SC2034
test_description='every Git command that touches the worktree: data right, status clean, no filter needed for that status'
. "$(dirname "$0")/lib.sh"

# Each variant is one kind of repository; the same commands run in all of them.  big.bin comes late, small.bin inline, and
# same.bin has the same size in every version.
make_version() { # N
	random_file big.bin 300K "big$1" && random_file small.bin 3000 "small$1" && random_file same.bin 200K "same$1" &&
		mkdir -p sub/dir && random_file sub/dir/deep.bin $((100000 + $1)) "deep$1" && echo "code $1" >code.txt
}
sums() { (cd "${1:-.}" && find . -name '*.bin' -type f | LC_ALL=C sort | xargs -r sha256sum); }
# Where content goes inline, a large file is as racy as any that Git wrote: the status is right, but may look inside.
is_clean_here() {
	if [ "$(git -C "${1:-.}" config dvx.rehydrate)" = inline ]; then
		test -z "$(git -C "${1:-.}" status --porcelain)"
	else
		is_clean "${1:-.}"
	fi
}
# check TAG [DIR]: the worktree holds the data of v<TAG>, clean.
check() {
	sums "${2:-.}" >"$TRASH/actual" && test_cmp "$TRASH/sums$1" "$TRASH/actual" && is_clean_here "${2:-.}"
}

setup_repo() { # NAME [git init options]
	dvx_repo "$@" && cd "$1" &&
		git dvx track '*.bin' && git add -A && git commit -q -m start && git tag v0 && sums >"$TRASH/sums0" &&
		for v in 1 2 3; do
			make_version $v && git add -A && git commit -q -m "version $v" && git tag v$v && sums >"$TRASH/sums$v" || return 1
		done
}

variant() { # NAME [git init options]
	local name=$1
	shift
	test_expect_success "$name: setup" "setup_repo $name $* && eval \"\${prepare:-:}\""

	test_expect_success "$name: checkout old, back, and nothing at all" '
		git checkout -q v1 && check 1 && git checkout -q v3 && check 3 && git checkout -q v0 && check 0 &&
		git checkout -q main && check 3
	'
	test_expect_success "$name: switch" 'git switch -q --detach v2 && check 2 && git switch -q main && check 3'
	test_expect_success "$name: restore" '
		git restore --source=v1 --worktree --staged . && sums >../actual && test_cmp ../sums1 ../actual &&
		git restore --source=HEAD --worktree --staged . && check 3 &&
		rm big.bin && git restore big.bin && check 3
	'
	test_expect_success "$name: reset --hard" 'git reset -q --hard v1 && check 1 && git reset -q --hard v3 && check 3'
	test_expect_success "$name: reset --hard over a modified file" '
		echo more >>big.bin && git reset -q --hard && check 3
	'
	test_expect_success "$name: stash and pop, sizes differ" '
		random_file big.bin 310K stash && cp big.bin ../keep && git stash -q && check 3 &&
		git stash pop -q && cmp big.bin ../keep && test "$(git status --porcelain)" = " M big.bin" &&
		git checkout -q -- big.bin && check 3
	'
	test_expect_success "$name: stash and pop, the same size: still modified" '
		random_file same.bin 200K stashed && cp same.bin ../keep && git stash -q && check 3 &&
		git stash pop -q && cmp same.bin ../keep && test "$(git status --porcelain)" = " M same.bin" &&
		git diff --quiet -- big.bin && ! git diff --quiet -- same.bin &&
		git checkout -q -- same.bin && check 3
	'
	test_expect_success "$name: stash --include-untracked" '
		random_file new.bin 150K new && cp new.bin ../keep && git stash -q -u && ! test -e new.bin &&
		git stash pop -q && cmp new.bin ../keep && rm new.bin && check 3
	'
	test_expect_success "$name: merge" '
		git checkout -q -b side v1 && random_file side.bin 250K side && git add -A && git commit -q -m side &&
		git checkout -q main && git merge -q -m merged side && not_pointer side.bin && is_clean_here &&
		cp side.bin ../keep && git reset -q --hard v3 && check 3 && git merge -q --no-commit side && cmp side.bin ../keep &&
		git merge --abort && check 3
	'
	test_expect_success "$name: merge with a conflict in a data file" '
		git checkout -q -b other v2 && random_file big.bin 320K other && cp big.bin ../keep && git commit -q -a -m other &&
		test_must_fail git merge -q main 2>/dev/null && git checkout -q --theirs big.bin &&
		git add big.bin && git commit -q -m resolved &&
		grep " ./big.bin" ../sums3 | sha256sum -c && is_clean_here && git checkout -q main && check 3
	'
	test_expect_success "$name: rebase" '
		git checkout -q -b feature v1 && for i in 1 2 3; do
			random_file "f$i.bin" 120K "f$i" && git add -A && git commit -q -m "f$i" || return 1; done &&
		git rebase -q main && not_pointer f1.bin f2.bin f3.bin && is_clean_here &&
		git diff --quiet v3 -- big.bin && grep " ./big.bin" ../sums3 | sha256sum -c
	'
	test_expect_success "$name: rebase -i with autosquash and autostash" '
		random_file f2.bin 130K f2fix && git commit -q -a --fixup HEAD~1 && echo dirty >>code.txt && cp f2.bin ../keep &&
		GIT_SEQUENCE_EDITOR=: git rebase -q -i --autosquash --autostash v3 && cmp f2.bin ../keep &&
		test "$(git status --porcelain)" = " M code.txt" && git checkout -q code.txt && is_clean_here
	'
	test_expect_success "$name: cherry-pick and revert" '
		git checkout -q main && git cherry-pick feature >/dev/null && not_pointer f3.bin && is_clean_here &&
		git revert --no-edit HEAD >/dev/null && ! test -e f3.bin && check 3 && git reset -q --hard v3 &&
		git revert --no-edit v3 >/dev/null && check 2 && git reset -q --hard v3 && check 3
	'
	test_expect_success "$name: bisect" '
		git bisect start v3 v0 >/dev/null && git bisect run sh -c "! cmp -s ../keep2 big.bin" >/dev/null &&
		git bisect reset >/dev/null 2>&1 && check 3
	'
	test_expect_success "$name: worktree add" '
		rm -rf ../wt-$$ && git worktree prune && git worktree add -q ../wt-$$ v1 && check 1 ../wt-$$ && (cd ../wt-$$ && git checkout -q v2) && check 2 ../wt-$$ &&
		git worktree remove --force ../wt-$$ && check 3
	'
	test_expect_success "$name: clone, pull, fetch and submodule" '
		rm -rf ../remote.git ../clone ../super &&
		git init -q --bare '"$*"' ../remote.git && git push -q ../remote.git main --tags &&
		git clone -q ../remote.git ../clone && check 3 ../clone &&
		make_version 4 && git add -A && git commit -q -m four && sums >../sums4 && git push -q ../remote.git main &&
		git -C ../clone pull -q && check 4 ../clone &&
		git init -q '"$*"' ../super && git -C ../super submodule --quiet add ../remote.git inner &&
		check 4 ../super/inner && git -C ../super commit -q -m sub &&
		git -C ../super/inner checkout -q v1 && git -C ../super submodule --quiet update && check 4 ../super/inner &&
		git reset -q --hard v3
	'
	test_expect_success "$name: archive and cat-file --filters have the content" '
		git archive v2 | (mkdir -p ../ar && cd ../ar && tar xf -) && sums ../ar >../actual && test_cmp ../sums2 ../actual &&
		git cat-file --filters v1:big.bin | sha256sum | cut -c1-64 >../a && grep " ./big.bin" ../sums1 | cut -c1-64 >../b &&
		test_cmp ../a ../b && rm -r ../ar
	'
	test_expect_success "$name: checkout -p" '
		yes | git checkout -q -p v1 -- big.bin >/dev/null 2>&1 &&
		grep " ./big.bin" ../sums1 | sha256sum -c && git checkout -q HEAD -- big.bin && check 3
	'
	test_expect_success "$name: checkout-index, read-tree -u, checkout --theirs of paths" '
		rm big.bin && git checkout-index big.bin && git update-index -q --refresh &&
		sums >../actual && test_cmp ../sums3 ../actual && test -z "$(git status --porcelain)" && rm big.bin && git checkout -q big.bin &&
		git read-tree -u -m HEAD v1 && sums >../actual && test_cmp ../sums1 ../actual && git reset -q --hard v3 && check 3
	'
	test_expect_success "$name: switch with a hole: files and directories trade places" '
		git checkout -q -b swap v3 && git rm -q sub/dir/deep.bin && random_file sub 140K sub.bin && mv sub sub.bin &&
		mkdir dir.bin && random_file dir.bin/x.bin 140K x && git add -A && git commit -q -m swap && git checkout -q main &&
		check 3 && git checkout -q swap && not_pointer dir.bin/x.bin sub.bin && is_clean_here && git checkout -q main && check 3
	'
	test_expect_success "$name: fsck finds nothing, the index is sound" 'git fsck --no-progress >../fsck 2>&1 && ! grep -e error -e missing ../fsck && git ls-files -s >/dev/null'
	test_expect_success "$name: leave" 'cd "$TRASH" && rm -rf "'"$name"'" remote.git clone super keep*'
}

test_expect_success 'git dvx install' 'git dvx install && random_file keep2 300K big2'

prepare=
variant plain
prepare='git config index.version 4 && git update-index --index-version 4'
variant index-v4
prepare='git config core.splitIndex true && git update-index --split-index'
variant split-index
prepare='git config index.version 4 && git config core.splitIndex true && git update-index --index-version 4 --split-index'
variant split-v4
prepare=
variant sha256 --object-format=sha256
prepare='git config core.untrackedCache true && git update-index --untracked-cache'
variant untracked-cache
prepare='printf "#!/bin/sh\nprintf \"token\\\\0/\\\\0\"\n" >"$TRASH/fsmonitor-hook" && chmod +x "$TRASH/fsmonitor-hook" &&
	git config core.fsmonitor "$TRASH/fsmonitor-hook" && git config core.fsmonitorHookVersion 2 && git update-index --fsmonitor'
variant fsmonitor
prepare='git config dvx.rehydrate inline'
variant inline
prepare='git config checkout.workers 2 && git config checkout.thresholdForParallelism 0'
variant parallel-checkout

test_expect_success 'sparse-checkout with a sparse index' '
	setup_repo sparse && git sparse-checkout set --cone --sparse-index sub &&
	test -f sub/dir/deep.bin && is_clean_here && git checkout -q v1 && is_clean_here && not_pointer sub/dir/deep.bin &&
	git checkout -q main && git sparse-checkout set --cone --sparse-index && ! test -e sub && is_clean_here &&
	git checkout -q v1 && is_clean_here && git sparse-checkout disable && check 1 && git checkout -q main && check 3 && cd "$TRASH"
'

test_expect_success 'rebase --exec with dvx.rehydrate=inline sees data' '
	cd sparse && git checkout -q -b ex v1 && random_file e.bin 150K e && cp e.bin ../e.bin && git add -A && git commit -q -m e &&
	git -c dvx.rehydrate=inline rebase -q --exec "cmp e.bin ../e.bin" main && test -z "$(git status --porcelain)" && cd "$TRASH"
'

test_done
