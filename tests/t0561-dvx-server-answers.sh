#!/bin/sh
test_description='git-dvx-server: the status of each answer, and what is refused'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless DVXSERVER "needs libmicrohttpd for git-dvx-server"
! dvx_have curl || test_set_prereq CURL
skip_all_unless CURL "needs curl"

type=application/vnd.git-lfs+json
printf 'some data' >data
oid=$(sha256sum data | cut -d' ' -f1)
none=$(echo none | sha256sum | cut -d' ' -f1)
writer=wanda:writes reader=rita:reads

# ask STATUS CURL-ARGUMENT...: the answer's body in "body", its head in "head".
ask() {
	want=$1
	shift
	got=$(curl -s --max-time 60 -D head -o body -w '%{http_code}' "$@") && test "$got" = "$want" && return
	echo "$* -> ${got:-curl failed}, not $want: $(cat body)"
	return 1
}
# api STATUS ACCOUNT PATH BODY [CURL-ARGUMENT...]: POST JSON.
api() {
	status=$1 account=$2 path=$3
	printf '%s' "$4" >request
	shift 4
	ask "$status" ${account:+-u "$account"} -H "Accept: $type" -H "Content-Type: $type" --data-binary @request \
		"$DVX_SERVER_URL$path" "$@"
}
batch() { # STATUS ACCOUNT BODY [CURL-ARGUMENT...]
	status=$1 account=$2 body=$3
	shift 3
	api "$status" "$account" /r/info/lfs/objects/batch "$body" "$@"
}
# says MESSAGE: the error body is as Git LFS wants it, and has this (grep) in its message.
says() {
	python3 -c 'import json; e = json.load(open("body")); assert sorted(e) == ["message", "request_id"]; print(e["message"])' >message &&
		grep -- "$1" message
}
# action OPERATION OID SIZE [ACTION]: href and header for curl in "href" and "header".
action() {
	batch 200 $writer "{\"operation\":\"$1\",\"objects\":[{\"oid\":\"$2\",\"size\":$3}]}" &&
		python3 - "${4:-$1}" <<-\END
			import json, sys
			o = json.load(open("body"))["objects"][0]
			assert o["authenticated"] is True
			a = o["actions"][sys.argv[1]]
			assert 0 < a["expires_in"] <= 1800
			open("href", "w").write(a["href"])
			open("header", "w").write("Authorization: " + a["header"]["Authorization"])
		END
}
# many N: a request for N objects in "many".
many() {
	python3 -c 'import json, sys, hashlib
print(json.dumps({"operation": "download", "objects": [
	{"oid": hashlib.sha256(b"%d" % i).hexdigest(), "size": i} for i in range(int(sys.argv[1]))]}))' "$1" >many
}

test_expect_success 'a server with a writer and a reader' '
	htpasswd -bcB accounts wanda writes 2>/dev/null && htpasswd -bB accounts rita reads 2>/dev/null &&
	sed -i "s/^rita:.*/&:read/" accounts &&
	{ printf token-of-rob | sha256sum | sed "s/ .*/ rob read/" && printf token-of-wim | sha256sum | sed "s/ .*/ wim/"; } >tokens &&
	start_dvx_server --htpasswd "$PWD/accounts" --tokens "$PWD/tokens" --max-size 1M
'

test_expect_success 'upload: batch, PUT, verify; then it is there' '
	action upload $oid 9 verify && mv href verify-href && mv header verify-header && action upload $oid 9 &&
	ask 200 -H @header -T data "$(cat href)" &&
	api 200 "" "$(sed "s|$DVX_SERVER_URL||" verify-href)" "{\"oid\":\"$oid\",\"size\":9}" -H @verify-header &&
	batch 200 $writer "{\"operation\":\"upload\",\"objects\":[{\"oid\":\"$oid\",\"size\":9}]}" &&
	! grep actions body && grep "\"size\":9" body && grep "^Content-Type: $type" head
'

test_expect_success 'download: GET, HEAD, parts of it' '
	action download $oid 9 && ask 200 -H @header "$(cat href)" && test_cmp data body && grep "^Content-Length: 9" head && grep "^Accept-Ranges: bytes" head &&
	ask 200 -I -H @header "$(cat href)" && grep "^Content-Length: 9" head
