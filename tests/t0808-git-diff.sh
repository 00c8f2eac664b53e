#!/bin/sh
# shellcheck disable=SC2034
test_description='git diff shows rows: the diff driver, below headers as Git prints them'
. "$(dirname "$0")/lib.sh"

# as_on_terminal COMMAND...: Git's output as a pager would get it.
as_in_pager() {
	GIT_PAGER_IN_USE=true TERM=xterm git -c color.ui=never "$@"
}

# below_header FILE PATH: what follows the header lines of this path.
below_header() {
	awk -v head="diff --git a/$2 b/$2" '$0 == head { on = 1; next } /^diff --git / { on = 0 }
		on && !/^(index|new file mode|deleted file mode|old mode|new mode) /' "$1"
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx track "data/**" && mkdir data && printf "id,city\n1,Rome\n2,Paris\n3,Oslo\n" >data/c.csv &&
	random_file data/a.bin 2M a && printf "one\ntwo\nthree\n" >data/notes.txt && git add -A && git commit -q -m one && git tag one &&
	printf "id,city\n1,Rome\n2,London\n4,Bern\n" >data/c.csv && printf y | dd of=data/a.bin bs=1 seek=1000000 conv=notrunc 2>/dev/null
'

test_expect_success 'install sets both drivers, uninstall removes them, another one stays' '
	test "$(git config --global diff.dvx.command)" = "git-dvx diff-driver --" && test "$(git config --global diff.dvx.textconv)" = "git-dvx textconv --" &&
	git dvx uninstall --skip-repo && test_must_fail git config --global --get-regexp "^diff\\.dvx" &&
	git config --global diff.dvx.command mine && git dvx install && test "$(git config --global diff.dvx.command)" = mine &&
	git dvx install --force && test "$(git config --global diff.dvx.command)" = "git-dvx diff-driver --" && git dvx update
'

test_expect_success 'the same lines as git dvx diff --rows, for the worktree' '
	git dvx diff --rows data/c.csv >../all && sed -n "/^data/,\$p" ../all >../expect && grep "^    ~ id=2: city Paris -> London$" ../expect &&
	as_in_pager diff data/c.csv >../out && below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows &&
	test "$(head -n 1 ../out)" = "diff --git a/data/c.csv b/data/c.csv"
'

test_expect_success 'for the index, two commits, and backwards' '
	git add -A && as_in_pager diff --cached >../out && below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows &&
	git commit -q -m two && git tag two && as_in_pager diff one two >../out && below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows &&
	grep "^data/a.bin: 2.0 MiB -> 2.0 MiB, [0-9.]* % changed$" ../out && (mkdir sub && cd sub && as_in_pager diff one two -- ../data/c.csv) >../out &&
	below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows &&
	as_in_pager diff -R one two >../out && grep "^    ~ id=2: city London -> Paris$" ../out && as_in_pager diff two one >../out2 && test_cmp ../out2 ../out
'

test_expect_success 'git show and git log with --ext-diff: the same' '
	as_in_pager show --ext-diff two >../out && below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows &&
	as_in_pager log -p --ext-diff -1 >../out && below_header ../out data/c.csv >../rows && test_cmp ../expect ../rows
'

test_expect_success 'new, deleted, renamed, mode changed, unmerged' '
	printf "id,city\n1,Rome\n" >data/new.csv && git rm -q data/a.bin && git mv data/c.csv data/d.csv && chmod +x data/notes.txt && git add -A &&
	as_in_pager diff --cached -M >../out && grep "^new file mode 100644$" ../out && grep "^data/new.csv: 1 row added (of 0 -> 1" ../out &&
	grep "^deleted file mode 100644$" ../out && grep "^data/a.bin: 2.0 MiB$" ../out && grep "^rename from data/c.csv$" ../out && grep "^rename to data/d.csv$" ../out &&
	grep "^diff --git a/data/c.csv b/data/d.csv$" ../out && grep "^old mode 100644$" ../out && grep "^new mode 100755$" ../out && ! grep "^data/notes.txt:" ../out && ! grep "^@@" ../out &&
	git reset -q --hard && git checkout -q -b side one && printf "id,city\n1,Rome\n2,Lima\n3,Oslo\n" >data/c.csv && git commit -q -a -m side &&
	test_must_fail git -c merge.dvx.driver=false merge main && git diff --base >../out && grep "^\* Unmerged path data/c.csv$" ../out && git merge --abort && git checkout -q main
'

test_expect_success 'a rename with changes' '
	echo "/*.csv diff=dvx" >>.gitattributes && seq 1 200 | sed "s/.*/&,x/" >long.csv && sed -i "1s/.*/id,v/" long.csv && git add long.csv &&
	git commit -q -m in-git && git mv long.csv moved.csv && sed -i "s/^7,x/7,y/" moved.csv && git add moved.csv &&
	as_in_pager diff --cached -M >../out && grep "^similarity index" ../out && grep "^moved.csv: 1 row changed (of 199; key: id)$" ../out &&
	grep "^    ~ id=7: v x -> y$" ../out && git reset -q --hard two
'

test_expect_success 'small text that Git keeps, with diff=dvx: as without a driver' '
	echo "*.md diff=dvx" >>.gitattributes && printf "a\nb\nc\n" >"s p.md" && printf "x\n" >gone.md && printf "1\0002\n" >bin.md && git add -A && git commit -q -m md &&
	printf "a\nB\nc" >"s p.md" && rm gone.md && printf "1\0003\n" >bin.md && printf "new\n" >new.md && git add -A &&
	git diff --cached --no-ext-diff --no-textconv --abbrev=10 >../expect && git diff --cached >../out && test_cmp ../expect ../out && git commit -q -m md2 && printf "a\nB\nC\n" >"s p.md" && git diff --abbrev=10 --no-ext-diff --no-textconv | grep -v "^index" >../expect &&
	git diff | grep -v "^index" >../out && test_cmp ../expect ../out && git checkout -q .
'

test_expect_success 'text that is data: its lines for people, its size beside a patch' '
	printf "one\n2\033[1m\nthree\n" >data/notes.txt && as_in_pager diff data/notes.txt >../out && below_header ../out data/notes.txt >../lines &&
	printf "%s\n" "--- a/data/notes.txt" "+++ b/data/notes.txt" "@@ -1,3 +1,3 @@" " one" "-two" "+2?[1m" " three" >../expect && test_cmp ../expect ../lines &&
	git diff data/notes.txt >../out && grep "^data/notes.txt: 14 B -> 16 B$" ../out && test $(grep -c "^@@" ../out) = 1 &&
	find . -name "git-dvx-diff-*" >../left && find "$TMPDIR" -name "git-dvx-diff-*" >>../left && test_must_be_empty ../left && git checkout -q .
'

test_expect_success 'odd names: a dash, blanks, quotes, line ends' '
	nl="data/new
line.csv" && for name in "-dash.csv" "data/s p.csv" "data/q\"uote.csv" "$nl"; do printf "id,x\n1,a\n" >"$name" || return 1; done &&
	git dvx track "/-dash.csv" && git add -A && git commit -q -m odd && for name in "-dash.csv" "data/s p.csv" "data/q\"uote.csv" "$nl"; do printf "id,x\n1,b\n" >"$name" || return 1; done &&
	as_in_pager diff >../out && test $(grep -c "^    ~ id=1: x a -> b$" ../out) = 4 && grep -F "diff --git \"a/data/new\\nline.csv\" \"b/data/new\\nline.csv\"" ../out &&
	grep "^diff --git a/-dash.csv b/-dash.csv$" ../out && grep "^diff --git a/data/s p.csv b/data/s p.csv$" ../out && git commit -q -a -m odd2 &&
	as_in_pager diff HEAD~1 HEAD >../out && test $(grep -c "^    ~ id=1: x a -> b$" ../out) = 4
'

test_expect_success 'colours: as Git, none where Git has none' '
	GIT_PAGER_IN_USE=true TERM=xterm git diff one two -- data/c.csv >../out && grep "^$(printf "\033")\[1mdiff --git" ../out && grep "$(printf "\033")\[32m+ 4,Bern" ../out &&
	git -c color.diff=always diff one two -- data/c.csv >../out && grep "$(printf "\033")" ../out &&
	git diff one two -- data/c.csv >../out && ! grep "$(printf "\033")" ../out
'

test_expect_success 'escapes in cells reach no terminal' '
	printf "id,city\n1,\033[31mred\033]0;title\007\n" >data/c.csv && as_in_pager diff >../out && ! LC_ALL=C grep "$(printf "[\033\007]")" ../out && grep "?\[31mred" ../out && git checkout -q .
'

test_expect_success 'data that is not here is named, and nothing is fetched' '
	git dvx remote add -d storage ../blobs && git add -A && git commit -q -m r && git dvx push -A && GIT_LFS_SKIP_SMUDGE=1 git clone -q . ../clone && cd ../clone &&
	git config dvx-remote.storage.url "$TRASH/blobs" && as_in_pager diff one two >../out && grep "^data/c.csv: [0-9]* B -> [0-9]* B$" ../out &&
	grep "^    rows cannot be compared: the older version is not in the local store; .git dvx fetch --all-commits. gets it$" ../out &&
	grep "^data/a.bin: 2.0 MiB -> 2.0 MiB$" ../out && test $(find .git/lfs .git/dvx/packs -type f -size +0 2>/dev/null | wc -l) = 0 &&
	git dvx fetch --all-commits && as_in_pager diff one two >../out && grep "London" ../out && cd ../repo
'

test_expect_success 'what is damaged, or no table, is told in a line; the other files are shown' '
	printf "id,city\n1,\"open\n" >data/c.csv && as_in_pager diff two >../out && grep "^    rows cannot be compared: data/c.csv:" ../out && git checkout -q data/c.csv &&
	oid=$(git cat-file blob one:data/a.bin | sed -n "s/^oid sha256://p") && f=.git/lfs/objects/$(echo $oid | cut -c1-2)/$(echo $oid | cut -c3-4)/$oid &&
	chmod u+w $f && printf X | dd of=$f bs=1 conv=notrunc 2>/dev/null && as_in_pager diff one two >../out && grep "^data/a.bin: 2.0 MiB -> 2.0 MiB$" ../out && grep London ../out &&
	git diff --no-ext-diff one two >../out && grep "^-data: 2,097,152 bytes" ../out
'

test_expect_success 'a .dvxconfig that does not parse, a reader that goes away' '
	echo "[broken" >.dvxconfig && as_in_pager diff one two -- data/c.csv >../out && grep London ../out && git show two -- data/c.csv >../out && grep "^+2,London$" ../out &&
	git checkout -q .dvxconfig && { echo id,x && seq 20000 | sed "s/$/,a/"; } >data/c.csv && { git dvx diff --rows --limit 0 data/c.csv 2>../err | head -n 1; } >../out && test_must_be_empty ../err &&
	git checkout -q data/c.csv
'

test_expect_success 'names, statistics, status and exit codes are as ever' '
	git diff --stat one two >../out && grep "data/c.csv *| *4 ++--" ../out && git diff --name-only one two >../out && grep "^data/c.csv$" ../out &&
	test_expect_code 1 git diff --exit-code one two >../out && test_expect_code 1 git diff --quiet one two && git diff --quiet HEAD && git diff --raw one two >../out && grep "M	data/c.csv" ../out &&
	is_clean
'

test_done
