#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx gc: the local store'
. "$(dirname "$0")/lib.sh"

rounds=${DVX_KILL_ROUNDS:-15}

# data NAME SEED: a large file NAME.bin and a small one NAME.small.bin, their ids in NAME.oids.
data() {
	random_file "$1.bin" 100K "$2" && random_file "$1.small.bin" 900 "s$2" &&
	sha256sum "$1.bin" "$1.small.bin" | cut -d" " -f1 >"$TRASH/$2.oids"
}

# here SEED..., gone SEED...: its objects are in the store; none of them is.
has_object() {
	test -e ".git/lfs/objects/$(echo "$1" | cut -c1-2)/$(echo "$1" | cut -c3-4)/$1" || in_packs "$1"
}
in_packs() {
	perl -e 'my $id = pack("H*", shift); for (@ARGV) { local $/; open(my $f, "<:raw", $_) or next; exit 0 if index(<$f>, $id) >= 0 } exit 1' \
		"$1" "$(git rev-parse --git-common-dir)"/dvx/packs/*.pack
}
here() {
	for seed do while read -r oid; do has_object "$oid" || { echo "$seed: $oid is gone"; return 1; }; done <"$TRASH/$seed.oids"; done
}
gone() {
	for seed do while read -r oid; do ! has_object "$oid" || { echo "$seed: $oid is still here"; return 1; }; done <"$TRASH/$seed.oids"; done
}
# old: everything in the store was stored four weeks ago; what a gc has removed by now is not made again (-c).
old() {
	find .git/lfs/objects .git/dvx/packs -type f -exec touch -c -d "4 weeks ago" {} +
}

test_expect_success 'setup: one object for each kind of reference' '
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" &&
	data d branch1 && git add -A && git commit -q -m one && data d branch2 && git commit -q -a -m two &&
	git checkout -q -b other && data d other && git commit -q -a -m other && git checkout -q main &&
	git checkout -q --detach && data d tag && git commit -q -a -m tagged && git tag -a -m t v1 && git checkout -q main &&
	data d stash1 && git stash -q && data d stash2 && git stash -q &&
	data d reflog && git commit -q -a -m dropped && git reset -q --hard HEAD~1 &&
	git worktree add -q --detach ../tree && (cd ../tree && data d treehead && git commit -q -a -m "in the tree" && data d treeindex && git add -A) &&
	data note note && blob=$(git hash-object -w --stdin -t blob <<-EOF
	version https://git-lfs.github.com/spec/v1
	oid sha256:$(head -n 1 "$TRASH/note.oids")
	size 102400
	EOF
	) && git add note.bin note.small.bin && git rm -q -f --cached note.bin note.small.bin && git notes add -C "$blob" HEAD && head -n 1 "$TRASH/note.oids" >n && mv n "$TRASH/note.oids" &&
	data d staged && git add -A && data d garbage && git add -A && git show :d.bin >/dev/null && data d staged && git add -A
'

test_expect_success 'nothing young is removed, and nothing that is referred to' '
	git dvx gc >out && here branch1 branch2 other tag stash1 stash2 reflog treehead treeindex note staged garbage && grep "younger than 2 weeks" out
'

test_expect_success 'what nothing refers to goes when it is old; a dry run only says so' '
	old && git dvx gc --dry-run >out && grep "would be removed" out && here garbage &&
	git dvx gc --no-prune && here garbage &&
	git dvx gc --prune=never && here garbage && test_expect_code 129 git dvx gc --prune=gibberish 2>err && test "$(wc -l <err)" = 1 && here garbage &&
	git dvx gc --json >out && json out "j[\"local\"][\"removed\"] >= 2 and j[\"local\"][\"freed_bytes\"] > 100000" && gone garbage &&
	here branch1 branch2 other tag stash1 stash2 reflog treehead treeindex note staged && git dvx fsck -A
'

test_expect_success 'small packs are merged, and all is still readable' '
	for i in 1 2 3; do random_file p$i.bin 500 p$i && git add p$i.bin && git dvx gc --no-prune >out || return 1; done &&
	test "$(ls .git/dvx/packs/*.pack | wc -l)" -le 2 && git dvx fsck && git rm -q --cached -f p?.bin && rm -f p?.bin
'

test_expect_success 'a scope without a remote copy removes nothing' '
	git dvx gc -w --json >out && here branch1 other tag && json out "j[\"local\"][\"not_on_remote\"] > 0"
'

test_expect_success 'a scope with copies on the remote: only older versions go' '
	git dvx push -A && git dvx gc -a -T >out && here branch2 other tag stash1 stash2 reflog treehead treeindex note staged && gone branch1 &&
	git dvx gc -T && here tag stash1 stash2 reflog treehead treeindex staged && gone other &&
	git dvx gc -w && here branch2 stash1 stash2 reflog treehead treeindex staged && gone tag &&
	git dvx fetch -A && here branch1 other tag
'

test_expect_success 'a copy whose pack is gone or short now does not count' '
	git dvx gc -A && mv "$TRASH/blobs/packs" "$TRASH/away" && mkdir "$TRASH/blobs/packs" && git dvx gc -w >out && here branch1 other tag &&
	grep "not on .storage.: kept; run .git dvx push -A." out && rm -rf "$TRASH/blobs/packs" && cp -r "$TRASH/away" "$TRASH/blobs/packs" &&
	for p in "$TRASH"/blobs/packs/*/*.pack; do chmod u+w "$p" && truncate -s -1 "$p" || return 1; done && git dvx gc -w && here branch1 other tag &&
	rm -rf "$TRASH/blobs/packs" && mv "$TRASH/away" "$TRASH/blobs/packs" && git dvx gc -w >out && gone branch1 other tag
'

flip_packs() {
	for p in "$TRASH"/blobs/packs/*/*.pack; do
		chmod u+w "$p" && perl -e 'open(my $f, "+<:raw", shift) or die; for (my $at = 200; $at < -s $f; $at += 256) { seek($f, $at, 0); read($f, my $c, 1); seek($f, $at, 0); print $f chr(ord($c) ^ 1) }' "$p" || return 1
	done
}

test_expect_success 'a copy with flipped bytes does not count: kept, counted and named, unless --quick is said' '
	git dvx fetch -A && cp -r "$TRASH/blobs/packs" "$TRASH/away" && flip_packs && git dvx gc -w >out && here branch1 other tag &&
	grep "objects could not be read whole from .storage.: kept; .git dvx fsck --remote --repair." out && grep "^  d.bin ($(head -n 1 "$TRASH/branch1.oids"))$" out &&
	git dvx gc -w --json >out && here branch1 other tag && json out "len(j[\"local\"][\"damaged_on_remote\"]) >= 6 and j[\"local\"][\"removed\"] == 0" &&
	git dvx gc -w --quick --dry-run >out && grep "would be removed" out &&
	chmod -R u+w "$TRASH/blobs/packs" && rm -rf "$TRASH/blobs/packs" && mv "$TRASH/away" "$TRASH/blobs/packs" && git dvx gc -w && gone branch1 other tag
'

test_expect_success 'a remote that cannot be asked: kept, and said' '
	git dvx fetch -A && git dvx gc -w -r "$TRASH/nowhere" >out && here branch1 other tag && git dvx gc -w -r "nosuch://x" >out && here branch1 other tag && grep "could not be asked" out
'

test_expect_success 'from another worktree, nothing else is needed' '
	(cd ../tree && git dvx gc && git dvx gc -w --prune=now) && here branch2 stash1 stash2 reflog treehead treeindex staged
'

test_expect_success 'a merge under way, a rebase, an old stash, a journal' '
	git init -q ../under && cd ../under && git dvx init && git dvx track "*.bin" && data d base && git add -A && git commit -q -m base &&
	git checkout -q -b side && data d side && git commit -q -a -m side && git checkout -q main && data d mine && git commit -q -a -m mine &&
	{ git merge side >out 2>&1 || :; } && git branch -q -D side && rm -rf .git/logs && test -e .git/MERGE_HEAD && git dvx gc --prune=now && here base side mine && git merge --abort &&
	git dvx gc --prune=now && here base mine && git gc -q --prune=now && git dvx gc --prune=now && gone side
'

test_expect_success 'a broken ref, an index that is being written: nothing is removed' '
	data d lost && git add -A && git reset -q --hard && mkdir -p .git/refs/heads && echo 1234567890123456789012345678901234567890 >.git/refs/heads/broken &&
	test_expect_code 128 git dvx gc --prune=now && here lost && rm .git/refs/heads/broken && : >.git/index.lock &&
	test_expect_code 128 git dvx gc --prune=now 2>err && grep "index.lock" err && here lost && rm .git/index.lock && git dvx gc --prune=now && gone lost
'

test_expect_success 'lfs.storage outside of the repository is not touched' '
	git config lfs.storage "$TRASH/shared" && data d shared && git add -A && git reset -q --hard && git dvx gc --prune=now >out && grep "lfs.storage" out &&
	test -e "$TRASH/shared/objects/$(cut -c1-2 <"$TRASH/shared.oids" | head -n 1)" && git config --unset lfs.storage
'

test_expect_success 'an alternate is not touched' '
	git clone -q --shared . ../borrower && cd ../borrower && git dvx gc --prune=now && cd ../under && here mine && git dvx fsck
'

test_expect_success 'what is added again while a clean-up is at it is kept' '
	cd ../repo && git reset -q --hard && git dvx gc --prune=now && cp .git/index saved &&
	for i in $(seq 30); do
		random_file again.bin 80K "again$((i % 2))" && random_file again.small.bin 700 "agains$((i % 2))" && old &&
		git add again.bin again.small.bin & git dvx gc --prune=now >gc.out 2>&1; wait $! && git dvx fsck --objects >fsck.out || { cat gc.out fsck.out; return 1; }
		git rm -q --cached again.bin again.small.bin || return 1
	done
'

test_expect_success "killed $rounds times: nothing that is needed is lost, and the next run completes" '
	rm -f again*.bin && for i in $(seq 40); do random_file k$i.bin $((i * 50)) k$i; done && random_file kl.bin 2M kl && git add -A && git commit -q -m many &&
	for r in $(seq $rounds); do
		random_file waste.bin 3000 "w$r" && git add waste.bin && random_file waste.bin 300K "v$r" && git add waste.bin && git rm -q --cached waste.bin &&
		{ git-dvx gc --prune=now >gc.out 2>&1 & } && pid=$! && sleep "0.0$((r * 7 % 10))" && kill -9 $pid 2>/dev/null; wait $pid
		git dvx fsck >fsck.out || { cat fsck.out; return 1; }
	done && git dvx gc --prune=now && git dvx fsck && test "$(ls .git/dvx/packs | grep -c pack)" -le 2
'

test_expect_success 'stale temporary files go' '
	: >.git/dvx/packs/gc-abcdef && : >.git/lfs/tmp/dvx-abcdef && touch -d "2 days ago" .git/dvx/packs/gc-abcdef .git/lfs/tmp/dvx-abcdef && sleep 0.1 &&
	git dvx gc && test -e .git/lfs/objects
'

test_expect_success 'usage' '
	test_expect_code 129 git dvx gc extra && test_expect_code 129 git dvx gc --grace=5 &&
	for grace in x 5m "" 9999999999; do test_expect_code 129 git dvx gc --remote --grace="$grace" >out 2>err && test_must_be_empty out && grep "seconds" err || return 1; done && git dvx gc -h | grep prune
'

test_done