'
test_expect_success 'ranges' '
	action download $oid 9 && url=$(cat href) &&
	ask 206 -H @header -r 5-6 "$url" && printf da >expect && test_cmp expect body && grep "^Content-Range: bytes 5-6/9" head &&
	ask 206 -H @header -r 5- "$url" && printf data >expect && test_cmp expect body && grep "^Content-Range: bytes 5-8/9" head &&
	ask 206 -H @header -r -2 "$url" && printf ta >expect && test_cmp expect body &&
	ask 206 -H @header -r 0-99999999999999999999999 "$url" && test_cmp data body &&
	ask 416 -H @header -r 9- "$url" && grep "^Content-Range: bytes \*/9" head && says "9 bytes" &&
	ask 416 -H @header -r -0 "$url" &&
	ask 200 -H @header -H "Range: bytes=x-y" "$url" && test_cmp data body &&
	ask 200 -H @header -H "Range: bytes=1-2,4-5" "$url" && test_cmp data body &&
	ask 200 -H @header -H "Range: bytes=7-3" "$url" && test_cmp data body
'

test_expect_success 'no credentials, wrong ones, a reader who writes' '
	request="{\"operation\":\"download\",\"objects\":[]}" &&
	batch 401 "" "$request" && grep "^LFS-Authenticate: Basic realm=" head && grep "^WWW-Authenticate: Basic realm=" head && says "credentials" &&
	batch 401 wanda:wrong "$request" && batch 401 nobody:writes "$request" && batch 401 "" "$request" -H "Authorization: Bearer nothing" &&
	batch 401 "" "$request" -H "Authorization: Basic !!!!" && batch 401 "" "$request" -H "Authorization: Digest x" &&
	batch 200 $reader "$request" && batch 200 "" "$request" -H "Authorization: Bearer token-of-rob" &&
	batch 200 anything:token-of-rob "$request" &&
	write="{\"operation\":\"upload\",\"objects\":[]}" &&
	batch 403 $reader "$write" && says "rita" && batch 403 "" "$write" -H "Authorization: Bearer token-of-rob" &&
	batch 200 "" "$write" -H "Authorization: Bearer token-of-wim" &&
	api 403 $reader /r/info/lfs/locks "{\"path\":\"a\"}" && ask 403 -u $reader -T data "$DVX_SERVER_URL/r/info/lfs/objects/$oid" &&
	api 403 $reader /r/info/lfs/locks/verify "{}" && ask 200 -u $reader "$DVX_SERVER_URL/r/info/lfs/locks"
'

# raw TEXT: the statuses of the answers to it, with printf's escapes, until the server ends the connection.
raw() {
	python3 - "$DVX_SERVER_URL" "$1" <<-\END
		import re, socket, sys, urllib.parse
		url = urllib.parse.urlsplit(sys.argv[1])
		s = socket.create_connection((url.hostname, url.port), timeout=60)
		s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
		print(*re.findall(r"HTTP/1.1 (\d+)", b"".join(iter(lambda: s.recv(65536), b"")).decode("latin-1")))
	END
}

test_expect_success 'what follows a body whose end is not certain is not looked at' '
	next="GET /r/locks HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" && put="PUT /r/objects/$oid HTTP/1.1\r\nHost: h\r\n" &&
	test "$(raw "${put}Content-Length: 3\r\n\r\nabc$next")" = "401 401" &&
	for head in "Content-Length: 3\r\nTransfer-Encoding: chunked" "Content-Length: 5\r\nContent-Length: 5" \
		"Transfer-Encoding: gzip, chunked" "Transfer-Encoding: xchunked"; do
		test "$(raw "$put$head\r\n\r\n0\r\n\r\n$next")" = 400 || return 1
	done
'

test_expect_success 'a method that a terminal would obey is not in the log' '
	test "$(raw "G\x1bET /r/locks HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")" = 405 && grep "\"- /r/locks\" 405" "$DVX_SERVER_LOG" &&
	! grep "$(printf "\033")" "$DVX_SERVER_LOG"
'

test_expect_success '10,000 objects are answered, 10,001 are too many' '
	many 10000 && batch 200 $writer "$(cat many)" &&
	test "$(grep -o "\"code\":404" body | wc -l)" = 10000 && many 10001 && batch 413 $writer "$(cat many)" && says 10000
'

