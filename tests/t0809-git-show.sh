#!/bin/sh
# shellcheck disable=SC2034
test_description='git show, log -p, blame and grep --textconv see data as text'
. "$(dirname "$0")/lib.sh"

test_expect_success 'setup' '
	dvx_repo repo && cd repo && git dvx remote add -d storage ../blobs && git dvx track "data/**" && mkdir data &&
	printf "id,city\n1,Rome\n2,Paris\n" >data/c.csv && random_file data/a.bin 2M a && printf "one\ntwo\n" >data/notes.txt &&
	printf "{\"id\":1}\n" >data/j.jsonl && git add -A && git commit -q -m one && git tag one &&
	printf "id,city\n1,Rome\n2,London\n3,Oslo\n" >data/c.csv && random_file data/a.bin 2M b && printf "one\nthree\n" >data/notes.txt &&
	printf "{\"id\":2}\n" >data/j.jsonl && git add -A && git commit -q -m two && git tag two
'

identity() {
	printf "%s" "data: 2,097,152 bytes, sha256 $(sha256sum <"$1" | cut -d " " -f 1)"
}

test_expect_success 'rows of a table, lines of a text, one line for what is neither' '
	git show two >../out && grep "^-2,Paris$" ../out && grep "^+2,London$" ../out && grep "^+3,Oslo$" ../out && grep "^ 1,Rome$" ../out &&
	grep "^-two$" ../out && grep "^+three$" ../out && grep "^-{\"id\":1}$" ../out && grep -F "+$(identity data/a.bin)" ../out &&
	! grep "^.oid sha256:" ../out
'

test_expect_success 'the same from history alone, where no file of the worktree helps' '
	git checkout -q one && git show two >../out2 && test_cmp ../out ../out2 && git checkout -q main &&
	git log -p -1 --format=%n >../out3 && sed -n "/^diff/,\$p" ../out >../a && sed -n "/^diff/,\$p" ../out3 >../b && test_cmp ../a ../b &&
	(mkdir sub && cd sub && git log -p -1 --format=) >../b && test_cmp ../a ../b
'

test_expect_success 'blame, grep, cat-file --textconv, pickaxe' '
	git blame -s two -- data/c.csv >../out && grep " 2) 1,Rome$" ../out && grep "^$(git rev-parse --short=8 two) 3) 2,London$" ../out &&
	git blame -s data/c.csv >../out2 && test_cmp ../out ../out2 && find .git/lfs .git/dvx/packs -type f | sort >../before &&
	echo 4,Bern >>data/c.csv && git blame -s data/c.csv >../out && grep "^00000000 5) 4,Bern$" ../out && grep "^$(git rev-parse --short=8 two) 3) 2,London$" ../out &&
	find .git/lfs .git/dvx/packs -type f | sort >../after && test_cmp ../before ../after && git checkout -q data/c.csv &&
	git grep --textconv -n London two -- data >../out && echo "two:data/c.csv:3:2,London" >../expect && test_cmp ../expect ../out &&
	printf "id,city\n1,Rome\n2,Paris\n" >../expect && git cat-file --textconv one:data/c.csv >../out && test_cmp ../expect ../out &&
	git show --textconv one:data/c.csv >../out && test_cmp ../expect ../out &&
	test "$(git log --format=%s -SLondon)" = two && test "$(git log --format=%s -GOslo -- data)" = two
'

test_expect_success 'what Git has without conversion is the pointer' '
	git show --no-textconv two -- data/c.csv >../out && grep "^-oid sha256:" ../out && git show two:data/c.csv >../out && is_pointer ../out
'

test_expect_success 'merges' '
	git checkout -q -b side one && printf "id,city\n0,Bern\n1,Rome\n2,Paris\n" >data/c.csv && git commit -q -a -m side && git checkout -q main &&
	test_must_fail git -c merge.dvx.driver=false merge -q side && printf "id,city\n0,Bern\n1,Rome\n2,London\n3,Oslo\n" >data/c.csv && git add -A && git commit -q -m merged &&
	git show --cc HEAD >../out && grep "^+ 0,Bern$" ../out && grep "^ +2,London$" ../out
