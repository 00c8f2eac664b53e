#!/bin/bash
# shellcheck disable=SC2034
test_description='late rehydration under fire: edits, held locks, kills, missing objects, links: nothing lost, and git dvx checkout completes'
. "$(dirname "$0")/lib.sh"

sums() { find . -name '*.bin' -type f | LC_ALL=C sort | xargs -r sha256sum; }
check() { sums >../actual && test_cmp "../sums$1" ../actual && is_clean; }

# After a fault the status must be right; small files may still be as young as the index, so it may look inside.
check_after() { sums >../actual && test_cmp "../sums$1" ../actual && test -z "$(git status --porcelain)"; }

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "*.bin" &&
	for v in 1 2; do
		for f in a b c d; do random_file $f.bin $((100000 + v)) $f$v || return 1; done &&
		random_file s.bin 2000 s$v && git add -A && git commit -q -m v$v && git tag v$v && sums >../sums$v || return 1
	done
'

test_expect_success 'somebody holds index.lock: pointers stay, the mend is named, and it mends' '
	mv .git/hooks/post-checkout ../hook &&
	printf "#!/bin/sh\n: >.git/index.lock\n" >.git/hooks/post-checkout && chmod +x .git/hooks/post-checkout &&
	git -c dvx.lockWait=200 checkout -q v1 2>../err && mv ../hook .git/hooks/post-checkout &&
	is_pointer a.bin && is_pointer d.bin && grep "git dvx pull\|git dvx checkout" ../err && grep "index.lock" ../err &&
	rm .git/index.lock && test -z "$(git status --porcelain)" && git dvx checkout && check_after 1 && git checkout -q v2 && check 2
'

test_expect_success 'what was left is completed by the next command too (post-checkout hook)' '
	mv .git/hooks/post-checkout ../hook &&
	printf "#!/bin/sh\n: >.git/index.lock\n" >.git/hooks/post-checkout && chmod +x .git/hooks/post-checkout &&
	git -c dvx.lockWait=200 checkout -q v1 2>../err && mv ../hook .git/hooks/post-checkout && rm .git/index.lock &&
	git checkout -q -b anything && check_after 1 && git checkout -q v2 && git branch -q -D anything && check 2
'

test_expect_success STRACE 'a file edited between the look and the swap is not overwritten' '
	printf "#!/bin/sh\nexec strace -f -o \"%s\" -e trace=renameat2 -e inject=renameat2:delay_enter=1500000 git-dvx-filter\n" "$TRASH/trace" >../slow &&
	chmod +x ../slow &&
	{ git -c dvx.jobs=1 -c filter.dvx.process="\"$TRASH/slow\"" checkout -q v1 2>../err & } &&
	pid=$! && while ! test -s ../trace; do kill -0 $pid || break; sleep 0.02; done && sleep 0.3 &&
	for f in a b c d; do echo "my work" >$f.bin; done &&
	wait $pid &&
	test "$(cat a.bin)" = "my work" && test "$(cat d.bin)" = "my work" &&
	test "$(git status --porcelain | sort)" = "$(printf " M %s.bin\n" a b c d)" &&
	git checkout -q -f v2 && check 2
'

test_expect_success STRACE 'a file replaced by another program (rename) is not overwritten' '
	>../trace &&
	{ git -c dvx.jobs=1 -c filter.dvx.process="\"$TRASH/slow\"" checkout -q v1 2>../err & } &&
	pid=$! && while ! test -s ../trace; do kill -0 $pid || break; sleep 0.02; done && sleep 0.3 &&
	for f in a b c d; do echo "my work" >../mine && mv ../mine $f.bin; done &&
	wait $pid && test "$(cat a.bin)" = "my work" && test "$(cat d.bin)" = "my work" &&
	git checkout -q -f v2 && check 2
'