test_expect_success 'a request of more than 4 MiB, whether announced or not' '
	head -c 4194305 /dev/zero | tr "\0" " " >big &&
	ask 413 -u $writer -H "Content-Type: $type" --data-binary @big "$DVX_SERVER_URL/r/info/lfs/objects/batch" && says 4194304 &&
	ask 413 -u $writer -H "Content-Type: $type" -H "Transfer-Encoding: chunked" -H "Expect:" --data-binary @big \
		"$DVX_SERVER_URL/r/info/lfs/objects/batch"
'

test_expect_success 'requests that are none' '
	for bad in "" "{" "[]" "null" "{\"operation\":\"steal\",\"objects\":[]}" "{\"operation\":\"download\",\"objects\":[{\"oid\":\"x\",\"size\":1}]}" \
		"{\"operation\":\"download\",\"objects\":[{\"oid\":\"$oid\",\"size\":-1}]}"; do
		batch 422 $writer "$bad" && says . || return 1
	done &&
	batch 409 $writer "{\"operation\":\"download\",\"hash_algo\":\"md5\",\"objects\":[]}" && says sha256 &&
	batch 422 $writer "{\"operation\":\"download\",\"transfers\":[\"tus\"],\"objects\":[]}" && says basic &&
	batch 200 $writer "{\"operation\":\"download\",\"transfers\":[\"tus\",\"basic\"],\"objects\":[],\"ref\":{\"name\":\"refs/heads/main\"}}" &&
	url=$DVX_SERVER_URL/r/info/lfs/objects/batch && good="{\"operation\":\"download\",\"objects\":[]}" &&
	ask 415 -u $writer -H "Content-Type: text/plain" -d "$good" "$url" && ask 406 -u $writer -H "Content-Type: $type" -H "Accept: text/html" -d "$good" "$url" &&
	ask 200 -u $writer -H "Accept: text/html, application/json;q=0.5" -H "Content-Type: application/json; charset=utf-8" -d "$good" "$url"
'

test_expect_success 'objects that are not here, or have another size' '
	batch 200 $reader "{\"operation\":\"download\",\"objects\":[{\"oid\":\"$none\",\"size\":1},{\"oid\":\"$oid\",\"size\":9},{\"oid\":\"$oid\",\"size\":8}]}" &&
	python3 -c "import json
