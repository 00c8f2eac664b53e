#!/bin/sh
test_description='git-dvx called git-lfs: each verb beside Debian'"'"'s git-lfs, on copies of one repository'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/lfs-name-lib.sh"

skip_all_unless GITLFS 'the original is compared with'

GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_AUTHOR_DATE GIT_COMMITTER_DATE

test_expect_success 'two users' 'lfs_users'

test_expect_success 'the version says what it is' '
	us "git lfs version" >out && grep -E "^git-lfs/3\.[0-9.]+ \(git-dvx [0-9.]+; linux [a-z0-9_]+\)$" out &&
	us "git lfs --version" >again && test_cmp out again
'

# --- before there is anything
both 'git lfs ls-files'
both 'git lfs status'
both 'git lfs status --json'
both 'git lfs track'
both_out 'git lfs fetch'
both_out 'git lfs checkout'
both 'git lfs frobnicate'
both 'git lfs statu'
both_status 'git lfs ls-files --frob'
both_status 'git lfs help frob'
both 'git lfs push'
both 'git lfs pre-push'
both 'git lfs post-checkout'
both 'git lfs post-merge'
both 'git lfs post-commit'

# --- track
both "git lfs track '*.bin'"
both "git lfs track '*.bin'"
both "git lfs track 'd i/*.x' --lockable"
both 'git lfs track a.dat'
both_out 'git lfs track --not-lockable a.dat'
both 'git lfs track ./foo'
both 'git lfs track --lockable a.dat'
both "git lfs track '#h'"
both 'git lfs untrack a.dat nothing'
both 'git lfs untrack'
both_sorted 'cat .gitattributes'
both 'mkdir sub && cd sub && git lfs track "*.q" && git lfs track "*.r"'
both_sorted 'cd sub && git lfs track'
both_sorted 'git lfs track --no-excluded'
both 'echo "*.bin !filter" >>sub/.gitattributes && git lfs track | sed "/tracked/,/excluded/d"'
both_sorted 'git lfs track --json'
both_sorted "git lfs untrack '#h' foo 'd i/*.x'"
both 'rm -r sub && git lfs track --json'
both "git lfs track -v '*.z'"
test_expect_success 'file names and dry runs' '
	us "git lfs track --filename \"x [1].psd\"" && us "tail -n 1 .gitattributes" >us.line &&
	them "git lfs track --filename \"x [1].psd\"" && them "tail -n 1 .gitattributes" >them.line && test_cmp them.line us.line &&
	us "cp .gitattributes ../before && git lfs track --dry-run *.new && cmp .gitattributes ../before"
'

# --- status and ls-files
both 'mkdir d && echo one >one.bin && head -c 3000 /dev/zero >"d/t wo.bin" && git add .'
both 'git lfs status'
both 'git lfs status --json'
both 'git lfs status --porcelain'
both 'git lfs ls-files'
both 'git commit -qm 1 && git tag v1 && git lfs ls-files'
both 'echo plain >plain && git rm -q --cached one.bin && mv one.bin keep.bin && head -c 2500000 /dev/zero >x.bin && git add .'
both 'git lfs status'
both 'git lfs status --porcelain'
both 'git lfs status --json'
both 'git commit -qm 2 && echo more >>x.bin && rm keep.bin && echo new >new.bin && echo Q >>plain && git lfs status'
both 'cd d && git lfs status && git lfs status --porcelain'
both 'git lfs status --json'
both 'git lfs ls-files'
both 'git lfs ls-files -l'
both 'git lfs ls-files -s -n'
both 'git lfs ls-files --debug'
both 'git lfs ls-files --json'
both 'git lfs ls-files v1'
both 'git lfs ls-files v1 HEAD'
both 'git lfs ls-files HEAD v1'
both_sorted 'git lfs ls-files --all'
both_sorted 'git lfs ls-files --deleted v1'
both "git lfs ls-files -I d"
both "git lfs ls-files -X 'd/*' -s"
both_status 'git lfs ls-files nope'
both 'git lfs ls-files -a v1'
both 'git reset -q --hard && git clean -fdq && echo Q >>plain && git mv x.bin y.bin && git rm -q "d/t wo.bin" && git lfs status && git lfs status --json'
both 'git lfs status --porcelain'
both 'git reset -q --hard && git lfs status && git status --short'

