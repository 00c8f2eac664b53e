#!/bin/sh
test_description='lockable files: read-only unless locked, through checkout, merge, commit, lock and unlock; git status stays quiet'
. "$(dirname "$0")/lib.sh"

# mode MODE FILE...: each has it.
mode() {
	dvx_want=$1
	shift
	for dvx_file do
		test "$(stat -c %a "$dvx_file")" = "$dvx_want" || { ls -l "$dvx_file"; return 1; }
	done
}
# age FILE...: hours old, so that Git has no reason to look inside.
age() {
	touch -d "2 hours ago" "$@"
}

test_expect_success 'setup' '
	git init -q --bare origin.git && dvx_repo repo && cd "$TRASH/repo" && git remote add origin ../origin.git && mkdir d &&
	random_file a.psd 300K a && random_file d/small.psd 100 s && random_file d/b.psd 200K b && echo text >plain.txt && : >empty.psd && age empty.psd &&
	git dvx track "*.psd" && git add -A && git commit -qm one && git push -q origin main && is_clean
'

test_expect_success 'track --lockable writes the attribute and takes the write permission; Git stays content without a filter' '
	cd "$TRASH/repo" && mode 644 a.psd d/b.psd && git dvx track --lockable "*.psd" && grep -x "\*.psd filter=dvx diff=dvx merge=dvx -text lockable" .gitattributes &&
	mode 444 a.psd d/b.psd d/small.psd empty.psd && mode 644 plain.txt && git commit -qam lockable && is_clean &&
	git dvx track >../out && grep "\*.psd \[lockable\] (.gitattributes)" ../out && git dvx track --json | jq -e ".patterns[0].lockable" && git push -q origin main
'

test_expect_success 'track again changes nothing; --not-lockable undoes it, with the files' '
	cd "$TRASH/repo" && cp .gitattributes ../before && git dvx track "*.psd" && git dvx track -l "*.psd" && test_cmp ../before .gitattributes &&
	git dvx track --not-lockable "*.psd" && grep -x "\*.psd filter=dvx diff=dvx merge=dvx -text" .gitattributes && mode 644 a.psd d/b.psd d/small.psd &&
	git checkout -q .gitattributes && git dvx track -d --not-lockable "*.psd" && test_cmp ../before .gitattributes && git dvx track -l "*.psd" && mode 444 a.psd && is_clean
'

test_expect_success 'lock and unlock on a local remote, from a directory' '
	cd "$TRASH/repo" && (cd d && git dvx lock b.psd small.psd) && mode 644 d/b.psd d/small.psd && mode 444 a.psd && is_clean && git dvx locks >../out && grep "^d/b.psd *.$(id -un).ID:" ../out &&
	git dvx unlock d/small.psd && mode 444 d/small.psd && mode 644 d/b.psd && is_clean
'

test_expect_success 'branches: what is locked stays writable, what is not does not become so' '
	cd "$TRASH/repo" && git checkout -q -b two && echo more >>d/b.psd && chmod u+w a.psd && echo more >>a.psd && git commit -qam two && mode 444 a.psd && mode 644 d/b.psd && age a.psd d/b.psd && git status &&
	git checkout -q main && mode 444 a.psd d/small.psd && mode 644 d/b.psd plain.txt && not_pointer a.psd d/b.psd && sleep 1 && is_clean &&
	git checkout -q two && mode 444 a.psd && mode 644 d/b.psd && sleep 1 && is_clean && git checkout -q main
'

test_expect_success 'merges: forward, real, squashed' '
	cd "$TRASH/repo" && git branch keep && git merge -q two && mode 444 a.psd && mode 644 d/b.psd && not_pointer a.psd && git reset -q --hard keep && echo x >>plain.txt && git commit -qam x &&
	git merge -q two && mode 444 a.psd && git reset -q --hard HEAD^ && git merge -q --squash two && mode 444 a.psd && mode 644 d/b.psd && git commit -qm squash && mode 444 a.psd && sleep 1 && is_clean
'

test_expect_success 'a file that is committed for the first time' '
	cd "$TRASH/repo" && random_file new.psd 70K new && git add new.psd && mode 644 new.psd && git commit -qm new && mode 444 new.psd && is_clean
'

test_expect_success 'single files, deleted files, git dvx checkout' '
	cd "$TRASH/repo" && rm a.psd && git checkout -q a.psd && mode 444 a.psd && not_pointer a.psd && rm a.psd d/small.psd d/b.psd && git dvx checkout && mode 444 a.psd d/small.psd && mode 644 d/b.psd && not_pointer a.psd d/small.psd &&
	git push -q origin main && sleep 1 && is_clean
'

