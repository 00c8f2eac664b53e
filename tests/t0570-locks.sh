#!/bin/sh
test_description='locks on git-dvx-server: lock, unlock, list, push; with Git LFS in the other seat'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"
skip_all_unless GITLFS "needs Git LFS"

git config --global credential.helper "store --file='$TRASH/credentials'"
# as NAME: who asks from now on; the password is the name.
as() {
	printf 'http://%s:%s@%s\n' "$1" "$1" "${DVX_SERVER_URL#*://}" >"$TRASH/credentials"
}
requests() {
	grep -c "$1" "$dvx_servers/dvx/server.log"
}
# change FILE TEXT: add a line, commit.
change() {
	chmod u+w "$1" && echo "$2" >>"$1" && git commit -q -m "$2" "$1"
}

test_expect_success 'setup: alice uses git-dvx, bob Git LFS, one repository and one server' '
	htpasswd -bcB accounts alice alice 2>/dev/null && htpasswd -bB accounts bob bob 2>/dev/null &&
	start_dvx_server --htpasswd "$TRASH/accounts" && url=$DVX_SERVER_URL/team/art/info/lfs && as alice &&
	git init -q --bare origin.git && dvx_repo alice && cd alice && git config lfs.url "$url" && git remote add origin ../origin.git &&
	echo "*.psd filter=lfs diff=lfs merge=lfs -text lockable" >.gitattributes && git config filter.lfs.clean "git-dvx-filter clean -- %f" &&
	git config filter.lfs.smudge "git-dvx-filter smudge -- %f" && git config filter.lfs.process "git-dvx-filter filter-process" &&
	git config filter.lfs.required true && mkdir art && for f in a b art/c; do random_file $f.psd 100K $f || return; done && echo text >plain.txt &&
	git add -A && git commit -qm one && git push -q origin main 2>../err && cd .. && as bob &&
	git -c filter.lfs.smudge="git-lfs smudge -- %f" -c filter.lfs.process="git-lfs filter-process" -c filter.lfs.required=true \
		-c lfs.url="$url" clone -q -c lfs.url="$url" --template= origin.git bob && git -C bob lfs install --local && test_cmp_bin alice/a.psd bob/a.psd
'

test_expect_success 'lock, list, again' '
	as alice && cd "$TRASH/alice/art" && git dvx lock c.psd ../a.psd >../../out && printf "Locked art/c.psd\nLocked a.psd\n" >../../expected &&
	test_cmp ../../expected ../../out && cd .. && git dvx locks >../out && test "$(wc -l <../out)" = 2 &&
	grep "^a.psd *.alice.ID:" ../out && grep "^art/c.psd.alice.ID:" ../out &&
	test_expect_code 1 git dvx lock a.psd 2>../err && grep "a.psd. is locked already, by .alice." ../err
'

test_expect_success 'lists: by path, by id, so many, verified, as JSON, from what is known here' '
	cd "$TRASH/alice" && git dvx locks --path a.psd >../one && id=$(sed "s/.*ID://" ../one) && test "$(wc -l <../one)" = 1 && git dvx locks --id "$id" >../two &&
	test_cmp ../one ../two && test "$(git dvx locks --limit 1 | wc -l)" = 1 && git dvx locks --verify >../out && test "$(grep -c "^O " ../out)" = 2 &&
	git dvx locks >../out && git dvx locks --local >../local && git dvx locks --cached >../cached && test_cmp ../out ../local && test_cmp ../out ../cached &&
	(cd art && git dvx locks --local --path ../a.psd >../../two) && test_cmp ../one ../two &&
	git dvx locks --json | jq -r ".[].owner.name" >../out && printf "alice\nalice\n" >../expected && test_cmp ../expected ../out &&
	git dvx locks --verify --cached --json | jq -r ".ours[].path" >../out && printf "a.psd\nart/c.psd\n" >../expected && test_cmp ../expected ../out &&
	n=$(requests locks) && git dvx locks --local --limit 1 >/dev/null && git dvx locks --cached >/dev/null && test "$n" = "$(requests locks)"
'

test_expect_success 'options that exclude each other' '
	cd "$TRASH/alice" && for o in "--cached --local" "--cached --limit 1" "--cached --path a.psd" "--verify --local" "--verify --id 7"; do
		test_expect_code 129 git dvx locks $o || return; done && test_expect_code 129 git dvx unlock && test_expect_code 129 git dvx unlock --id 1 a.psd &&
	test_expect_code 129 git dvx lock && test_expect_code 129 git dvx locks a.psd
