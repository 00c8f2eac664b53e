#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx gc keeps what rarer references of Git reach'
. "$(dirname "$0")/lib.sh"

# data NAME SEED: a large and a small file, their ids in SEED.oids.
data() {
	random_file "$1.bin" 100K "$2" && random_file "$1.small.bin" 900 "s$2" &&
	sha256sum "$1.bin" "$1.small.bin" | cut -d" " -f1 >"$TRASH/$2.oids"
}
in_packs() {
	perl -e 'my $id = pack("H*", shift); for (@ARGV) { local $/; open(my $f, "<:raw", $_) or next; exit 0 if index(<$f>, $id) >= 0 } exit 1' \
		"$1" "$store"/dvx/packs/*.pack
}
here() {
	store=$(git rev-parse --path-format=absolute --git-common-dir)
	for seed do while read -r oid; do
		test -e "$store/lfs/objects/$(echo "$oid" | cut -c1-2)/$(echo "$oid" | cut -c3-4)/$oid" || in_packs "$oid" ||
			{ echo "$seed: $oid is gone"; return 1; }
	done <"$TRASH/$seed.oids"; done
}

test_expect_success 'a commit that another replaces' '
	dvx_repo replaced && cd replaced && git dvx track "*.bin" && data d base && git add -A && git commit -q -m base && data d hidden && git commit -q -a -m hidden &&
	hidden=$(git rev-parse HEAD) && data d shown && git commit -q -a --amend -m shown && git replace $hidden HEAD && git reset -q --hard $hidden && rm -rf .git/logs &&
	git dvx gc --prune=now && git replace -d $hidden && git reset -q --hard && here base hidden shown && git dvx fsck -A
'

test_expect_success 'bisecting in another worktree, and refs of its own' '
	cd .. && dvx_repo own && cd own && git dvx track "*.bin" && data d o1 && git add -A && git commit -q -m o1 && git config core.logAllRefUpdates false && rm -rf .git/logs &&
	git worktree add -q --detach ../own-tree && cd ../own-tree && data d o2 && git commit -q -a -m o2 && git update-ref refs/worktree/mine HEAD && git update-ref refs/bisect/bad HEAD &&
	git checkout -q --detach HEAD~1 && data d o3 && git commit -q -a -m o3 && git update-ref refs/rewritten/x HEAD && git checkout -q --detach HEAD~1 && rm -rf ../own/.git/worktrees/own-tree/ORIG_HEAD ../own/.git/logs ../own/.git/worktrees/own-tree/logs &&
	cd ../own && git dvx gc --prune=now && here o1 o2 o3 && cd ../own-tree && git dvx gc --prune=now && here o1 o2 o3
'

test_expect_success 'unborn branch, conflicted index, intent to add' '
	cd .. && dvx_repo unborn && cd unborn && git dvx track "*.bin" && data d u1 && git add -A && git dvx gc --prune=now && here u1 &&
	git commit -q -m x && git checkout -q --orphan other && git rm -rq --cached . && data d u2 && git add -A && git dvx gc --prune=now && here u1 u2 &&
	git checkout -q -f main && git checkout -q -b s1 && data d s1 && git commit -q -am s1 && git checkout -q -b s2 HEAD~1 && data d s2 && git commit -q -am s2 &&
	{ git merge s1 >out 2>&1 || :; } && s1=$(git rev-parse s1) s2=$(git rev-parse s2) && git update-ref --no-deref HEAD main && rm -f .git/MERGE_HEAD .git/ORIG_HEAD .git/AUTO_MERGE && git branch -D -q s1 && git update-ref -d refs/heads/s2 && rm -rf .git/logs &&
	git ls-files -s && : >ita.bin && git add -N ita.bin && git dvx gc --prune=now && here u1 s1 s2
'

test_expect_success 'split index, sparse index' '
	cd .. && dvx_repo split && cd split && git dvx track "*.bin" && mkdir a b && data a/d sp1 && git add -A && git commit -q -m a && git update-index --split-index && data b/d sp2 && git add -A && git dvx gc --prune=now && here sp1 sp2 &&
	git update-index --no-split-index && git commit -q -m b && git sparse-checkout init --cone --sparse-index && git sparse-checkout set a && rm -rf .git/logs && git dvx gc --prune=now && here sp1 sp2
'

test_expect_success 'bare repository' '
	cd .. && git clone -q --bare own bare && cp -r own/.git/lfs bare/lfs && cp -r own/.git/dvx bare/dvx && cd bare && git dvx gc --prune=now && here o1
'

test_expect_success 'a scope: older stashes and the middle of a rebase' '
	cd .. && dvx_repo reb && cd reb && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" && data d r1 && git add -A && git commit -q -m r1 && git checkout -q -b topic && data d r2 && git commit -q -am r2 && data d r3 && git commit -q -am r3 &&
	git checkout -q main && data d r4 && git commit -q -am r4 && git checkout -q topic && { git rebase main >out 2>&1 || :; } && test -d .git/rebase-merge && rm -rf .git/logs && git dvx gc --prune=now && here r1 r2 r3 r4 && git dvx gc -w --prune=now && here r1 r2 r3 r4
'

test_expect_success 'a scope: what a bisection and its ancestors hold needs a copy on the remote, too' '
	cd .. && dvx_repo scope && cd scope && git dvx remote add -d storage "$TRASH/scope-blobs" && git dvx track "*.bin" && data d c1 && git add -A && git commit -q -m c1 &&
	data d c2 && git commit -q -am c2 && data d c3 && git commit -q -am c3 && git update-ref refs/bisect/bad HEAD && git reset -q --hard HEAD~2 && rm -rf .git/logs &&
	git worktree add -q --detach ../scope-tree && cd ../scope-tree && git dvx gc --prune=now && here c1 c2 c3 && git dvx gc -w --prune=now && here c1 c2 c3
'

test_expect_success STRACE 'a stash between the reading of refs and of the index' '
	cd .. && dvx_repo moved && cd moved && git dvx track "*.bin" && data d m1 && git add -A && git commit -q -m m1 && data d m2 && git add -A && rm -rf .git/logs &&
	mkdir ../slow && real=$(command -v git) && cat >../slow/git <<-EOF && chmod +x ../slow/git &&
	#!/bin/sh
	case "\$*" in
	rev-list*--all*--indexed-objects*) exec strace -f -qq -o "$TRASH/slowed" -P .git/index -P "$PWD/.git/index" -e trace=openat -e inject=openat:delay_enter="\$SLOW" "$real" "\$@" ;;
	esac
	exec "$real" "\$@"
	EOF
	for seconds in 2 8 32 128; do # a stash that took longer does not count
		rm -f "$TRASH/slowed" && { SLOW=${seconds}000000 PATH="$TRASH/slow:$PATH" git-dvx gc --prune=now >out 2>&1 & } && while ! test -s "$TRASH/slowed" && kill -0 $!; do sleep 0.05; done &&
		git stash -q && { late=0; ! grep objects out || late=1; } && wait $! && cat out && here m1 m2 && git stash pop -q && git dvx fsck && git add -A && rm -rf .git/logs || return 1
		test $late = 1 || break
	done && test $late = 0
'

test_expect_success 'history that a graft hides' '
	cd .. && dvx_repo grafted && cd grafted && git dvx track "*.bin" && data d g1 && git add -A && git commit -q -m g1 && data d g2 && git commit -q -am g2 && rm -rf .git/logs &&
	mkdir -p .git/info && git rev-parse HEAD >.git/info/grafts && git dvx gc --prune=now 2>err && ! test -s err && rm .git/info/grafts && here g1 g2
'
test_expect_success 'a worktree whose HEAD is damaged, index and reflogs gone: nothing is removed' '
	cd "$TRASH" && dvx_repo headless && cd headless && git dvx track "*.bin" && data d h1 && git add -A && git commit -q -m h1 && git worktree add -q --detach ../headless-tree &&
	cd ../headless-tree && data d h2 && git commit -q -a -m h2 && cd ../headless && own=.git/worktrees/headless-tree && cp $own/HEAD ../head &&
	rm -rf .git/logs $own/logs $own/index $own/ORIG_HEAD &&
	for text in "" "garbage" "ref: "; do
		echo "$text" >$own/HEAD && test_expect_code 128 git dvx gc --prune=now 2>err && grep "worktrees/headless-tree/HEAD" err && here h1 h2 || { cat err; return 1; }
	done && : >$own/HEAD && test_expect_code 128 git dvx gc --prune=now && rm $own/HEAD && test_expect_code 128 git dvx gc --prune=now && here h2 &&
	cp ../head $own/HEAD && git dvx gc --prune=now && here h1 h2 && mkdir .git/worktrees/stray && git dvx gc --prune=now && here h1 h2
'

test_done