test_expect_success 'a clone: pointers first, data later' '
	cd "$TRASH" && GIT_LFS_SKIP_SMUDGE=1 git clone -q origin.git clone && cd clone && git dvx init -q && git dvx pull && mode 444 a.psd d/b.psd d/small.psd && not_pointer a.psd &&
	git dvx lock a.psd && mode 644 a.psd && git dvx unlock a.psd && mode 444 a.psd && age empty.psd && git status && is_clean
'

test_expect_success 'attributes that change with the branch concern all files' '
	cd "$TRASH/repo" && git checkout -q -b free && sed "s/ lockable//" .gitattributes >x && mv x .gitattributes && git commit -qam free && chmod u+w a.psd && git checkout -q main && mode 444 a.psd
'

test_expect_success 'attributes of a directory, of the repository, of the user' '
	cd "$TRASH" && dvx_repo places && cd places && mkdir sub && for f in a.x sub/a.y a.z a.w; do echo 1 >$f || return; done && echo "*.y lockable" >sub/.gitattributes &&
	git add -A && git commit -qm one && mode 444 sub/a.y && mode 644 a.x a.z a.w && echo "*.z lockable" >.git/info/attributes && mkdir -p "$XDG_CONFIG_HOME/git" &&
	echo "*.w lockable" >"$XDG_CONFIG_HOME/git/attributes" && git dvx hook post-checkout 0 0 0 && mode 444 sub/a.y a.z a.w && mode 644 a.x && rm "$XDG_CONFIG_HOME/git/attributes" &&
	chmod u+w a.z a.w sub/a.y && git rm -q --cached sub/.gitattributes && rm sub/.gitattributes && git dvx hook post-checkout 0 0 0 && mode 444 a.z && mode 644 a.w sub/a.y
'

test_expect_success 'turned off by setting and environment' '
	cd "$TRASH/repo" && git dvx unlock d/b.psd && git config lfs.setlockablereadonly false && git checkout -q keep && git checkout -q main && mode 644 a.psd && git config --unset lfs.setlockablereadonly &&
	git checkout -q keep && mode 444 a.psd && GIT_LFS_SET_LOCKABLE_READONLY=0 git checkout -q main && mode 644 a.psd && git checkout -q keep && git checkout -q main && mode 444 a.psd
'

test_expect_success 'links are not followed, and nothing outside changes' '
	cd "$TRASH/repo" && echo outside >../outside.psd && mkdir ../elsewhere && echo outside >../elsewhere/b.psd && rm -f a.psd && ln -s ../outside.psd a.psd && mv d ../d.away && ln -s ../elsewhere d &&
	git -c core.hooksPath=/dev/null commit -q --allow-empty -m links && git dvx hook post-checkout 0 0 0 && mode 644 ../outside.psd ../elsewhere/b.psd &&
	git dvx track --lockable "*.psd" && mode 644 ../outside.psd ../elsewhere/b.psd && rm a.psd d && mv ../d.away d && git checkout -q a.psd && mode 444 a.psd
'

test_expect_success 'dvx.link=hardlink: a locked file has bytes of its own' '
	cd "$TRASH/repo" && git config dvx.link hardlink && rm a.psd && git dvx checkout && test "$(stat -c %h a.psd)" -gt 1 && mode 444 a.psd && git dvx lock a.psd && mode 644 a.psd && test "$(stat -c %h a.psd)" = 1 &&
	test -z "$(git status --porcelain)" && echo changed >>a.psd && git dvx fsck && git checkout -q a.psd && git dvx unlock a.psd && git config --unset dvx.link
'

test_expect_success 'while the index is locked the modes change all the same' '
	cd "$TRASH/repo" && sleep 1 && git status >/dev/null && : >.git/index.lock && chmod u+w a.psd && git dvx hook post-checkout 0 0 0 && rm .git/index.lock && mode 444 a.psd && test -z "$(git status --porcelain)"
'

test_expect_success STRACE 'without the attribute a hook starts no process and looks at no file' '
	cd "$TRASH" && dvx_repo other && cd other && git dvx track "*.psd" && random_file a.psd 1K a && git add -A && git commit -qm one && c=$(git rev-parse HEAD) &&
	strace -f -qq -e trace=execve,fchmod,chmod,fchmodat -o ../trace git dvx hook post-checkout $c $c 1 && ! grep chmod ../trace && git dvx hook post-commit &&
	strace -f -qq -e trace=execve -o ../trace git-dvx hook post-commit && test "$(grep -c "execve.* = 0" ../trace)" = 1
'

test_expect_success STRACE 'with it, only what changed is looked at' '
	cd "$TRASH/repo" && c=$(git rev-parse main) && t=$(git rev-parse main^) && git checkout -q main && strace -f -qq -e trace=execve -o ../trace git dvx hook post-checkout $t $c 1 && grep diff-tree ../trace && ! grep ls-files ../trace
'

test_done
