#!/bin/bash
# shellcheck disable=SC2034
test_description='One repository used alternately by Git LFS and git-dvx, through our server: commits, merges, locks'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless GITLFS "the peer is Debian's git-lfs"
skip_all_unless DVXSERVER "needs git-dvx-server (libmicrohttpd-dev)"

# Two people, each with a home: Ada uses git-dvx, Ben Git LFS.
ada() { (export HOME="$TRASH/ada" && cd "$TRASH/a" && "$@"); }
ben() { (export HOME="$TRASH/ben" && cd "$TRASH/b" && "$@"); }
# turn N: whose turn it is, and who waits.
turn() { if [ $(($1 % 2)) = 0 ]; then who=ada me=a you=b tool=dvx; else who=ben me=b you=a tool=lfs; fi; }

test_expect_success 'setup: a server with two accounts, two clones' '
	htpasswd -Bbc -C 4 accounts ada secret-a && htpasswd -Bb -C 4 accounts ben secret-b &&
	start_dvx_server --htpasswd "$TRASH/accounts" && mkdir ada ben &&
	for p in ada ben; do
		cp .home/.gitconfig $p/ && HOME=$TRASH/$p git config --global credential.helper store &&
		printf "%s\n" "$DVX_SERVER_URL" | sed "s|//|//$p:secret-${p%${p#?}}@|" >$p/.git-credentials || return 1
	done &&
	HOME=$TRASH/ada git dvx install && HOME=$TRASH/ben git lfs install --skip-repo &&
	for d in clean smudge process required; do
		HOME=$TRASH/ada git config --global filter.lfs.$d "$(HOME=$TRASH/ada git config --global filter.dvx.$d)" || return 1
	done &&
	git init -q --bare remote.git && git init -q b && (
		cd b && git config -f .lfsconfig lfs.url "$DVX_SERVER_URL/team/project.git/info/lfs" &&
		printf "%s\n" "*.bin filter=lfs diff=lfs merge=lfs -text lockable" >.gitattributes &&
		git remote add origin "$TRASH/remote.git"
	) &&
	for p in ada ben; do
		HOME=$TRASH/$p git config --global lfs.url "$DVX_SERVER_URL/team/project.git/info/lfs" && HOME=$TRASH/$p git config --global lfs.locksverify true || return 1
	done &&
	ben git lfs install --local && random_file b/0.bin 300K 0 && random_file b/small.bin 700 s && ben git add -A &&
	ben git commit -q -m start && ben git push -q origin main &&
	HOME=$TRASH/ada git clone -q remote.git a && cmp a/0.bin b/0.bin && ada is_clean
'

# Twenty commits: each by the other of the two; a new file, a changed one, sometimes a deleted or renamed one.
test_expect_success 'twenty commits in turn, each pulled and checked by the other' '
	for i in $(seq 1 20); do
		turn $i && $who git pull -q --no-rebase origin main && chmod u+w $me/*.bin &&
		random_file $me/$i.bin $((i * 9000)) new$i && random_file $me/0.bin 300K zero$i &&
		{ [ $((i % 5)) != 0 ] || $who git mv $((i - 1)).bin "moved $i.bin"; } &&
		{ [ $((i % 7)) != 0 ] || $who git rm -q -f $((i - 2)).bin; } &&
		$who git add -A && $who git commit -q -m "commit $i by $who" && $who git push -q origin HEAD:main &&
		turn $((i + 1)) && $who git pull -q --no-rebase origin main &&
		(cd a && sha256sum ./*.bin) >sums.a && (cd b && sha256sum ./*.bin) >sums.b && test_cmp sums.a sums.b || return 1
	done &&
	test -z "$(ada git status --porcelain)" && test -z "$(ben git status --porcelain)"
'

test_expect_success 'merges of branches, made by each of them' '
	for i in 1 2 3 4; do
		turn $i && $who git checkout -q -b side$i && random_file $me/side$i.bin 90K side$i && $who git add -A &&
		$who git commit -q -m side$i && $who git checkout -q main && random_file $me/main$i.bin 50K main$i &&
		$who git add -A && $who git commit -q -m main$i && $who git merge -q -m merge$i side$i && $who git push -q origin main side$i &&
		turn $((i + 1)) && $who git pull -q --no-rebase origin main && cmp a/side$i.bin b/side$i.bin && cmp a/main$i.bin b/main$i.bin || return 1
	done &&
	ada is_clean && test -z "$(ben git status --porcelain)"
'

test_expect_success 'locks: who has one can push, the other one is stopped by name' '
	for i in 1 2 3 4; do
		turn $i && $who git $tool lock 0.bin && $who git $tool locks >out && grep 0.bin out && test -w $me/0.bin &&
		owner=$who && random_file $me/0.bin 200K locked$i && $who git commit -q -a -m "locked $i" && $who git push -q origin main &&
		turn $((i + 1)) && $who git pull -q --no-rebase origin main && cmp a/0.bin b/0.bin &&
		$who git $tool locks >out && grep "0.bin.*$owner" out && test ! -w $me/0.bin -o "$(id -u)" = 0 &&
		test_must_fail $who git $tool lock 0.bin && test_must_fail $who git $tool unlock 0.bin &&
		chmod u+w $me/0.bin && random_file $me/0.bin 100K stolen$i && $who git commit -q -a -m stolen &&
		test_must_fail $who git push -q origin main >err 2>&1 && grep 0.bin err && grep "$owner" err &&
		$who git reset -q --hard origin/main && turn $i && $who git $tool unlock 0.bin && $who git $tool locks >out && ! grep 0.bin out || return 1
	done
'

test_expect_success 'at the end both find everything whole, in every commit' '
	ben git lfs fetch --all origin && ada git dvx fetch -A &&
	ben git lfs fsck && ada git dvx fsck -A && ada git lfs fsck && ben git dvx fsck -A &&
	ada git lfs ls-files -l | sort >ls.a && ben git lfs ls-files -l | sort >ls.b && test_cmp ls.a ls.b && test $(wc -l <ls.a) -gt 20 &&
	test $(cd a && git ls-files -s | wc -l) -gt 20 && test $(find a/.git/lfs/objects -type f | wc -l) -gt 50
'

test_expect_success 'the server keeps packs, not a file an object, and they are whole' '
	stop_dvx_server && git init -q check && cd check && git dvx remote add -d store "$DVX_SERVER_STORE" &&
	git fetch -q ../remote.git "refs/*:refs/got/*" && git dvx fsck -A --remote
'

test_done