# --- pointer
both 'git lfs pointer --file=keep.bin'
both 'git lfs pointer --file=keep.bin 2>/dev/null >../p && git lfs pointer --file keep.bin --pointer ../p'
both 'git lfs pointer --file keep.bin --stdin <../p'
both 'git lfs pointer --check --file ../p'
both 'git lfs pointer --check --strict --file ../p'
both 'git lfs pointer --check --stdin <../p'
both 'git lfs pointer --check --file keep.bin'
both 'echo >>../p && git lfs pointer --check --strict --file ../p'
both_status 'git lfs pointer --check'
both_status 'git lfs pointer --check --file ../nothing'
both_status 'git lfs pointer --file ../nothing'
both_status 'git lfs pointer'
both_status 'git lfs pointer --check --strict --no-strict --file ../p'
both_out 'git lfs pointer --file keep.bin --pointer plain'

# --- transfers
both_status 'git lfs push nowhere main'
both_status 'git lfs fetch nowhere'
both_sorted 'git remote add origin ../up.git && git lfs push --dry-run origin main'
both_sorted 'git lfs push --dry-run --all origin'
both 'git lfs push origin'
both_status 'git lfs push origin main'
test_expect_success 'the last line of a push' '
	us "git lfs push origin main" >out && grep -E "^Uploading LFS objects: 100% \(3/3\), 0 B \| [0-9.]+ [KMG]?B/s, done\.$" out
'
both_status 'git push -q origin main v1'
both 'git branch -q -u origin/main && git lfs status'
both 'echo 3 >>x.bin && git commit -qam 3 && git lfs status'
both 'git lfs push --dry-run origin main'
both_status 'git push -q origin main'
both 'git lfs push --object-id origin'
both_status 'git lfs push --object-id origin 1234'
both 'echo main | git lfs push --dry-run origin --stdin'
both_status 'rm -r .git/lfs/objects && rm x.bin && git lfs checkout'
both 'head -1 x.bin'
both 'git lfs fetch'
both 'git lfs fetch'
both 'git lfs checkout x.bin && tail -c 2 x.bin'
both 'git lfs ls-files'
both 'git lfs checkout nothing'
both 'rm -r .git/lfs/objects && git lfs fetch origin main v1'
both 'git lfs fetch --all'
both 'git lfs fetch --all -I x'
both 'git lfs fetch --all --recent'
both_status 'git lfs fetch origin nope'
both 'rm -r .git/lfs/objects && git lfs fetch -I keep.bin'
both 'git lfs fetch -X keep.bin'
both 'git -c lfs.fetchinclude=nothing lfs fetch'
both 'rm keep.bin && git lfs pull && cat keep.bin'
both_status 'git lfs pull nowhere'
both_status 'git lfs pull origin'
# two branches, one of them young
young="$(date +%s) +0000"
export young
both 'git checkout -q -b young v1 && echo y >young.bin && git add . && GIT_COMMITTER_DATE=$young git commit -qm y && git checkout -q main'
both_sorted 'git lfs fetch --recent'
both_sorted 'git -c lfs.fetchrecentrefsdays=0 -c lfs.fetchrecentcommitsdays=3 lfs fetch --recent'
both_sorted 'git -c lfs.fetchrecentalways=true lfs fetch'
test_expect_success 'what 3.7 added to fetch' '
	us "git status --short" >out && test_must_be_empty out &&
	us "rm -r .git/lfs/objects && git lfs fetch --dry-run" >out && grep "^fetch [0-9a-f]\{64\} => keep.bin$" out &&
	us "git lfs ls-files -d" >out && ! grep "download: true" out &&
	us "git lfs fetch --json" >out 2>err && grep "\"name\": \"keep.bin\"" out && ! grep Fetching out &&
	us "git lfs ls-files -d" >out && ! grep "download: false" out
'
test_expect_success 'fetch --refetch mends what is damaged here' '
	us "f=\$(ls .git/lfs/objects/2c/8b/*) && chmod u+w \$f && echo xxx >\$f" &&
	us "git lfs fetch" && test_must_fail us "git lfs fsck --objects --dry-run" &&
	us "git lfs fetch --refetch" && us "git lfs fsck --objects"
