#!/bin/sh
test_description='rclone as a blob store in an object store (Ceph): the contract, and what appears there'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"
. "$dvx_top/tests/servers-lib.sh"
if ! command -v rclone >/dev/null; then
	skip_all='rclone is not installed'
	test_done
fi
skip_all_unless RGW "needs Ceph's radosgw"
start_rgw || { echo "Bail out! the S3 server does not start"; exit 1; }

RCLONE_CONFIG=$TRASH/rclone.conf
export RCLONE_CONFIG
for remote in ceph:$AWS_SECRET_ACCESS_KEY wrong:not-the-secret; do
	cat >>"$RCLONE_CONFIG" <<-END
		[${remote%%:*}]
		type = s3
		provider = Ceph
		access_key_id = $AWS_ACCESS_KEY_ID
		secret_access_key = ${remote#*:}
		endpoint = $S3_ENDPOINT
	END
done
printf '[hidden]\ntype = crypt\nremote = ceph:crypted/x\npassword = %s\n' "$(rclone obscure password)" >>"$RCLONE_CONFIG"

contract_new() {
	new_bucket "contract-$1" && echo "rclone://ceph:contract-$1/a b/ü"
}
contract_damage() {
	echo "other bytes" | s3.py put "contract-ops/a b/ü/$2"
}
contract_litter() {
	for litter in fragments/README packs/junk packs/zz/junk.pack fragments.txt "fragments/sub/$(oid_of blob).idx"; do
		echo junk | s3.py put "contract-ops/a b/ü/$litter" || return 1
	done
}

remote_contract

test_expect_success 'the layout is as documented, nothing is left in tmp, and the S3 kind reads it' '
	s3.py ls contract-main >all && ! grep "/tmp/" all && echo "git-dvx blob store 1" >expect &&
	s3.py get "contract-main/a b/ü/format" >out && test_cmp expect out &&
	transfer_repo native "s3://contract-main/a b/ü" && git -C native config dvx-remote.storage.endpointurl "$S3_ENDPOINT" &&
	download native requests && has_objects native requests
'

test_expect_success 'a bucket that does not exist is made by the first push' '
	transfer_repo fresh rclone://ceph:brand-new/p && random_file one 100000 one && store_file fresh one >r &&
	transfer_repo fresh2 rclone://ceph:brand-new/p &&
	test_expect_code 128 download fresh2 r >out && grep "^fatal notfound .*git dvx push" out &&
	upload fresh r && download fresh2 r && has_objects fresh2 r
'

test_expect_success 'through crypt' '
	transfer_repo secret rclone://hidden:store && store_file secret one >r && upload secret r &&
	! s3.py ls crypted | grep fragments && transfer_repo secret2 rclone://hidden:store && download secret2 r && has_objects secret2 r
'

test_expect_success 'a wrong key: said so, with the mend, and without the secret' '
	transfer_repo wrong rclone://wrong:contract-main && test_expect_code 128 download wrong r >out &&
	grep "^fatal denied .*rclone lsd wrong:" out && ! grep "not-the-secret" out &&
	test_expect_code 128 upload wrong r >out
'

test_expect_success 'the gateway dies in mid-upload: an error, and the next push completes' '
	new_bucket dying && random_file fat 20000000 fat && transfer_repo dying rclone://ceph:dying && git -C dying config dvx.retries 0 &&
	store_file dying fat >r-fat && mkdir -p killer && cat >killer/rclone <<-END && chmod +x killer/rclone &&
		#!/bin/sh
		case "\$*" in *copyto*.pack) "$dvx_top/tests/servers/ceph-rgw.sh" kill-gateway "$dvx_servers/rgw" ;; esac
		exec $(command -v rclone) "\$@"
	END
	(PATH="$TRASH/killer:$PATH" && test_expect_code 128 upload dying r-fat >out) && cat out && grep "^fatal remote" out &&
	start_gateway && upload dying r-fat && transfer_repo dying2 rclone://ceph:dying && download dying2 r-fat && has_objects dying2 r-fat
'

test_done