'

test_expect_success 'Git LFS sees our locks and is refused' '
	as bob && cd "$TRASH/bob" && git lfs locks >../out && grep "^a.psd.*alice" ../out && test_must_fail git lfs lock a.psd 2>../err && grep "locked already" ../err &&
	change a.psd "of bob" && git config lfs."$url".locksverify true && test_must_fail git push origin main >../out 2>&1 && grep "a.psd.*alice" ../out &&
	git reset -q --hard origin/main
'

test_expect_success 'we see its locks and are refused, with file and owner; nothing is uploaded' '
	as bob && (cd "$TRASH/bob" && git lfs lock b.psd) && as alice && cd "$TRASH/alice" && git dvx locks --verify >../out && grep "^  b.psd.*bob" ../out &&
	test_expect_code 1 git dvx lock b.psd 2>../err && grep "b.psd. is locked already, by .bob. since" ../err &&
	change b.psd "of alice" && n=$(requests objects/batch) && test_must_fail git push origin main 2>../err &&
	grep "^  b.psd (locked by .bob.)" ../err && test "$n" = "$(requests objects/batch)" && test_must_fail git push -q origin main:other &&
	test_expect_code 1 git dvx unlock b.psd 2>../err && grep "is locked by .bob." ../err
'

test_expect_success 'also where the new commits only remove the file, or are not the last ones' '
	cd "$TRASH/alice" && git reset -q --hard origin/main && git rm -q b.psd && git commit -qm remove && change plain.txt later && test_must_fail git push origin main 2>../err &&
	grep "^  b.psd (locked by .bob.)" ../err && git reset -q --hard origin/main
'

test_expect_success 'what is not locked is pushed, own locks are mentioned' '
	cd "$TRASH/alice" && change art/c.psd two && change plain.txt two && git push origin main 2>../err && grep "you hold the lock" ../err && grep "^  art/c.psd$" ../err &&
	! grep "^  a.psd" ../err
'

test_expect_success 'once pushed, locks on old changes are no matter' '
	as bob && (cd "$TRASH/bob" && git pull -q && git lfs lock plain.txt) && as alice && cd "$TRASH/alice" && change art/c.psd three && git push -q origin main 2>../err && ! grep plain ../err
'

test_expect_success 'a push without data asks nobody where nothing is lockable' '
	cd "$TRASH/alice" && sed "s/ lockable//" .gitattributes >a && mv a .gitattributes && git commit -qam unlockable && git push -q origin main && n=$(requests locks/verify) && change plain.txt three &&
	git push -q origin main && test "$n" = "$(requests locks/verify)" &&
	GIT_LFS_SKIP_PUSH=1 git push -q origin main:refs/heads/x && test "$n" = "$(requests locks/verify)" &&
	echo "*.psd filter=lfs diff=lfs merge=lfs -text lockable" >.gitattributes && git commit -qam lockable && git push -q origin main &&
	test "$n" -lt "$(requests locks/verify)"
'

test_expect_success 'unlock: not what is modified or gone, unless forced' '
	cd "$TRASH/alice" && echo more >>a.psd && test_expect_code 128 git dvx unlock a.psd 2>../err && grep "uncommitted changes" ../err && git dvx unlock --force a.psd 2>../err &&
	grep "warning: .a.psd. has uncommitted changes" ../err && git checkout -q a.psd && test ! -w a.psd -o "$(id -u)" = 0 && git dvx lock a.psd && rm a.psd &&
	test_expect_code 128 git dvx unlock a.psd 2>../err && grep "does not exist" ../err && git dvx unlock -f a.psd && git checkout -q a.psd &&
	test_expect_code 1 git dvx unlock a.psd 2>../err && grep "is not locked" ../err
'

test_expect_success 'unlock by id, JSON, and somebody elses by force' '
	cd "$TRASH/alice" && git dvx lock --json a.psd >../out && id=$(jq -r ".[0].id" ../out) && test "$(stat -c %a a.psd)" = 644 && git dvx unlock --json --id "$id" >../out &&
	test "$(jq -r ".[0].unlocked" ../out)" = true && test "$(stat -c %a a.psd)" = 444 && test -z "$(git dvx locks --local --path a.psd)" &&
	test_must_fail git dvx unlock --json a.psd >../out && test "$(jq -r ".[0].unlocked" ../out)" = false && git dvx unlock --force b.psd && as bob &&
	(cd ../bob && git lfs locks --verify >../out) && ! grep b.psd ../out
