#!/bin/sh
test_description='git dvx hash: the SHA-256 of files and directories, as dvx.lock has it'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"
. "$dvx_top/tests/lineage-lib.sh"

locked() {
	sed -n "s/.*{path: $1, sha256: \([0-9a-f]*\),.*/\1/p" dvx.lock
}

test_expect_success 'setup: a stage with files and a directory' '
	new_project repo && git dvx track "*.csv" >/dev/null && mkdir in && customers 10 >in/c.csv && echo x >in/x && ln -s x in/link && chmod +x in/x && printf "stages:\n  one:\n    cmd: cp in/c.csv out.csv\n    deps: [in, in/x]\n    outs: [out.csv]\n" >dvx.yaml && git dvx repro >/dev/null && git add -A && git commit -q -m one
'

test_expect_success 'a file as sha256sum has it; a directory as dvx.lock' '
	git dvx hash in/c.csv in/x >../out && sha256sum in/c.csv in/x >../expect && test_cmp ../expect ../out && test "$(git dvx hash in)" = "$(locked in)  in" && test "$(git dvx hash in/ | cut -c 1-64)" = "$(locked in)" && (cd in && git dvx hash . ../out.csv) >../out && test "$(cut -c 1-64 ../out | tr "\n" " ")" = "$(locked in) $(locked out.csv) "
'

test_expect_success 'JSON' '
	git dvx hash --json in out.csv >../out && json ../out "j == [{\"path\": \"in\", \"sha256\": \"$(locked in)\", \"size\": $(($(wc -c <in/c.csv) + 3)), \"nfiles\": 3}, {\"path\": \"out.csv\", \"sha256\": \"$(sha out.csv)\", \"size\": $(wc -c <out.csv)}]"
'

test_expect_success 'a pointer counts as what it names, a changed file as what it holds' '
	want=$(sha in/c.csv) && GIT_LFS_SKIP_SMUDGE=1 git clone -q . ../clone && is_pointer ../clone/in/c.csv && (cd ../clone && git dvx hash in/c.csv in | cut -c 1-64) >../out && printf "%s\n%s\n" "$want" "$(locked in)" >../expect && test_cmp ../expect ../out &&
	echo 11,a,b >>in/c.csv && test "$(git dvx hash in/c.csv)" = "$(sha256sum in/c.csv)" && git checkout -q in/c.csv && test "$(git dvx hash in/c.csv)" = "$want  in/c.csv"
'

test_expect_success STRACE 'what is known is not read again' '
	random_file big.csv 3M b && git add . && git dvx hash big.csv in >../out && strace -f -e trace=openat,execve -o ../trace git-dvx hash big.csv in >../out2 && test_cmp ../out ../out2 && ! grep "openat.*big.csv" ../trace && test "$(grep -c "execve.*= 0" ../trace)" -le 2
'

test_expect_success 'outside of a repository, and of this one' '
	rm -rf ../nowhere && mkdir ../nowhere && cp -r -P in ../nowhere/in && cd ../nowhere && test "$(git dvx hash in)" = "$(cd ../repo && locked in)  in" && test "$(git dvx hash in/x)" = "$(sha256sum in/x)" && cd ../repo && test "$(git dvx hash ../nowhere/in/x "$TRASH/nowhere/in" | cut -c 1-64 | tr "\n" " ")" = "$(sha in/x) $(locked in) "
'

test_expect_success 'what is not there, and wrong words' '
	test_expect_code 128 git dvx hash nosuch 2>../err && grep "^error: there is no file .nosuch.$" ../err && (cd ../nowhere && test_expect_code 128 git dvx hash nosuch 2>../err && grep "^error: cannot look at .nosuch." ../err) && test_expect_code 129 git dvx hash && test_expect_code 129 git dvx hash --nosuch x &&
	mkfifo pipe && test_expect_code 128 git dvx hash pipe && rm pipe
'

test_expect_success 'a name with blanks, quotes, line ends' '
	name=$(printf "a \"b\n\\\\c") && echo 1 >"$name" && git dvx hash "$name" >../out && test "$(wc -l <../out)" = 1 && test "$(cut -c 1-64 ../out)" = "$(sha "$name")" && git dvx hash --json "$name" >../out && json ../out "j[0][\"path\"] == \"a \\\"b\\n\\\\c\""
'

test_expect_success 'a training script logs its data, as the documents have it' '
	data=$(git dvx hash in/c.csv | cut -d " " -f 1) && test "$data" = "$(sha in/c.csv)" && code=$(git dvx trace --json HEAD | python3 -c "import json, sys; print(json.load(sys.stdin)[\"commit\"][\"id\"])") && test "$code" = "$(git rev-parse HEAD)"
'

test_done
