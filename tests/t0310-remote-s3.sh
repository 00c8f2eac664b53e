#!/bin/sh
test_description='the S3 kind of blob store, against Ceph: the contract, requests made, what is remembered, errors'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"
. "$dvx_top/tests/servers-lib.sh"
skip_all_unless RGW "needs Ceph's radosgw"
start_rgw || { echo "Bail out! the S3 server does not start"; exit 1; }

contract_new() {
	new_bucket "contract-$1" && echo "s3://contract-$1/a b/ü+%41"
}

contract_configure() {
	git -C "$1" config dvx-remote.storage.endpointurl "$S3_ENDPOINT"
}

contract_damage() {
	echo "other bytes" | s3.py put "contract-ops/a b/ü+%41/$2"
}

contract_litter() {
	for litter in fragments/README packs/junk packs/zz/junk.pack fragments.txt "fragments/sub/$(oid_of blob).idx"; do
		echo junk | s3.py put "contract-ops/a b/ü+%41/$litter" || return 1
	done
}

remote_contract

# s3_repo NAME URL: a repository with that remote, that does not try again.
s3_repo() {
	transfer_repo "$1" "$2" && contract_configure "$1" && git -C "$1" config dvx.retries 0
}

test_expect_success 'the layout is as documented, and nothing else is there' '
	s3.py ls contract-main >all && sed "s/^[0-9]* //" all | sort >keys &&
	{ echo "a b/ü+%41/format" && sed -n "s,^\(a b/ü+%41/packs/\(..\)/\2[0-9a-f]\{62\}\.pack\)$,\1,p; s,^\(a b/ü+%41/fragments/[0-9a-f]\{64\}\.idx\)$,\1,p" keys; } |
		sort >expect && test_cmp expect keys && test "$(grep -c pack keys)" -ge 1 && test "$(grep -c fragments keys)" -ge 1 &&
	s3.py verify contract-main && echo "git-dvx blob store 1" >expect && s3.py get "contract-main/a b/ü+%41/format" >out && test_cmp expect out
'

