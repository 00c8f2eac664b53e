#!/bin/sh
test_description='keys for S3: settings, environment, profiles, credential_process, containers, EC2'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

# A server that refuses everything and writes down with which access key and token it was asked; below /ecs and
# /latest it is what containers and EC2 instances have.  $TRASH/mode changes what it answers.
cat >server.py <<'END'
import http.server, json, re, sys, datetime

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, text, kind="text/plain"):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def keys(self, name):
        end = datetime.datetime.utcnow() + datetime.timedelta(hours=1)
        self.answer(200, json.dumps({"Code": "Success", "AccessKeyId": name, "SecretAccessKey": "geheim-secret",
                                     "Token": "geheim-token-" + name, "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}))

    def note(self, text):
        with open("asked", "a") as log:
            log.write(text + "\n")

    def handle_any(self):
        mode = open("mode").read().strip()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/ecs":
            self.note("ecs " + (self.headers.get("Authorization") or "-"))
            return self.keys("ASIACONTAINER") if mode != "refuse" else self.answer(404, "no")
        if self.path == "/latest/api/token":
            self.note(f"imds {self.command} {self.headers.get('X-aws-ec2-metadata-token-ttl-seconds')}")
            return self.answer(200, "session") if self.command == "PUT" else self.answer(405, "no")
        if self.path.startswith("/latest/"):
            if self.headers.get("X-aws-ec2-metadata-token") != "session":
                return self.answer(401, "no")
            role = self.path.rpartition("/")[2]
            if mode == "norole":
                return self.answer(404, "no")
            return self.keys("ASIAINSTANCE") if role == "my-role" else self.answer(200, "my-role")
        key = re.search("Credential=([^/]*)/[0-9]*/([^/]*)/", self.headers.get("Authorization") or "")
        self.note("s3 %s %s %s" % (key.group(1) if key else "-", key.group(2) if key else "-",
                                   self.headers.get("x-amz-security-token") or "-"))
        code = "ExpiredToken" if mode == "expired" else "AccessDenied"
        self.answer(403, f"<Error><Code>{code}</Code></Error>", "application/xml")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
open("port.new", "w").write(str(server.server_address[1]))
import os
os.rename("port.new", "port")
server.serve_forever()
END
: >mode
: >asked
python3 server.py >server.log 2>&1 &
server=$!
trap 'dvx_code=$?; kill "$server"; stop_servers; (exit "$dvx_code"); die' EXIT

# ask [NAME=VALUE...]: go to the store once, which fails; its message is in "said", what the server saw in "asked".
ask() {
	: >asked &&
	test_expect_code 128 env "$@" sh -c 'cd repo && exec git-dvx-transfer batch download' <request >said 2>&1 &&
	! grep geheim said
}

saw() {
	printf '%s\n' "$@" >expect && sort -u asked >got && test_cmp expect got
}

test_expect_success 'a store that writes down who asks' '
	n=0 && while [ ! -e port ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done &&
	endpoint=http://127.0.0.1:$(cat port) &&
	transfer_repo repo s3://bucket/x && git -C repo config dvx-remote.storage.endpointurl "$endpoint" &&
	git -C repo config dvx-remote.storage.region here && git -C repo config dvx.retries 0 &&
	printf "%064d 5 - a\n" 7 >request &&
	mkdir -p "$HOME/.aws" && : >"$HOME/.aws/credentials"
'

test_expect_success 'no keys: every place is named, and what to type' '
	ask && test_must_be_empty asked &&
	grep "no access key for remote .storage." said && grep "AWS_ACCESS_KEY_ID" said && grep "/.aws/credentials" said &&
	grep "git dvx remote modify storage access_key_id" said &&
	(cd repo && test_expect_code 1 git-dvx-transfer probe --remote s3://bucket/other) >said 2>&1 && cat said && ! grep "remote modify" said && grep "set AWS_ACCESS_KEY_ID.*git dvx remote add" said
'

test_expect_success 'the environment' '
	ask AWS_ACCESS_KEY_ID=AKIAENVIRONMENT AWS_SECRET_ACCESS_KEY=geheim-1 && saw "s3 AKIAENVIRONMENT here -" &&
	grep "the environment" said && grep "access key AKIA…MENT" said &&
	ask AWS_ACCESS_KEY_ID=ASIAENVIRONMENT AWS_SECRET_ACCESS_KEY=geheim-1 AWS_SESSION_TOKEN=tok &&
	saw "s3 ASIAENVIRONMENT here tok"
'

test_expect_success 'profiles of the shared files, with all that the files allow' '
	cat >"$HOME/.aws/credentials" <<-\END &&
	# mine
	[default]
	aws_access_key_id = AKIADEFAULT
	aws_secret_access_key=geheim-2/a+b=   ; not this
	[ml]
	AWS_ACCESS_KEY_ID=AKIAML
	aws_secret_access_key = geheim-3
	aws_session_token = tok-ml
	END
	cat >"$HOME/.aws/config" <<-\END &&
	[profile process]
	credential_process = "'"$TRASH"'/a program" --for "my store"
	[profile corp]
	sso_session = corp
	END
	ask && saw "s3 AKIADEFAULT here -" &&
	ask AWS_PROFILE=ml && saw "s3 AKIAML here tok-ml" && grep "profile .ml. in .*/.aws/credentials" said &&
	ask AWS_PROFILE=none && test_must_be_empty asked && grep "there is no profile .none." said
'

test_expect_success 'what is set for the remote comes first' '
	test_when_finished "git -C repo config --unset dvx-remote.storage.profile" &&
	git -C repo config dvx-remote.storage.profile ml &&
	ask AWS_ACCESS_KEY_ID=AKIAENVIRONMENT AWS_SECRET_ACCESS_KEY=geheim-1 && saw "s3 AKIAML here tok-ml" &&
	git -C repo config dvx-remote.storage.accesskeyid AKIASETTING &&
	ask && test_must_be_empty asked && grep "git dvx remote modify storage secret_access_key" said &&
	git -C repo config dvx-remote.storage.secretaccesskey geheim-4 &&
	ask && saw "s3 AKIASETTING here -" &&
	git -C repo config --unset dvx-remote.storage.accesskeyid &&
	git -C repo config --unset dvx-remote.storage.secretaccesskey
'

test_expect_success 'a credential_process is run without a shell' '
	cat >"a program" <<-\END &&
	#!/bin/sh
	[ "$1" = --for ] && [ "$2" = "my store" ] && [ $# = 2 ] || { echo "bad arguments" >&2; exit 7; }
	echo "{\"Version\": 1, \"AccessKeyId\": \"ASIAPROCESS\", \"SecretAccessKey\": \"geheim-5\", \"SessionToken\": \"tok-p\"}"
	END
	chmod +x "a program" &&
	ask AWS_PROFILE=process && saw "s3 ASIAPROCESS here tok-p" && grep "credential_process of profile .process." said &&
	sed -i "s/Version/Wersion/" "a program" && ask AWS_PROFILE=process && test_must_be_empty asked &&
	grep "Version" said &&
	printf "#!/bin/sh\nexit 9\n" >"a program" && ask AWS_PROFILE=process && grep "ended with status 9" said
'

test_expect_success 'single sign-on is left to the program that speaks it' '
	ask AWS_PROFILE=corp && test_must_be_empty asked &&
	grep "credential_process = aws configure export-credentials --profile corp" said
'

test_expect_success 'the role of a container' '
	mv "$HOME/.aws" "$HOME/.aws-away" &&
	ask AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/ecs" AWS_CONTAINER_AUTHORIZATION_TOKEN="Basic x" &&
	saw "ecs Basic x" "s3 ASIACONTAINER here geheim-token-ASIACONTAINER" && grep "the container.s role" said &&
	ask AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/ecs && test_must_be_empty asked && grep "use https" said &&
	echo refuse >mode && ask AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/ecs" && saw "ecs -" && grep "HTTP 404" said &&
	: >mode
'

test_expect_success 'the role of an EC2 instance, by version 2 of its metadata service' '
	ask AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT="$endpoint" &&
	saw "imds PUT 21600" "s3 ASIAINSTANCE here geheim-token-ASIAINSTANCE" && grep "the role of this EC2 instance" said &&
	echo norole >mode && ask AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT="$endpoint" &&
	saw "imds PUT 21600" && grep "the instance has no role" said &&
	ask AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1 &&
	test_must_be_empty asked && grep "EC2 instance metadata: no answer" said &&
	: >mode
'

test_expect_success 'expired keys are asked for again once, and then told of' '
	echo expired >mode &&
	ask AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/ecs" && test "$(grep -c "^ecs" asked)" = 2 &&
	grep "session token has expired" said &&
	ask AWS_ACCESS_KEY_ID=ASIAENVIRONMENT AWS_SECRET_ACCESS_KEY=geheim-1 AWS_SESSION_TOKEN=tok &&
	test "$(grep -c "^s3" asked)" = 1 && grep "session token has expired" said &&
	: >mode && mv "$HOME/.aws-away" "$HOME/.aws"
'

test_expect_success 'a file of the tree cannot say which AWS files are read' '
	test_when_finished "rm -f repo/.dvxconfig" &&
	printf "[default]\ncredential_process = touch \"%s/owned\"\n" "$TRASH" >repo/evil &&
	git config -f repo/.dvxconfig dvx-remote.storage.configpath evil &&
	git config -f repo/.dvxconfig dvx-remote.storage.credentialpath evil &&
	ask && saw "s3 AKIADEFAULT here -" && test ! -e owned
'

test_done
