#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx status and ls-files'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "*.bin" &&
	random_file a.bin 100K a && random_file b.bin 200K b && mkdir "d i r" && random_file "d i r/c.bin" 10 c &&
	echo text >text.txt && git add -A
'

test_expect_success 'new data is staged' '
	git dvx status >out && grep "On branch main" out && grep "new: *a.bin" out && ! grep text.txt out &&
	git dvx status --porcelain >out && printf "A  a.bin\nA  b.bin\nA  d i r/c.bin\n" >expect && test_cmp expect out
'

test_expect_success 'after the commit: unpushed objects' '
	git commit -q -m one && git dvx status >out && grep "3 objects .* belong to commits that are not pushed to a Git remote yet; .git push. brings both" out &&
	git dvx status --json >out && json out "j[\"unpushed\"] == 3 and j[\"staged\"] == [] and j[\"branch\"] == \"main\""
'

test_expect_success 'after the push: nothing to do' '
	git init -q --bare ../origin.git && git remote add origin ../origin.git && git push -q -u origin main &&
	git dvx status >out && grep "nothing to do" out && git dvx status --porcelain >out && ! test -s out
'

test_expect_success 'changes, deletions and staged changes' '
	random_file a.bin 100K a2 && rm b.bin && random_file "d i r/c.bin" 11 c2 && git add "d i r" &&
	printf "M  d i r/c.bin\n M a.bin\n D b.bin\n" >expect && git dvx status -p >out && test_cmp expect out &&
	git dvx status --json >out &&
	json out "j[\"staged\"][0][\"old\"][\"size\"] == 10 and j[\"staged\"][0][\"new\"][\"size\"] == 11" &&
	json out "j[\"files\"][\"a.bin\"][\"status\"] == \"M\" and j[\"unstaged\"][1][\"status\"] == \"D\"" &&
	git dvx status -p "d i r" >out && echo "M  d i r/c.bin" >expect && test_cmp expect out &&
	git dvx status -p -I "a*" >out && echo " M a.bin" >expect && test_cmp expect out
'

test_expect_success 'a file of the same bytes and another time is no change' '
	git reset -q --hard && touch -d "2001-01-01" a.bin && git dvx status -p >out && ! test -s out
'

test_expect_success 'pointers in the work tree' '
	test_might_fail git update-index -q --refresh && GIT_LFS_SKIP_SMUDGE=1 git clone -q ../origin.git ../clone && cd ../clone && is_pointer a.bin &&
	git dvx status >out && grep "a.bin" out && grep "git dvx pull" out &&
	git dvx status --json >out && json out "len(j[\"pointers\"]) == 3 and not j[\"pointers\"][0][\"downloaded\"]" &&
	git dvx fetch && git dvx status >out && grep "git dvx checkout" out && ! grep "git dvx pull" out
'

test_expect_success 'ls-files: a mark for data, one for pointers' '
	oid() { sha256sum <"../repo/$1" | cut -c1-10; } && rm -f ./expect &&
	cd ../repo && printf "%s * %s\n" "$(oid a.bin)" a.bin "$(oid b.bin)" b.bin "$(oid "d i r/c.bin")" "d i r/c.bin" >../expect &&
	git dvx ls-files >../out && test_cmp ../expect ../out &&
	cd ../clone && sed "s/ \* / - /" ../expect >../expect2 && git dvx ls-files >../out && test_cmp ../expect2 ../out
'

test_expect_success GITLFS 'ls-files prints what git lfs ls-files prints' '
	cd ../repo && for o in "" -l -n --long; do
		git lfs ls-files $o >../expect && git dvx ls-files $o >../out && test_cmp ../expect ../out || return 1
	done
'

test_expect_success 'ls-files: revisions, paths, patterns, JSON' '
	cd "$TRASH/repo" && git rm -q b.bin && git commit -q -m two &&
	git dvx ls-files -n >out && printf "a.bin\nd i r/c.bin\n" >expect && test_cmp expect out &&
	git dvx ls-files -n HEAD~1 >out && printf "a.bin\nb.bin\nd i r/c.bin\n" >expect && test_cmp expect out &&
	git dvx ls-files -n HEAD~1 b.bin >out && echo b.bin >expect && test_cmp expect out &&
	(cd "d i r" && git dvx ls-files -n .) >out && echo "d i r/c.bin" >expect && test_cmp expect out &&
	git dvx ls-files -n -X "d*" >out && echo a.bin >expect && test_cmp expect out &&
	git dvx ls-files --all -n >out && grep -x b.bin out &&
	git dvx ls-files --json >out && json out "j[\"files\"][0][\"name\"] == \"a.bin\" and j[\"files\"][0][\"size\"] == 102400 and j[\"files\"][0][\"checkout\"] and j[\"files\"][0][\"downloaded\"]" &&
	test_expect_code 128 git dvx ls-files ../outside && test_expect_code 128 git dvx ls-files nosuch 2>err && grep "^error: .nosuch. is neither" err &&
	git dvx ls-files HEAD~1 .gitattributes >out && test_must_be_empty out
'

test_done
