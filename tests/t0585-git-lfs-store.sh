#!/bin/bash
# shellcheck disable=SC2034
test_description='git-dvx by the name of git-lfs: prune, fsck and dedup, beside the real one on copies of one repository'
. "$(dirname "$0")/lib.sh"
skip_all_unless GITLFS "the peer is Debian's git-lfs"

real=$(command -v git-lfs)
mkdir "$TRASH/bin" && ln -s "$(command -v git-dvx)" "$TRASH/bin/git-lfs"
# ours COMMAND...: `git lfs` is git-dvx; real COMMAND...: it is Debian's.
ours() { (PATH=$TRASH/bin:$PATH && export PATH && "$@"); }
object() { git cat-file blob "$1" | sed -n 's/^oid sha256://p'; } # of a path in a revision: "HEAD:a.bin"
has() { test -f ".git/lfs/objects/$(echo "$1" | cut -c1-2)/$(echo "$1" | cut -c3-4)/$1"; }
on_day() { GIT_AUTHOR_DATE="$(($(date +%s) - $1 * 86400)) +0000" GIT_COMMITTER_DATE="$(($(date +%s) - $1 * 86400)) +0000" git commit -q -m "$2"; }

# Versions 60, 40 and 5 days old, a staged one, a stashed one, one in another worktree, one only a reflog has, one of nobody.
test_expect_success 'setup: objects that are needed for each of the reasons' '
	"$real" install && git init -q --bare remote.git && git init -q repo && (
		cd repo && git lfs install --local && git config lfs.locksverify false && git lfs track "*.bin" &&
		git remote add origin "file://$TRASH/remote.git" &&
		random_file a.bin 100K old && git add . && on_day 60 old && git tag old &&
		random_file a.bin 100K middle && git add . && on_day 40 middle && git tag middle &&
		random_file a.bin 100K now && git add . && on_day 5 now &&
		git push -q origin main old middle && git lfs push --all origin &&
		git branch gone && git checkout -q gone && random_file r.bin 90K reflog && git add . && on_day 50 reflog &&
		git checkout -q main && git branch -D gone &&
		random_file s.bin 80K stash && git add s.bin && git stash -q &&
		git worktree add -q ../other middle && (cd ../other && random_file o.bin 70K other && git add o.bin) &&
		random_file t.bin 60K staged && git add t.bin &&
		head -c 50000 /dev/urandom | git lfs clean >nobody &&
		random_file u.bin 90K unpushed && git add u.bin && git branch u && git commit -q -m unpushed
	)
'

names() {
	old=$(object old:a.bin) middle=$(object middle:a.bin) now=$(object HEAD:a.bin) unpushed=$(object HEAD:u.bin)
	reflog=$(git log -g --format=%H | while read -r c; do ! git cat-file -e "$c:r.bin" 2>/dev/null || { object "$c:r.bin" && break; }; done)
	stash=$(object "stash@{0}:s.bin") staged=$(object HEAD:t.bin) other=$(cd ../other && object :o.bin) nobody=$(sed -n "s/^oid sha256://p" nobody)
}

test_expect_success 'prune --dry-run deletes nothing, and says what prune then deletes' '
	(
		cd repo && names && ours git lfs prune --dry-run --verbose >out && grep "files would be pruned" out && has $old && has $nobody &&
		grep "$old" out && grep "$nobody" out && ! grep "$now" out && rm out
	)
'

test_expect_success 'prune keeps what is needed for any reason, and recent' '
	(
		cd repo && names && ours git lfs prune >out && grep "^prune: .* local objects, .* retained, done" out && grep "Deleting objects: 100%" out && rm out &&
		! has $old && ! has $nobody &&
		has $now && has $unpushed && has $stash && has $staged && has $other && has $reflog && has $middle
	)
'

test_expect_success 'what was pruned comes back from the remote' '
	(cd repo && ours git lfs fetch --all origin && names && has $old && "$real" fsck old)
'

