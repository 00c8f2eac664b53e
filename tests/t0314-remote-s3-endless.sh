#!/bin/sh
test_description='a listing of S3 that always says there is more, each time by another token'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
command -v python3 >/dev/null && test_set_prereq PYTHON
skip_all_unless PYTHON "needs python3 for a server"

cat >endless.py <<'END'
import http.server
class Endless(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages = 0
    def log_message(self, *args): pass
    def do_GET(self):
        Endless.pages += 1
        body = (f"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t{Endless.pages}</NextContinuationToken>"
                f"<Contents><Key>foreign/{Endless.pages}</Key><Size>1</Size><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
                "<ETag>&quot;0&quot;</ETag></Contents></ListBucketResult>").encode()
        with open("pages", "w") as f:  # first: whoever has the last page ends us
            f.write(str(Endless.pages))
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
print(server.server_address[1], flush=True)
server.serve_forever()
END

test_expect_success 'it is given up, and said where to look' '
	{ python3 endless.py >port & } && server=$! && test_when_finished "kill $server; wait $server 2>/dev/null; :" && while ! test -s port; do sleep 0.05; done &&
	dvx_repo repo && (cd repo && git dvx track "*.bin" && random_file a.bin 300K a && git add -A && git commit -q -m a &&
	git dvx remote add -d --no-probe storage s3://bucket && git config dvx-remote.storage.endpointurl "http://127.0.0.1:$(cat ../port)" &&
	export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b && test_expect_code 128 git dvx push -A 2>../err) &&
	cat err && grep "^error: .*10000 pages of the listing of .s3://bucket/. have nothing of git-dvx" err && test "$(cat pages)" = 10000
'

test_done