'

test_expect_success 'escapes reach no terminal; line ends of Windows stay' '
	printf "id,city\r\n1,\033[31mred\302\233x\007\r\n" >data/c.csv && git commit -q -a -m esc && git show HEAD >../out && ! LC_ALL=C grep "$(printf "[\033\007\233]")" ../out &&
	LC_ALL=C grep "^+1,?\[31mred??x?$(printf "\r")$" ../out
'

test_expect_success 'one content is one text, be it in the worktree or in history' '
	printf "a\033[1mb\n" >data/log.txt && printf "\200\004K\003." >data/x.pkl && git add -A && git commit -q -m controls && touch -d "2 hours ago" data/*.txt data/*.pkl && git status >../st &&
	git dvx textconv -- data/log.txt >../a && git cat-file --textconv HEAD:data/log.txt >../b && test_cmp ../a ../b && grep "a?\[1mb" ../a &&
	git dvx textconv -- data/x.pkl >../a && git cat-file --textconv HEAD:data/x.pkl >../b && test_cmp ../a ../b && echo x >>data/x.pkl && git diff --no-ext-diff >../out && grep "^+data: 7 bytes" ../out &&
	git checkout -q .
'

test_expect_success 'a large table: number of rows, columns, header; counted once' '
	{ echo id,city && seq 1 3000 | sed "s/$/,Rome/"; } >data/big.csv && git add -A && git commit -q -m big && echo 3001,Oslo >>data/big.csv && git commit -q -a -m big2 &&
	git config dvx.diffTextMax 10k && git show HEAD >../out && grep "^-rows: 3,000$" ../out && grep "^+rows: 3,001$" ../out && grep "^ columns: 2$" ../out && grep "^ id,city$" ../out &&
	grep "^+data: [0-9,]* bytes, sha256 $(sha256sum <data/big.csv | cut -d " " -f 1)$" ../out && grep "git dvx diff --rows" ../out &&
	git show HEAD >../out2 && test_cmp ../out ../out2 && git config --unset dvx.diffTextMax && git show HEAD >../out && grep "^+3001,Oslo$" ../out
'

test_expect_success 'what is no table, whatever its name says' '
	random_file data/odd.csv 100K odd && printf "id,x\n1,\"open\n" >data/broken.csv && random_file data/m.safetensors 50K m && printf "\200\004K\003." >data/m.pkl && git add -A && git commit -q -m odd &&
	git show HEAD >../out && grep "^+data: 102,400 bytes, sha256" ../out && grep "^+1,\"open$" ../out && grep "^+data: 51,200 bytes, sha256" ../out &&
	grep "^+data: 5 bytes, sha256" ../out
'

test_expect_success 'data that is not here: one line, no fetch, no failure' '
	git dvx push -A && GIT_LFS_SKIP_SMUDGE=1 git clone -q . ../clone && cd ../clone && git config dvx-remote.storage.url "$TRASH/blobs" &&
	git show two >../out && grep "^-data: 23 bytes, sha256 [0-9a-f]*$" ../out && grep "^ not in the local store; .git dvx fetch --all-commits. gets it$" ../out &&
	git log -p >../out && git blame data/notes.txt >../out && test $(find .git/lfs .git/dvx/packs -type f -size +0 2>/dev/null | wc -l) = 0 &&
	git dvx fetch --all-commits && git show two >../out && grep "^+2,London$" ../out && cd ../repo
'

test_expect_success 'a name that begins with a dash; outside of a repository' '
	printf "id,x\n1,a\n" >-d.csv && git dvx track "/-d.csv" && git add -A && git commit -q -m dash && git show HEAD >../out && grep "^+1,a$" ../out &&
	git log -p -1 -- ./-d.csv >../out && grep "^+1,a$" ../out && git dvx textconv -- -d.csv >../out && test_cmp ./-d.csv ../out &&
	cp data/c.csv .. && (cd .. && git dvx textconv c.csv >out) && test_expect_code 128 git dvx textconv nosuch && test_expect_code 129 git dvx textconv
'

test_done