test_expect_success 'prune --recent takes recent versions, too; --force even the current one, and it can be had again' '
	git clone -q "file://$TRASH/remote.git" clone && (
		cd clone && git lfs fetch --all && old=$(object old:a.bin) now=$(object HEAD:a.bin) &&
		ours git lfs prune --recent && ! has $old && has $now &&
		ours git lfs prune --force && ! has $now && rm a.bin && ours git lfs pull && has $now && test -z "$(git status --porcelain)"
	)
'

test_expect_success 'what the remote has lost is not pruned: --verify-remote halts, without it it is kept and named' '
	git clone -q "file://$TRASH/remote.git" clone2 && (
		cd clone2 && git lfs fetch --all && old=$(object old:a.bin) middle=$(object middle:a.bin) &&
		f=$(find ../remote.git/lfs/objects -name "$old") && mv "$f" saved &&
		test_must_fail ours git lfs prune --verify-remote --recent 2>err && grep "could not be verified" err && has $old && has $middle &&
		ours git lfs prune --recent >out && grep "1 of them kept" out && has $old && ! has $middle && mv saved "$f"
	)
'

# break_it: a plain file where a pointer should be, and a flipped byte (in a file of its own: stores share files by links).
break_it() {
	local f
	f=$(object HEAD:a.bin) && f=$(echo .git/lfs/objects/*/*/"$f") && cp "$f" x && chmod u+w x && printf X | dd of=x conv=notrunc bs=1 seek=9 2>/dev/null &&
	mv -f x "$f" && printf plain >b.bin && blob=$(git hash-object -w --no-filters b.bin) &&
	git update-index --add --cacheinfo 100644,$blob,b.bin && git commit -q --no-verify -m plain
}
masked() { sed "s/[0-9a-f]\{40\}/ID/g; s|$TRASH/f[12]|DIR|" "$1" | sort; }

test_expect_success 'fsck says what Git LFS says, moves what is corrupt, and exits alike' '
	git clone -q "file://$TRASH/remote.git" f1 && (cd f1 && git lfs fetch --all) && cp -a f1 f2 && (cd f1 && break_it) && (cd f2 && break_it) &&
	{ (cd f1 && "$real" fsck >../theirs 2>&1); test $? = 1; } && { (cd f2 && ours git lfs fsck >../ours 2>&1); test $? = 1; } &&
	masked theirs >t1 && masked ours >t2 && test_cmp t1 t2 && ls f1/.git/lfs/bad >t1 && ls f2/.git/lfs/bad >t2 && test_cmp t1 t2 && test -s t1
'

test_expect_success 'fsck of a sound repository, a revision, a range' '
	git clone -q "file://$TRASH/remote.git" sound && (
		cd sound && git lfs fetch --all && ours git lfs fsck >out && grep "^Git LFS fsck OK$" out &&
		ours git lfs fsck old && ours git lfs fsck old..main && ours git lfs fsck --pointers && ours git lfs fsck --objects
	)
'

cat >dedup.sh <<'END'
git init -q d && cd d && git lfs install --local && git lfs track "*.bin" && head -c 8000000 /dev/urandom >a.bin &&
git add . && git commit -q -m a && cat a.bin >x && cat x >a.bin && rm x && touch -d '1 hour ago' a.bin && git update-index -q --refresh &&
stat -c "%i %y" a.bin >before && sync -f . && PATH=$1:$PATH && git lfs dedup --test && git lfs dedup >out && cat out && grep "1 files" out &&
stat -c "%i %y" a.bin >after && cmp before after &&
sync -f . && filefrag -v a.bin >map && grep -q shared map && test -z "$(git status --porcelain -- a.bin)"
END
test_expect_success REFLINK 'dedup lets work tree and store share their blocks' '
	on_fs btrfs bash "$TRASH/dedup.sh" "$TRASH/bin"
'

test_expect_success 'dedup with extensions: it says so' '
	(
		cd sound && git config lfs.extension.x.clean cat && git config lfs.extension.x.smudge cat && git config lfs.extension.x.priority 0 &&
		{ ours git lfs dedup 2>err; test $? = 2; } && grep -i "extensions are" err
	)
'

test_done
