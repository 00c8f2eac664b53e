#!/bin/sh
test_description='locks: servers without any, servers that answer badly, and what lfs.locksverify makes of it'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
command -v python3 >/dev/null && test_set_prereq PYTHON
skip_all_unless PYTHON "needs python3 for a server"

# A server that gives the same answer to every question about locks: status and body lie in files.  "CURSOR" in the body
# becomes a number that grows.
cat >server.py <<\END
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece
    count = 0

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("requests", "a") as log:
            log.write(self.command + " " + self.path + "\n")
        Handler.count += 1
        status, body = int(open("status").read()), open("body", "rb").read()
        body = body.replace(b"CURSOR", b"%d" % Handler.count)
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
: >requests
python3 server.py >port 2>server.log &
server=$!
# shellcheck disable=SC2154 # die is the harness's own
trap 'dvx_code=$?; kill "$server"; stop_servers; (exit "$dvx_code"); die' EXIT
while ! test -s port; do sleep 0.05; done
url=http://127.0.0.1:$(cat port)/lfs
git config --global dvx.retries 0

# answer STATUS BODY
answer() {
	echo "$1" >"$TRASH/status" && printf "%s" "$2" >"$TRASH/body" && : >"$TRASH/requests"
}
# refused REGEX: locks cannot be listed for this reason.
refused() {
	test_expect_code 128 git dvx locks 2>../err && grep -a "^error: cannot list locks: .*$1" ../err && test "$(wc -l <../err)" = 1
}
lock='{"id":"1","path":"a.psd","owner":{"name":"eve"}}'

test_expect_success 'setup' '
	git init -q --bare origin.git && dvx_repo repo && cd "$TRASH/repo" && git config lfs.url "$url" && git remote add origin ../origin.git && git dvx track --lockable "*.psd" &&
	random_file a.psd 1K a && git add -A && git commit -qm one
'