test_expect_success STRACE 'kill -9 at every system call that writes: nothing lost, git dvx checkout completes' '
	writes=write,pwrite64,openat,openat2,rename,renameat,renameat2,unlink,unlinkat,copy_file_range,ftruncate,fchmod,utimensat,mkdir,mkdirat,fsync,flock,link,linkat &&
	k=0 && killed=1 && total=0 &&
	while test $killed = 1; do
		k=$((k + 1)) && git checkout -q -f v2 && rm -f .git/index.lock && check_after 2 || return 1
		printf "#!/bin/sh\nstrace -o \"%s\" -e trace=%s -e inject=%s:signal=KILL:when=%d git-dvx-filter\n" \
			"$TRASH/trace" "$writes" "$writes" $k >../killer && chmod +x ../killer
		git -c dvx.jobs=1 -c filter.dvx.process="\"$TRASH/killer\"" checkout -q v1 2>../err
		killed=0 && grep -q "killed by SIGKILL" ../trace && killed=1 && total=$((total + 1))
		rm -f .git/index.lock
		git -c core.hooksPath=/dev/null checkout -q -f v1 && git dvx checkout >../out 2>&1 ||
			{ echo "after kill $k:"; cat ../out; return 1; }
		check_after 1 || { echo "after kill at call $k:"; tail -n 3 ../trace; git status --short; return 1; }
	done &&
	echo "killed at $total calls" && test $total -gt 20 &&
	git checkout -q v2 && check 2 && find .git/dvx/tmp .git/dvx/pending -type f ! -name "*lock*" >../left && test_must_be_empty ../left
'

test_expect_success 'Ctrl-C: pointers stay, nothing breaks, git dvx checkout completes' '
	printf "#!/bin/sh\ntrap \"\" INT\nexec git-dvx-filter\n" >../nothing && chmod +x ../nothing &&
	{ setsid sh -c "git checkout -q v1" 2>../err & } && pid=$! && { kill -INT -- -$pid 2>/dev/null; wait $pid; rm -f .git/index.lock; } &&
	git checkout -q -f v1 && git dvx checkout && check 1 && git checkout -q v2 && check 2
'

test_expect_success 'a symbolic link in place of a directory is not followed' '
	mkdir -p dir ../outside && random_file dir/x.bin 100K x && git add -A && git commit -q -m dir && git tag v3 && git checkout -q v2 &&
	git checkout -q v3 && echo keep >../outside/x.bin && git cat-file blob :dir/x.bin >../outside/x.bin &&
	cp ../outside/x.bin ../before && rm -r dir && ln -s ../outside dir &&
	{ git dvx checkout dir/x.bin 2>../err || :; } && test_cmp ../before ../outside/x.bin && rm dir && git checkout -q -f v3 && is_clean &&
	git checkout -q v2
'

test_expect_success '500 objects, 3 missing on the remote: 497 files right, 3 pointers, one summary' '
	cd "$TRASH" && git init -q --bare many.git && dvx_repo many && cd many && git remote add origin ../many.git &&
	git dvx remote add -d storage ../many-blobs && git dvx track "d/*" && mkdir d &&
	for i in $(seq 500); do echo "file $i $(seq $i | tail -n 40 | tr "\n" " ")" >d/f$i || return 1; done &&
	for i in 7 8 9; do random_file d/f$i 100K f$i; done &&
	git add -A && git commit -q -m many && sha256sum d/* >../many.sums &&
	for i in 7 8 9; do oid=$(sha256sum <d/f$i | cut -c1-64) && d=.git/lfs/objects/$(echo $oid | cut -c1-2)/$(echo $oid | cut -c3-4) && mkdir -p ../away && mv $d/$oid ../away/ || return 1; done &&
	git -c lfs.allowincompletepush=true push -q origin main &&
	git clone -q ../many.git ../many2 2>../err && cd ../many2 &&
	grep "3 of .* files still are pointers" ../err && grep "d/f7 " ../err && grep "d/f8 " ../err && grep "d/f9 " ../err && grep "git dvx pull" ../err &&
	test $(grep -c "still are pointers" ../err) = 1 &&
	for i in 7 8 9; do is_pointer d/f$i || return 1; done &&
	sha256sum -c ../many.sums 2>/dev/null | grep -c OK >../count && test "$(cat ../count)" = 497 && is_clean &&
	for f in ../away/*; do o=$(basename $f) && d=../many/.git/lfs/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-4) && mv $f $d/ || return 1; done &&
	(cd ../many && git dvx push) && git dvx pull && sha256sum --quiet -c ../many.sums && is_clean
'

test_done
