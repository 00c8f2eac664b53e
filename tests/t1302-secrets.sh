#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='keys end up nowhere but where they belong'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
command -v python3 >/dev/null && test_set_prereq PYTHON
skip_all_unless PYTHON "needs python3 for a server"

# A server that answers every request with an error that repeats the request's headers, as proxies for debugging do.
cat >echo.py <<'END'
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        said = "; ".join(f"{k}={v}" for k, v in self.headers.items())
        with open("seen", "a") as seen:
            seen.write(said + "\n")
        status, code = open("answer").read().split()
        body = f"<Error><Code>{code}</Code><Message>{sys.argv[1]}{said}</Message><Token-0>{said}</Token-0></Error>".encode()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
print(server.server_address[1], flush=True)
server.serve_forever()
END

# start_echo TEXT: $port
start_echo() {
	rm -f port
	python3 "$TRASH/echo.py" "$1" >port & echo_pid=$!
	while ! test -s port; do sleep 0.05; done
	port=$(cat port)
}
stop_echo() {
	kill $echo_pid; wait $echo_pid 2>/dev/null; :
}

id=AKIATESTKEYID0000 secret=Secret/Key+Value0123456789abcdef token=TokenOfTheSession0123456789 password=PassWord0123

test_expect_success 'keys go to .git/config alone, and not to others by way of what is kept of it' '
	dvx_repo repo && cd repo && git config --global http.extraHeader "X-Auth: global$secret" && chmod 600 "$HOME/.gitconfig" && git dvx track "*.bin" && random_file a.bin 300K a && random_file s.bin 300 s &&
	git dvx remote add --no-probe -d storage s3://bucket/data >out 2>&1 && git dvx remote modify --no-probe storage access_key_id $id >>out 2>&1 && git dvx remote modify --no-probe storage secret_access_key $secret >>out 2>&1 &&
	git dvx remote modify storage session_token $token >>out 2>&1 && git dvx remote modify storage password $password >>out 2>&1 && git add -A && git commit -q -m a &&
	git dvx remote list >>out 2>&1 && git dvx remote list --json >>out 2>&1 && git dvx env >>out 2>&1 && git dvx env --json >>out 2>&1 && cat .dvxconfig >>out && ! grep -e $secret -e $token -e $password out &&
	git config dvx.retries 0 && test -z "$(find .git/dvx -type f -perm /077 -exec grep -l -e $secret -e $token {} +)"
'

test_expect_success 'a server that repeats what it was sent: nothing of it is printed or traced' '
	start_echo "" && git config dvx-remote.storage.endpointurl http://127.0.0.1:$port && rm -f seen &&
	for answer in "403 AccessDenied" "403 SignatureDoesNotMatch" "400 AuthorizationHeaderMalformed" "400 Odd" "400 KMS.Odd" "503 SlowDown" "500 InternalError" "405 MethodNotAllowed"; do
		echo "$answer" >answer && for c in "push -A" "push -A --json" "fetch -A" "status --remote" "fsck --remote" "gc --remote" "du --remote"; do
			GIT_DVX_TRACE="$PWD/trace" GIT_TRACE="$PWD/trace" GIT_TRACE_CURL="$PWD/trace" GIT_CURL_VERBOSE=1 GIT_TRACE2_EVENT="$PWD/trace" git dvx $c >>out 2>&1 || :
		done
	done && stop_echo && mv seen "$TRASH/" && test -s "$TRASH/seen" && grep Odd out && ! grep -o -e $id -e $secret -e "TokenOfTheS" -e $password out trace
'

test_expect_success 'a session token is not sent to an endpoint that a file of the tree names; long-lived keys sign for it' '
	echo "403 AccessDenied" >answer && cp answer "$TRASH/answer" && rm -f "$TRASH/seen" seen && start_echo "" && git config --unset dvx-remote.storage.endpointurl && git config -f .dvxconfig dvx-remote.storage.endpointurl http://127.0.0.1:$port &&
	test_expect_code 128 git dvx push -A 2>err && cat err && grep "session token of temporary keys is not sent.*git config dvx-remote.storage.endpointurl http://127.0.0.1:$port" err && ! grep -e $token -e $secret err && ! test -e seen &&
	git config --unset dvx-remote.storage.sessiontoken && test_expect_code 128 git dvx push -A 2>err && ! grep "session token" err && grep "Signature=" seen && ! grep -e $secret seen && rm seen &&
	git config dvx-remote.storage.sessiontoken $token && git config dvx-remote.storage.endpointurl http://127.0.0.1:$port && test_expect_code 128 git dvx push -A 2>err && grep $token seen && rm seen && stop_echo
'

test_expect_success 'endpoints that look like Amazon, and shell in an endpoint' '
	git config --unset dvx-remote.storage.endpointurl && git config http.proxy http://127.0.0.1:9 &&
	for host in https://x.execute-api.eu-west-1.amazonaws.com https://s3.amazonaws.com.example http://s3.amazonaws.com; do
		git config -f .dvxconfig dvx-remote.storage.endpointurl $host && test_expect_code 128 git dvx push -A 2>err && grep "session token of temporary keys is not sent" err || return 1
	done && git config -f .dvxconfig dvx-remote.storage.endpointurl https://s3.eu-west-1.amazonaws.com && test_expect_code 128 git dvx push -A 2>err && ! grep "not sent" err &&
	git config -f .dvxconfig dvx-remote.storage.endpointurl "https://host;id" && test_expect_code 128 git dvx push -A 2>err && cat err && grep "is not of the form" err && git config --unset http.proxy && git config --unset dvx-remote.storage.sessiontoken
'

test_expect_success 'an encryption key is not sent to an endpoint that a file of the tree names' '
	key=$(head -c 32 /dev/zero | tr "\\0" k | base64) && git dvx remote modify storage sse_customer_key $key && git config -f .dvxconfig dvx-remote.storage.endpointurl https://127.0.0.1:9 &&
	test_expect_code 128 git dvx push -A 2>err && grep "not sent to an endpoint that only a file of the tree names" err && ! grep $key err && test_expect_code 128 git dvx push -A 2>err && grep "only a file of the tree" err &&
	git config dvx-remote.storage.endpointurl https://127.0.0.1:9 && test_expect_code 128 git dvx push -A 2>err && ! grep "file of the tree" err && grep 127.0.0.1:9 err
'
test_done