'

test_expect_success 'a lock taken in another clone is ours after a verification' '
	as alice && cd "$TRASH" && git clone -q origin.git alice2 && cd alice2 && git config lfs.url "$url" && git dvx lock a.psd && cd ../alice && test "$(stat -c %a a.psd)" = 444 &&
	test -z "$(git dvx locks --local --path a.psd)" && git dvx locks --verify >/dev/null && git dvx locks --local >../out && grep "^a.psd" ../out &&
	git dvx unlock a.psd
'

test_expect_success 'a file that Git LFS locked in this very repository stays writable under our hooks' '
	cd "$TRASH/alice" && long=$(printf "x%.0s" $(seq 150)).psd && random_file "$long" 1K long && git add . && git commit -qm long && git push -q origin main && git lfs lock a.psd &&
	git lfs lock "$long" && test "$(stat -c %a "$long")" = 644 && git dvx hook post-checkout 0 0 0 && test "$(stat -c %a a.psd)" = 644 && test "$(stat -c %a "$long")" = 644 && test "$(stat -c %a b.psd)" = 444 &&
	git dvx locks --verify >/dev/null && git dvx unlock "$long" && git lfs unlock a.psd && git dvx locks --verify >/dev/null && git dvx hook post-checkout 0 0 0 &&
	test "$(stat -c %a a.psd)" = 444
'

test_expect_success 'what cannot be locked' '
	cd "$TRASH/alice" && test_expect_code 128 git dvx lock nothing 2>../err && grep nothing ../err && test_expect_code 128 git dvx lock art 2>../err && grep directory ../err &&
	test_expect_code 128 git dvx lock .. 2>../err && test_expect_code 128 git dvx lock . 2>../err && n=$(printf "caf\351.psd") && : >"$n" &&
	test_expect_code 128 git dvx lock "$n" 2>../err && grep -a "UTF-8" ../err && rm "$n"
'

test_expect_success 'some of several' '
	cd "$TRASH/alice" && git dvx lock a.psd >/dev/null && test_expect_code 1 git dvx lock a.psd b.psd >../out 2>../err && grep "^Locked b.psd" ../out && grep "a.psd" ../err &&
	git dvx unlock a.psd b.psd
'

test_expect_success '250 locks come in pages; all are seen, by us and before a push' '
	as alice && cd "$TRASH" && i=0 && while [ $i -lt 250 ]; do
		i=$((i + 1)) && printf "url = \"%s/locks\"\nuser = \"bob:bob\"\nheader = \"Content-Type: application/vnd.git-lfs+json\"\ndata = \"{\\\\\"path\\\\\":\\\\\"many/%03d.psd\\\\\"}\"\noutput = \"%s\"\nnext\n" \
			"$url" $i /dev/null; done >curlrc && sed -i "\$d" curlrc && curl -s -S -K curlrc && cd "$TRASH/alice" && n=$(requests "GET .*locks") &&
	test "$(git dvx locks | grep -c "^many/")" = 250 && test "$(($(requests "GET .*locks") - n))" -ge 3 && test "$(git dvx locks --limit 120 | wc -l)" = 120 &&
	mkdir many && random_file many/249.psd 1K 249 && git add many && git commit -qm many && test_must_fail git push origin main 2>../err && grep "^  many/249.psd (locked by .bob.)" ../err &&
	git reset -q --hard origin/main
'

test_expect_success 'files of a cache that are damaged are named; a verification makes them anew' '
	cd "$TRASH/alice" && echo "{" >.git/dvx/locks/origin/own && test_expect_code 128 git dvx locks --local 2>../err && grep "locks/origin/own. is damaged" ../err &&
	git dvx locks --verify >/dev/null && git dvx locks --local
'

test_expect_success 'with locksverify = true and no credentials the push stops; no password is in a message' '
	cd "$TRASH/alice" && : >../credentials && git config lfs."$url".locksverify true && change a.psd y && git config http.extraHeader "" &&
	test_expect_code 128 git dvx locks 2>../err && ! grep -i "alice:alice" ../err && test_must_fail git push -q origin main 2>../err && grep "locks cannot be verified" ../err
'

test_done