test_expect_success 'what the server can do is found out once and remembered; a damaged record is made again' '
	new_bucket caps && random_file one 1000 one && s3_repo caps s3://caps && s3_mark && store_file caps one >r && upload caps r &&
	test "$(s3_requests probe-)" = 4 && record=$(echo caps/.git/dvx/remotes/*/capabilities) && cat "$record" &&
	printf "%s\n" "git-dvx s3 capabilities 1" "endpoint $S3_ENDPOINT" "region us-east-1" "conditional yes" "checksum no" >expect &&
	test_cmp expect "$record" && ! s3.py ls caps | grep probe- &&
	random_file two 1000 two && store_file caps two >r && s3_mark && upload caps r && test "$(s3_requests probe-)" = 0 &&
	echo junk >"$record" && random_file three 1000 three && store_file caps three >r && upload caps r && test_cmp expect "$record"
'

test_expect_success 'requests of a push: the first, one with something new, one with nothing, a pull' '
	new_bucket count && s3_repo count s3://count && many_files count 3000 >r3000 && s3_mark && upload count r3000 >/dev/null &&
	s3_request_log && test "$(s3_requests)" -le 8 &&
	random_file four 5000 four && store_file count four >r4 && s3_mark && upload count r4 && s3_request_log && test "$(s3_requests)" -le 3 &&
	s3_mark && upload count r4 && s3_request_log && test "$(s3_requests)" -le 3 && test "$(s3_requests PUT)" = 0 &&
	s3_repo count2 s3://count && s3_mark && download count2 r3000 >/dev/null && s3_request_log && test "$(s3_requests)" -le 6 &&
	has_objects_quick count2 r3000
'

test_expect_success 'a listing of more than one page' '
	new_bucket pages && for i in $(seq 1050); do
		printf "%s" "$i" | sha256sum | cut -d" " -f1
	done >names && while read -r name; do echo "pages/deep/fragments/$name.idx"; done <names >keys &&
	python3 -c "
import sys
sys.path.insert(0, sys.argv[1])
import s3
for key in open(sys.argv[2]).read().split():
    s3.request(\"PUT\", key, body=b\"x\")
" "$dvx_top/tests/tools" keys &&
	s3_repo pages s3://pages/deep/ && (cd pages && remote-tool storage list fragments) | sed -n "s/^fragment \([0-9a-f]*\) 1 .*/\1/p" | sort >out &&
	sort names | test_cmp - out
'

test_expect_success 'a store of a later version is left alone; one without its format file is taken as it is' '
	new_bucket later && echo "git-dvx blob store 2" | s3.py put later/format && s3_repo later s3://later && store_file later one >r &&
	test_expect_code 128 upload later r >out && grep "^fatal unsupported .*s3://later/format.*store 2" out &&
	test_expect_code 128 download later r4 >out && grep "^fatal unsupported" out && test "$(s3.py ls later | wc -l)" = 1 &&
	s3.py rm count/format && s3_repo count3 s3://count && download count3 r4 && has_objects count3 r4 &&
	store_file count one >r && upload count r && test "$(s3.py get count/format)" = "git-dvx blob store 1"
'

test_expect_success 'a bucket that does not exist: which, and what to do' '
	s3_repo nobucket s3://no-such-bucket/x && store_file nobucket one >r &&
	cat r4 >>r && for direction in upload download; do
		test_expect_code 128 $direction nobucket r >out &&
		grep "^fatal notfound .*bucket .no-such-bucket. does not exist.*create it.*git dvx remote modify storage url" out || return 1
	done
'

test_expect_success 'a wrong secret, an unknown key, no keys at all' '
	s3_repo nokeys s3://count &&
	(AWS_SECRET_ACCESS_KEY=wrongwrongwrong && test_expect_code 128 download nokeys r4) >out &&
	grep "^fatal denied .*secret access key is wrong.*AWS_SECRET_ACCESS_KEY\|^fatal denied .*secret access key is wrong.*environment" out &&
	! grep wrongwrongwrong out &&
	(AWS_ACCESS_KEY_ID=NOBODYKNOWSTHIS && test_expect_code 128 download nokeys r4) >out && grep "^fatal denied .*does not know the access key" out &&
	(unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY && test_expect_code 128 download nokeys r4) >out && cat out &&
	grep "^fatal denied .*access_key_id" out
'

test_expect_success FAKETIME,!ASAN 'a clock that is 20 minutes off' '
	s3_repo clock s3://count &&
	(cd clock && test_expect_code 128 with_clock +20m git-dvx-transfer batch download <../r4 >../out) && cat out &&
	grep "^fatal denied .*clock of this machine says .*the server" out && grep "timedatectl" out
'

test_expect_success 'bad settings are named before anything is asked' '
	s3_mark && for bad in "endpointurl ftp://x" "endpointurl http://user@host" "addressingstyle maybe" "usessl perhaps" "sse ROT13" "region a/b" \
		"url s3://" "url s3://x" "url s3://a..b/c" "ssecustomerkey short"; do
		rm -rf bad && s3_repo bad s3://count && git -C bad config "dvx-remote.storage.${bad% *}" "${bad#* }" &&
		test_expect_code 128 download bad r4 >out && cat out && grep "^fatal invalid .*storage.*git dvx remote modify storage" out || return 1
	done && test "$(s3_requests)" = 0
'

test_expect_success 'keys from the settings, from a profile, from a process' '
	(unset AWS_ACCESS_KEY_ID && id=TESTACCESSKEY01 secret=$AWS_SECRET_ACCESS_KEY && unset AWS_SECRET_ACCESS_KEY &&
	s3_repo own s3://count && git -C own config dvx-remote.storage.accesskeyid $id &&
	git -C own config dvx-remote.storage.secretaccesskey "$secret" && download own r4 && has_objects own r4 &&
	mkdir -p "$HOME/.aws" && printf "[team]\naws_access_key_id = %s\naws_secret_access_key = %s\n" $id "$secret" >"$HOME/.aws/credentials" &&
	s3_repo team s3://count && git -C team config dvx-remote.storage.profile team && download team r4 && has_objects team r4 &&
	printf "{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"%s\"}" $id "$secret" >"$HOME/keys" &&
	printf "[profile proc]\ncredential_process = cat \"%s/keys\"\n" "$HOME" >"$HOME/.aws/config" &&
	s3_repo proc s3://count && git -C proc config dvx-remote.storage.profile proc && download proc r4 && has_objects proc r4)
'

test_expect_success 'storage class and the like are sent' '
	new_bucket class && s3_repo class s3://class && git -C class config dvx-remote.storage.storageclass STANDARD &&
	store_file class one >r && upload class r && git -C class config dvx-remote.storage.storageclass NONSENSE &&
	store_file class two >r && test_expect_code 128 upload class r >out && cat out && grep "^fatal invalid .*cannot write" out
'

test_expect_success 'a 403 to a key that may not: which permission' '
	start_faults && s3_repo denied s3://count && git -C denied config dvx-remote.storage.endpointurl "$FAULT_ENDPOINT" &&
	random_file five 1000 five && store_file denied five >r && fault "PUT . each status 403 AccessDenied" &&
	test_expect_code 128 upload denied r >out && cat out && grep "^fatal denied .*s3:PutObject" out &&
	fault "PUT . each pass" && upload denied r
'

test_expect_success 'another region than the one that was asked for: found out and remembered' '
	s3_repo region s3://count && git -C region config dvx-remote.storage.endpointurl "$FAULT_ENDPOINT" && (
	unset AWS_DEFAULT_REGION &&
	fault "LIST . 1 status 400 AuthorizationHeaderMalformed x-amz-bucket-region=eu-north-7" && fault_mark &&
	download region r4 && grep -x "region eu-north-7" region/.git/dvx/remotes/*/capabilities )
'

test_expect_success 'conditional writes that are refused after all are done without, and that is remembered' '
	s3_repo refused s3://count && git -C refused config dvx-remote.storage.endpointurl "$FAULT_ENDPOINT" &&
	random_file six 1000 six && store_file refused six >r && fault && upload refused r &&
	grep -x "conditional yes" refused/.git/dvx/remotes/*/capabilities &&
	random_file seven 1000 seven && store_file refused seven >r && fault "PUT packs/ 1 status 501 NotImplemented" && upload refused r &&
	grep -x "conditional refused" refused/.git/dvx/remotes/*/capabilities &&
	random_file eight 1000 eight && store_file refused eight >r && fault && upload refused r && fault_log && s3.py verify count
'

test_expect_success 'an answer that is lost is found out about, and nothing is sent twice' '
	s3_repo lost s3://count && git -C lost config dvx-remote.storage.endpointurl "$FAULT_ENDPOINT" && git -C lost config dvx.retries 3 &&
	random_file nine 300000 nine && store_file lost nine >r && fault "PUT packs/ 1 lost" && upload lost r && fault_log packs/ &&
	s3_repo lost2 s3://count && download lost2 r && has_objects lost2 r
'

test_expect_success 'the gateway is killed in mid-upload and comes back: the push goes through' '
	s3_repo killed s3://count && git -C killed config dvx.retries 8 && random_file large 200M large && store_file killed large >r && rm large &&
	{ upload killed r >out & } && pid=$! && s3_mark && for i in $(seq 200); do test "$(s3_requests "PUT .*packs")" -ge 1 && break; sleep 0.05; done &&
	kill_gateway && sleep 0.3 && start_gateway && wait $pid && cat out && grep "^ok" out && s3.py verify count &&
	s3_repo killed2 s3://count && download killed2 r && has_objects_quick killed2 r
'

test_done