'
test_expect_success 'clone' '
	repo=. &&
	them "git lfs clone -q up.git c" && us "git lfs clone -q up.git c" &&
	them "cd c && git lfs ls-files" >them.out && us "cd c && git lfs ls-files" >us.out && test_cmp them.out us.out &&
	us "git lfs clone -q -I keep.bin up.git one && cd one && git lfs ls-files && git status --short" >out &&
	grep "\* keep.bin" out && grep -- "- x.bin" out && ! grep "^ M" out
'
repo=r

# --- conflicts
both 'git lfs track "*.txt" && seq 5 >a.txt && git add . && git commit -qm a && git checkout -qb o && { seq 4; echo five; } >a.txt && git commit -qam b'
both 'git checkout -q main && { echo one; seq 2 5; } >a.txt && git commit -qam c'
both_status 'git merge -q o'
both 'git lfs checkout --to ../base --base a.txt && cat ../base'
both 'mkdir ../ours && git lfs checkout --to ../ours --ours a.txt && cat ../ours'
both 'git lfs checkout --to ../theirs --theirs a.txt && cat ../theirs'
both 'git lfs checkout --theirs a.txt'
both 'git lfs checkout --to x a.txt'
both 'git lfs checkout --to x --base --ours a.txt'
both 'git lfs checkout --to x --base'
both 'git lfs checkout --to x --base nope'
both_status 'git merge --abort'
both 'git config merge.lfs-text.driver "git lfs merge-driver --ancestor %O --current %A --other %B --marker-size %L --output %A" && echo "*.txt filter=lfs diff=lfs merge=lfs-text -text" >.git/info/attributes && git merge -q o && cat a.txt'
both_status 'git checkout -q -b clash HEAD^ && echo zwei >a.txt && git commit -qam z && git merge -q o'
both 'sed -n "s/ .*//;1,3p" a.txt; git reset -q --hard'
both_status 'git lfs merge-driver'
test_expect_success 'a merge program of the user' '
	for user in us them; do
		$user "git lfs clean <../base >../pb && git lfs clean <../ours >../po && git lfs clean <../theirs >../pt &&
		git lfs merge-driver --ancestor ../pb --current ../po --other ../pt --output ../out --program \"cat %A %B %O >%D\" >/dev/null &&
		git lfs smudge <../out" >$user.out || return 1
	done &&
	test_cmp them.out us.out
'

both_status 'git lfs install --local --system'

# --- logs, extensions, elsewhere
both_status 'git lfs logs clear'
both 'git lfs logs'
both 'git lfs logs last'
both 'git lfs logs show'
both_status 'git lfs logs boomtown'
test_expect_success 'the log of a failure' '
	us "git lfs logs last" >out && grep "^\$ git-lfs logs boomtown$" out && grep "Sample panic message" out && grep "^LocalGitDir=" out
'
both 'git config lfs.extension.foo.clean "foo %f" && git config lfs.extension.foo.smudge "oof %f" && git config lfs.extension.foo.priority 1 && git lfs ext'
both 'git lfs ext list foo nope; git config --remove-section lfs.extension.foo'
both 'git lfs env | grep -v -e ^git -e ^GIT_ -e "^Endpoint"'
both 'git -c lfs.concurrenttransfers=3 -c lfs.fetchinclude=a,b lfs env | grep -e Concurrent -e FetchInclude'
repo=
for verb in status track ls-files fetch pull checkout update fsck 'untrack x' 'install --local' 'uninstall --worktree'; do
	both "git lfs $verb"
done
both 'git lfs post-checkout a b 1'
repo=up.git
both 'git lfs status'
both 'git lfs track'
both_status 'git lfs clone'
repo=r
test_expect_success 'a push without its data is refused, unless that is wanted' '
	for user in us them; do
		$user "git checkout -q main && echo lost >lost.bin && git add lost.bin && git commit -qm lost && rm -r .git/lfs/objects && rm lost.bin" &&
		test_expect_code 2 $user "git lfs push origin main" >out 2>&1 && grep "(missing) lost.bin" out &&
		$user "git -c lfs.allowincompletepush=true lfs push origin main" || return 1
	done
'
test_expect_success 'fetch tells what the remote has not' '
	them "rm -rf ../up.git/lfs" && us "rm -rf ../up.git/lfs ../up.git/dvx" &&
	test_expect_code 2 them "git lfs fetch" 2>them.err && test_expect_code 2 us "git lfs fetch" 2>us.err &&
	tail -1 them.err | lfs_mask them >expect && tail -1 us.err | lfs_mask us >actual && test_cmp expect actual
'

test_done