a, b, c = json.load(open(\"body\"))[\"objects\"]
assert a[\"error\"][\"code\"] == 404 and \"actions\" not in a and b[\"actions\"][\"download\"] and c[\"error\"][\"code\"] == 422" &&
	ask 404 -u $reader "$DVX_SERVER_URL/r/info/lfs/objects/$none" && says "not here" &&
	ask 404 -I -u $reader "$DVX_SERVER_URL/r/info/lfs/objects/$none" &&
	api 404 $writer "/r/info/lfs/objects/$none/verify" "{\"oid\":\"$none\",\"size\":9}" &&
	api 422 $writer "/r/info/lfs/objects/$oid/verify" "{\"oid\":\"$oid\",\"size\":8}" &&
	api 422 $writer "/r/info/lfs/objects/$oid/verify" "{\"oid\":\"$none\",\"size\":9}"
'

test_expect_success 'uploads with wrong bytes, of wrong length, too large: nothing of them is there' '
	other=$(printf "some dato" | sha256sum | cut -d" " -f1) && action upload $other 9 &&
	ask 422 -H @header -T data "$(cat href)" && says . && printf "some dat" >short && ask 422 -H @header -T short "$(cat href)" && says "9 bytes" &&
	ask 422 -H @header -H "Transfer-Encoding: chunked" -T short "$(cat href)" &&
	ask 411 -u $writer -H "Transfer-Encoding: chunked" -T data "$DVX_SERVER_URL/r/info/lfs/objects/$oid" &&
	printf "some dato" >right && ask 404 -I -u $reader "$(cat href)" &&
	ask 200 -H @header -H "Transfer-Encoding: chunked" -T right "$(cat href)" && ask 200 -I -u $reader "$(cat href)" &&
	random_file large 1048577 large && large=$(sha256sum large | cut -d" " -f1) &&
	ask 413 -u $writer -T large "$DVX_SERVER_URL/r/info/lfs/objects/$large" &&
	batch 200 $writer "{\"operation\":\"upload\",\"objects\":[{\"oid\":\"$large\",\"size\":1048577}]}" && grep "\"code\":422" body
'

test_expect_success 'an upload that is refused is not sent' '
	random_file fat 3000000 fat && ask 413 -u $writer -H "Expect: 100-continue" -T fat "$DVX_SERVER_URL/r/info/lfs/objects/$none" &&
	! grep "^HTTP/1.1 100" head && tail -n 1 "$DVX_SERVER_LOG" | grep " 413 in=0 "
'

test_expect_success 'a ticket is for one operation on one object of one repository, for a while' '
	action download $oid 9 && url=$DVX_SERVER_URL/r/info/lfs/objects && ask 200 -H @header "$url/$oid" &&
	ask 401 -H @header "$url/$none" && says "something else" && ask 401 -H @header -T data "$url/$oid" &&
	ask 401 -H @header "$DVX_SERVER_URL/q/info/lfs/objects/$oid" && ask 401 -H @header "$DVX_SERVER_URL/r/info/lfs/locks" &&
	sed "s/dvx1\.9/dvx1.8/" header >forged && ask 401 -H @forged "$url/$oid" &&
	sed "s/.\$/x/" header >forged && ask 401 -H @forged "$url/$oid" &&
	action upload $none 9 && ask 401 -H @header "$url/$oid"
'

test_expect_success 'tickets outlive the server, and no longer than they should' '
	action download $oid 9 && stop_dvx_server && restart_dvx_server && ask 200 -H @header "$(cat href)" && test_cmp data body &&
	test "$(stat -c %a "$DVX_SERVER_STATE/ticket-key")" = 600 && mkdir -p "$dvx_servers/short" &&
	stop_dvx_server && start_dvx_server --expires 1 --htpasswd "$PWD/accounts" && action download $oid 9 && sleep 2 &&
	ask 401 -H @header "$(cat href)" && says expired && stop_dvx_server && start_dvx_server --htpasswd "$PWD/accounts" --trust-proxy
'

test_expect_success 'paths' '
	for bad in /../info/lfs/locks /a/../b/info/lfs/locks /a/./info/lfs/locks /a//info/lfs/locks /a/%2e%2e/info/lfs/locks /a%2fb/info/lfs/locks \
		/a%00b/info/lfs/locks /a%0ab/info/lfs/locks /a%5cb/info/lfs/locks /a%zz/info/lfs/locks; do
		ask 400 --path-as-is -u $writer "$DVX_SERVER_URL$bad" && says . || return 1
	done &&
	for unknown in / /r /r/info/lfs /r/info/lfs/nothing /r/info/lfs/objects /r/info/lfs/objects/12ab /r/info/refs; do
		ask 404 -u $writer "$DVX_SERVER_URL$unknown" && says . || return 1
	done &&
	ask 414 -u $writer "$DVX_SERVER_URL/$(printf %0300d 1)/info/lfs/locks" &&
	ask 405 -u $writer "$DVX_SERVER_URL/r/info/lfs/objects/batch" && grep "^Allow: POST" head &&
	ask 405 -u $writer -X DELETE "$DVX_SERVER_URL/r/info/lfs/objects/$oid" && grep "^Allow: GET, HEAD, PUT" head &&
	ask 200 -u $writer "$DVX_SERVER_URL/info/lfs/locks" && ask 200 -u $writer "$DVX_SERVER_URL/a/b/c.git/info/lfs/locks?limit=5&path=x%20y" &&
	ask 400 -u $writer "$DVX_SERVER_URL/r/info/lfs/locks" -H "Range: bytes=0-1" -H "Range: bytes=2-3"
'

test_expect_success 'locks: 201, 409, pages, 403, 404' '
	api 201 $writer /r/info/lfs/locks "{\"path\":\"a b/c.bin\",\"ref\":{\"name\":\"refs/heads/main\"}}" && grep "\"owner\":{\"name\":\"wanda\"}" body &&
	id=$(sed "s/.*\"id\":\"\([^\"]*\)\".*/\1/" body) && api 409 $writer /r/info/lfs/locks "{\"path\":\"a b/c.bin\"}" && grep "\"lock\":{" body && grep message body &&
	for n in 1 2 3; do api 201 $writer /r/info/lfs/locks "{\"path\":\"f$n\"}" || return 1; done &&
	ask 200 -u $writer "$DVX_SERVER_URL/r/info/lfs/locks?limit=3" && test "$(grep -o "\"path\"" body | wc -l)" = 3 &&
	cursor=$(sed "s/.*\"next_cursor\":\"\([^\"]*\)\".*/\1/" body) &&
	ask 200 -u $writer -G --data-urlencode "cursor=$cursor" "$DVX_SERVER_URL/r/info/lfs/locks" && test "$(grep -o "\"path\"" body | wc -l)" = 1 && ! grep next_cursor body &&
	ask 200 -u $writer "$DVX_SERVER_URL/r/info/lfs/locks?path=a%20b/c.bin" && grep "$id" body &&
	ask 200 -u $writer "$DVX_SERVER_URL/r/info/lfs/locks?id=$id" && grep "c.bin" body && ask 422 -u $writer "$DVX_SERVER_URL/r/info/lfs/locks?limit=x" &&
	htpasswd -bB accounts wilma writes2 2>/dev/null &&
	api 200 wilma:writes2 /r/info/lfs/locks/verify "{}" && grep "\"ours\":\[\]" body && grep "\"theirs\":\[{" body &&
	api 403 wilma:writes2 "/r/info/lfs/locks/$id/unlock" "{}" && says wanda && api 200 wilma:writes2 "/r/info/lfs/locks/$id/unlock" "{\"force\":true}" &&
	api 404 $writer "/r/info/lfs/locks/$id/unlock" "{}" && api 404 $writer "/r/info/lfs/locks/..%2e/unlock" "{}" &&
	for bad in "../a" "/a" "" "a/../b"; do api 422 $writer /r/info/lfs/locks "{\"path\":\"$bad\"}" || return 1; done
'

test_expect_success 'links are built for the proxy that is trusted, and for no strange host' '
	request="{\"operation\":\"upload\",\"objects\":[{\"oid\":\"$none\",\"size\":9}]}" &&
	batch 200 $writer "$request" -H "X-Forwarded-Proto: https" -H "X-Forwarded-Host: lfs.example.com" &&
	grep "\"href\":\"https://lfs.example.com/r/info/lfs/objects/$none\"" body &&
	batch 400 $writer "$request" -H "Host: evil/path?x=" && stop_dvx_server && start_dvx_server &&
	batch 200 "" "$request" -H "X-Forwarded-Proto: https" -H "X-Forwarded-Host: lfs.example.com" && grep "\"href\":\"$DVX_SERVER_URL/r/" body
'

test_expect_success 'what is open to everybody is said, or local' '
	refused() { test_expect_code 129 timeout 20 git-dvx-server --store s --state s.state "$@" 2>err && cat err; } &&
	refused --http 0.0.0.0:0 && grep "anonymous" err && refused --http :0 && refused --http "[::]:0" &&
	refused --http 127.0.0.1:0 --base-url https://lfs.example.com && refused --http 127.0.0.1:0 --trust-proxy && refused --http 127.0.0.1 &&
	refused --http 127.0.0.1:70000 && refused --http 127.0.0.1:0 --anonymous everything && refused --http 127.0.0.1:0 --tls-cert x &&
	stop_dvx_server && start_dvx_server --htpasswd "$PWD/accounts" --anonymous read &&
	batch 200 "" "{\"operation\":\"download\",\"objects\":[]}" && batch 401 "" "{\"operation\":\"upload\",\"objects\":[]}" &&
	batch 200 $writer "{\"operation\":\"upload\",\"objects\":[]}" && batch 401 wanda:wrong "{\"operation\":\"download\",\"objects\":[]}"
'

test_expect_success 'account files that are none' '
	printf "a:plain\n" >bad && test_expect_code 128 git-dvx-server --http 127.0.0.1:0 --store s --state s.state --htpasswd bad 2>err && grep "bad: line 1: .*htpasswd -B" err &&
	printf "# all of them\nxyz rob\n" >bad && test_expect_code 128 git-dvx-server --http 127.0.0.1:0 --store s --state s.state --tokens bad 2>err &&
	grep "bad: line 2: " err && test_expect_code 128 git-dvx-server --http 127.0.0.1:0 --store s --state s.state --tokens nowhere 2>err && grep nowhere err
'

test_expect_success 'neither credentials nor tickets are in the log' '
	! grep -e dvx1 -e writes -e token-of -e "$(printf %s $writer | base64)" "$DVX_SERVER_LOG"
'

test_done