test_expect_success 'answers that are none' '
	cd "$TRASH/repo" && answer 200 "" && refused "not a JSON object" && answer 200 "[]" && refused "not a JSON object" && answer 200 "{}" && refused "without locks" &&
	answer 200 "{\"locks\":[$lock,{}]}" && refused "no .id." && answer 200 "{\"locks\":[{\"id\":7,\"path\":\"a\"}]}" && refused "not a string" &&
	answer 200 "{\"locks\":[{\"id\":\"1\",\"path\":\"a\\u0000b\"}]}" && refused NUL && answer 200 "{\"locks\":[{\"id\":\"1\",\"path\":\"a\\u001b[2Jb\"}]}" && refused "control character" &&
	answer 200 "{\"message\":\"go away\"}" && refused "go away" && answer 200 "$(head -c 20000 /dev/zero | tr "\0" "[")" && refused "not a JSON object"
'

test_expect_success 'lists without end' '
	cd "$TRASH/repo" && answer 200 "{\"locks\":[$lock],\"next_cursor\":\"same\"}" && refused "does not end" && test "$(wc -l <../requests)" = 2 &&
	answer 200 "{\"locks\":[],\"next_cursor\":\"CURSOR\"}" && refused "more than 4096 pages"
'

test_expect_success 'too many locks, too much JSON' '
	cd "$TRASH/repo" && answer 200 "" && python3 -c "print(\"{\\\"locks\\\":[\" + \",\".join(\"{\\\"id\\\":\\\"%d\\\",\\\"path\\\":\\\"%d\\\"}\" % (i, i) for i in range(33000)) + \"]}\")" >../body &&
	refused "more than 32768 locks" && python3 -c "print(\"{\\\"locks\\\":[\" + \"0,\" * 600000 + \"0]}\")" >../body && refused "JSON values" &&
	head -c 17M /dev/zero | tr "\0" " " >../body && test_expect_code 128 git dvx locks 2>../err
'

test_expect_success 'filters that the server ignores' '
	cd "$TRASH/repo" && answer 200 "{\"locks\":[$lock,{\"id\":\"2\",\"path\":\"b.psd\"}]}" && test "$(git dvx locks --path b.psd | wc -l)" = 1 && test "$(git dvx locks --id 1 | wc -l)" = 1 &&
	test "$(git dvx locks --limit 1 | wc -l)" = 1 && test_expect_code 1 git dvx unlock --force c.psd 2>../err && grep "is not locked" ../err
'

test_expect_success 'ids and paths go into URLs encoded' '
	cd "$TRASH/repo" && answer 200 "{\"lock\":$lock}" && git dvx unlock --id "../a b?c" && grep -x "POST /lfs/locks/..%2Fa%20b%3Fc/unlock" ../requests &&
	test_expect_code 128 git dvx unlock --id .. 2>../err && ! grep "locks/../unlock" ../requests && answer 200 "{\"locks\":[]}" && git dvx locks --path "ü&.psd" && grep "path=%C3%BC%26.psd" ../requests
'

test_expect_success 'paths of a server change no files but ours: not outside, not in .git' '
	cd "$TRASH/repo" && echo x >../outside && chmod 444 ../outside && answer 200 "{\"ours\":[{\"id\":\"1\",\"path\":\"../outside\"},{\"id\":\"2\",\"path\":\".git/config\"},{\"id\":\"3\",\"path\":\"/etc/passwd\"}],\"theirs\":[]}" &&
	git dvx locks --verify && answer 200 "{\"lock\":{\"id\":\"1\",\"path\":\"../outside\"}}" && git dvx unlock --id 1 && git dvx hook post-checkout 0 0 0 && test "$(stat -c %a ../outside)" = 444 && test -w .git/config &&
	test "$(stat -c %a .git/config)" = 644
'

test_expect_success 'a lock that exists, told and not told' '
	cd "$TRASH/repo" && answer 409 "{\"lock\":$lock,\"message\":\"already created lock\"}" && test_expect_code 1 git dvx lock a.psd 2>../err && grep "by .eve." ../err &&
	answer 409 "oops" && test_expect_code 1 git dvx lock a.psd 2>../err && grep "is locked already" ../err && test "$(stat -c %a a.psd)" = 444
'

test_expect_success 'no locks there: said clearly' '
	cd "$TRASH/repo" && answer 404 "{\"message\":\"Not found\"}" && test_expect_code 128 git dvx lock a.psd 2>../err && grep "cannot lock" ../err && answer 501 "" && refused . &&
	git dvx remote add blobs "$TRASH/blobs" && test_expect_code 128 git dvx locks -r blobs 2>../err && grep "is a blob store, which keeps no locks" ../err
'

# The refs of the push go to a local repository, its data nowhere: there is none.
push() {
	git push -q origin "main:refs/heads/$1"
}
test_expect_success 'a push asks a server without locks once' '
	cd "$TRASH/repo" && git rm -q --cached a.psd && git commit -qm "no data" && git update-ref refs/heads/main "$(git commit-tree -m fresh "HEAD^{tree}")" &&
	answer 404 "" && push one 2>../err && grep "POST /lfs/locks/verify" ../requests && test "$(git config --local lfs."$url".locksverify)" = false && test ! -s ../err &&
	answer 404 "" && push two && test ! -s ../requests && git config --unset lfs."$url".locksverify && answer 501 "" && push three && test "$(git config --local lfs."$url".locksverify)" = false &&
	git config --unset lfs."$url".locksverify
'

test_expect_success 'a server that fails: a warning, unless locksverify is true' '
	cd "$TRASH/repo" && for s in 500 403; do answer $s "" && push "fails$s" 2>../err && grep "^warning: locks cannot be verified" ../err || return; done &&
	answer 200 "nonsense" && push nonsense 2>../err && grep "^warning: locks cannot be verified" ../err && test_expect_code 1 git config lfs."$url".locksverify &&
	git config lfs."$url".locksverify true && for s in 500 403 404 501; do answer $s "" && test_must_fail push "stops$s" 2>../err && grep "^error: locks cannot be verified" ../err || return; done &&
	git config --unset lfs."$url".locksverify
'

test_expect_success '.lfsconfig may say so, the own configuration wins' '
	cd "$TRASH/repo" && git config -f .lfsconfig lfs.locksverify true && answer 500 "" && test_must_fail push intree 2>../err && git config lfs."$url".locksverify false && answer 500 "" && push own && test ! -s ../requests &&
	git config --unset lfs."$url".locksverify && rm .lfsconfig && git config lfs.locksverify false && push plain && test ! -s ../requests && git config --unset lfs.locksverify
'

test_expect_success 'the refs of the push are named, one question each' '
	cd "$TRASH/repo" && answer 200 "{\"ours\":[],\"theirs\":[]}" && git branch -f x && git push -q origin main:refs/heads/m4 x:refs/heads/x4 2>../err && test "$(grep -c verify ../requests)" = 2
'

test_expect_success 'paths that lead out of the work tree are no matter for a push, a locked one beside them is' '
	cd "$TRASH/repo" && o="{\"id\":\"1\",\"path\":\"../outside\",\"owner\":{\"name\":\"eve\"}}" && answer 200 "{\"ours\":[],\"theirs\":[$o]}" && push hostile 2>../err &&
	echo x >>.gitattributes && git commit -qam attributes && answer 200 "{\"ours\":[],\"theirs\":[$o,{\"id\":\"2\",\"path\":\".gitattributes\"}]}" && test_must_fail push hostile 2>../err &&
	grep "^  .gitattributes (locked by .somebody.)" ../err && git reset -q --hard HEAD^
'

test_expect_success JGIT 'JGit has no locks: its users notice nothing' '
	cd "$TRASH/repo" && start_jgit && git config lfs.url "$JGIT_URL" && random_file c.psd 10K c && git add c.psd && git commit -qm c && git push -q origin main:jgit 2>../err &&
	! grep -i lock ../err && test "$(git config --local lfs."$JGIT_URL".locksverify)" = false && test_expect_code 128 git dvx lock c.psd 2>../err && grep "cannot lock" ../err
'

test_done
