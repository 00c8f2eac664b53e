#!/bin/sh
test_description='rclone as a blob store of files: the contract, the runs it takes, what its errors become'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"

if ! command -v rclone >/dev/null; then
	skip_all='rclone is not installed'
	test_done
fi

# An rclone of this test alone: its configuration, nothing of the environment.
unset AWS_CA_BUNDLE
RCLONE_CONFIG=$TRASH/rclone.conf
export RCLONE_CONFIG
cat >"$RCLONE_CONFIG" <<END
[disk]
type = local

[two words]
type = local

[refused]
type = s3
provider = Ceph
access_key_id = NOBODY
secret_access_key = nothing
endpoint = http://127.0.0.1:9
END

contract_new() {
	echo "rclone://disk:$TRASH/stores/$1/blob"
}
contract_damage() {
	[ -f "${1#rclone://disk:}/$2" ] && echo damaged >"${1#rclone://disk:}/$2"
}
contract_litter() {
	there=${1#rclone://disk:} && junk=$(echo junk | sha256sum | cut -d' ' -f1) && mkdir -p "$there/packs/zz" &&
	for place in fragments/README "fragments/$junk.tmp" "packs/$junk.pack" "packs/zz/$junk.pack" "fragments/$junk.pack"; do
		echo junk >"$there/$place" || return 1
	done
}

remote_contract

packs() {
	find "$1/packs" -type f -name '*.pack' | sort
}

test_expect_success 'the layout is that of a directory, and a directory remote reads it' '
	store=$TRASH/stores/main/blob &&
	echo "git-dvx blob store 1" >expect && test_cmp expect "$store/format" &&
	packs "$store" | while read -r p; do test "$(oid_of "$p")" = "$(basename "$p" .pack)" || exit 1; done &&
	for f in "$store"/fragments/*; do test "$(oid_of "$f").idx" = "$(basename "$f")" || return 1; done &&
	test -z "$(ls -A "$store/tmp")" &&
	transfer_repo same "$store" && download same requests && has_objects same requests
'

# runs: how often rclone was started since `counting`.
counting() {
	mkdir -p counted && : >"$TRASH/starts" &&
	printf "#!/bin/sh\necho \"\$*\" >>\"%s\"\nexec %s \"\$@\"\n" "$TRASH/starts" "$(command -v rclone)" >counted/rclone && chmod +x counted/rclone
}
counted() {
	PATH="$TRASH/counted:$PATH" "$@"
}

test_expect_success '20,000 small objects are a dozen runs of rclone, a push of nothing two, a download few' '
	transfer_repo small "rclone://disk:$TRASH/small" && many_files small 20000 >requests-small && counting &&
	counted upload small requests-small >/dev/null && cat starts && test "$(wc -l <starts)" -gt 6 && test "$(wc -l <starts)" -le 13 &&
	: >starts && counted upload small requests-small >/dev/null && cat starts && test "$(wc -l <starts)" = 2 &&
	transfer_repo small2 "rclone://disk:$TRASH/small" && : >starts &&
	counted download small2 requests-small >/dev/null && cat starts && test "$(wc -l <starts)" -le 12 && has_objects_quick small2 requests-small
'

test_expect_success 'paths and names of odd characters' '
	dir="$TRASH/odd dir,a=b:c/\"q'\''é*[x]{y}\\ -z" &&
	random_file odd.bin 70000 odd &&
	i=0 && for url in "rclone://disk:$dir" "rclone://two words:$TRASH/plain//" "RCLONE://disk:$TRASH/plain2"; do
		i=$((i + 1)) && transfer_repo "odd$i" "$url" && store_file "odd$i" odd.bin >r-odd && upload "odd$i" r-odd &&
		transfer_repo "odd-r$i" "$url" && download "odd-r$i" r-odd && has_objects "odd-r$i" r-odd || return 1
	done && test -d "$dir/packs" && test -d "$TRASH/plain/packs"
'

test_expect_success 'remotes that carry settings, or are none, are refused' '
	mkdir -p never && for url in "rclone://:local:$TRASH/never" "rclone://disk,copy_links=true:$TRASH/never" "rclone://disk=x:$TRASH/never" \
		"rclone://-x:/y" "rclone:// disk:/y" "rclone://disk" "rclone://disk/path" "rclone://:" "rclone://di\$sk:/x"; do
		transfer_repo hostile "$url" && test_expect_code 128 download hostile r-odd >out && grep "^fatal invalid .*rclone" out || { echo "$url"; return 1; }
	done && test -z "$(ls -A never)" &&
	transfer_repo hostile "rclone://:sftp,ssh=touch:x" && test_expect_code 128 download hostile r-odd >out && grep "can run programs" out
'

test_expect_success 'no store there, no such section, nobody listens, no rclone: what to do' '
	transfer_repo none "rclone://disk:$TRASH/nowhere" && test_expect_code 128 download none r-odd >out &&
	grep "^fatal notfound .*does not exist yet.*git dvx push" out && test ! -e nowhere &&
	transfer_repo none "rclone://nosuch:x" && test_expect_code 128 upload none r-odd >out &&
	grep "^fatal invalid .*no section .nosuch.*rclone config" out &&
	transfer_repo none "rclone://refused:bucket" && git -C none config dvx.retries 1 && test_expect_code 128 download none r-odd >out &&
	grep "^fatal remote .*connection refused.*rclone lsd refused:" out && ! grep -i nothing out &&
	mkdir -p empty-path && ln -sf "$(command -v git)" empty-path/git && transfer_repo none "rclone://disk:$TRASH/x" &&
	(cd none && PATH=$TRASH/empty-path test_expect_code 128 "$DVX_BIN/git-dvx-transfer" batch download <../r-odd >../out) &&
	grep "^fatal unsupported .*rclone is not installed.*apt install rclone" out
'

test_expect_success 'settings of rclone in the environment do not make a push of nothing' '
	transfer_repo env "rclone://disk:$TRASH/env-store" && store_file env odd.bin >r-odd &&
	RCLONE_DRY_RUN=true RCLONE_EXCLUDE="*" RCLONE_MAX_SIZE=1 RCLONE_VERBOSE=2 RCLONE_IMMUTABLE=true upload env r-odd &&
	transfer_repo env2 "rclone://disk:$TRASH/env-store" &&
	RCLONE_EXCLUDE="*" RCLONE_MAX_AGE=1ns download env2 r-odd && has_objects env2 r-odd
'

test_expect_success 'rclone killed in mid-upload: nothing at a final name, and the next push completes' '
	random_file fat 3000000 fat && transfer_repo killed "rclone://disk:$TRASH/killed-store" && store_file killed fat >r-fat &&
	git -C killed config dvx.retries 0 && mkdir -p killer &&
	cat >killer/rclone <<-END &&
	#!/bin/sh
	case "\$*" in *copyto*.*tmp/put-*|*copyto*) case "\$*" in *format*) ;; *) mkdir -p "$TRASH/killed-store/tmp"; head -c 1000 /dev/urandom >"$TRASH/killed-store/tmp/put-dead"; kill -9 \$\$ ;; esac ;; esac
	exec $(command -v rclone) "\$@"
	END
	chmod +x killer/rclone &&
	(PATH="$TRASH/killer:$PATH" && test_expect_code 128 upload killed r-fat >out) && grep "^fatal remote .*killed by signal 9" out &&
	test -z "$(find killed-store -name "*.pack" -o -name "*.idx")" &&
	upload killed r-fat && transfer_repo killed2 "rclone://disk:$TRASH/killed-store" && download killed2 r-fat && has_objects killed2 r-fat
'

test_expect_success 'Ctrl-C and SIGTERM take the running rclone along' '
	mkdir -p slow && cat >slow/rclone <<-END && chmod +x slow/rclone &&
	#!/bin/sh
	case "\$*" in *lsjson*) echo \$\$ >"$TRASH/slow.pid"; exec sleep 1000 ;; esac
	exec $(command -v rclone) "\$@"
	END
	transfer_repo slow-r "rclone://disk:$TRASH/killed-store" && rm -f slow.pid &&
	for signal in INT TERM; do
		# a shell has its background jobs ignore SIGINT: perl has not
		(cd slow-r && PATH="$TRASH/slow:$PATH" exec perl -e "\$SIG{INT} = q(DEFAULT); exec @ARGV" git-dvx-transfer batch download <../r-fat >../out-slow) &
		pid=$!
		while ! test -s slow.pid && kill -0 $pid; do sleep 0.05; done
		kill -$signal $pid; wait $pid
		cat out-slow && grep interrupted out-slow && ! kill -0 "$(cat slow.pid)" && rm slow.pid || return 1
	done
'

test_expect_success 'a damaged blob of the same size, or of another, is replaced' '
	store=killed-store && pack=$(packs $store) && cp "$pack" good &&
	for damage in flip cut; do
		if test $damage = flip; then flip_byte "$pack" 1000; else head -c 1000 good >"$pack"; fi &&
		transfer_repo "mend-$damage" "rclone://disk:$TRASH/killed-store" && rm -f $store/fragments/*.idx &&
		store_file "mend-$damage" fat >r-fat && upload "mend-$damage" r-fat && cmp good "$pack" || return 1
	done && test -z "$(find $store/tmp -name "put-*" ! -name put-dead)"
'

test_expect_success 'a store of a later version is left alone' '
	mkdir -p later && echo "git-dvx blob store 2" >later/format && transfer_repo future "rclone://disk:$TRASH/later" &&
	store_file future odd.bin >r1 && test_expect_code 128 upload future r1 >out && grep "^fatal unsupported .*store 2" out &&
	transfer_repo future2 "rclone://disk:$TRASH/later" && test_expect_code 128 download future2 r1 >out && grep "^fatal unsupported" out && test "$(ls later)" = format
'

test_expect_success 'unknown files in the store are ignored' '
	cp -r killed-store strange && echo junk >strange/fragments/README && mkdir "strange/fragments/$(oid_of fat).idx" &&
	echo junk >"strange/fragments/new
line.idx" && transfer_repo strange-r "rclone://disk:$TRASH/strange" && download strange-r r-fat && has_objects strange-r r-fat
'

test_done
