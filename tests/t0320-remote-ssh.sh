#!/bin/sh
test_description='the SSH kind of blob store: the contract over a real sshd, its URLs, its errors, a connection that ends'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/remote-contract.sh"
. "$dvx_top/tests/servers-lib.sh"

need_sshd
far=$SSH_FAR_HOME
host=$SSH_USER@$SSH_HOST

contract_new() {
	echo "ssh://$host:$SSH_PORT$far/stores/$1/blob"
}

contract_damage() {
	echo "other bytes" >"$far/stores/ops/blob/$2"
}

contract_litter() (
	cd "$far/stores/ops/blob" && echo junk >fragments/README && echo junk >packs/junk && mkdir -p packs/zz && echo junk >packs/zz/junk.pack
)

remote_contract

# quick REPO: no second and third attempt.
quick() {
	git -C "$1" config dvx.retries 0
}

test_expect_success 'the far side keeps the layout of a directory' '
	store=$far/stores/main/blob && echo "git-dvx blob store 1" >expect && test_cmp expect "$store/format" &&
	for f in "$store"/fragments/*; do test "$(oid_of "$f").idx" = "$(basename "$f")" || return 1; done &&
	test -z "$(ls -A "$store/tmp")"
'

test_expect_success 'every form of URL reaches its directory' '
	random_file data 100000 forms && n=0 &&
	for url in "ssh://$host:$SSH_PORT$far/form1" "$host:$far/form2" "$host:form3" "ssh://$host:$SSH_PORT/~/form4" \
		"$host:~/form5" "$host:form 6/it'"'"'s! \"here\" \$(touch x)" "ssh://$host/~/form%207"; do
		n=$((n + 1)) && transfer_repo "form$n" "$url" && store_file "form$n" data >r && upload "form$n" r >out && grep "^ok" out &&
		transfer_repo "back$n" "$url" && download "back$n" r >out && has_objects "back$n" r || return 1
	done &&
	for dir in form1 form2 form3 form4 form5 "form 6/it'"'"'s! \"here\" \$(touch x)" "form 7"; do
		test -e "$far/$dir/format" || return 1
	done && test ! -e "$far/x"
'

test_expect_success 'what ssh or the far shell could mistake is refused, and nothing is started' '
	for url in "ssh://-oProxyCommand=touch\${IFS}pwned/x" "-oProxyCommand=x:y" "a@-b:c" "ssh://a@-b/c" "ssh://h:-1/p" \
		"ssh://h:99999/p" "ssh://h/%0ax" "ssh://h%0a/x" "h:-x" "ssh://h" "ssh://h%00x/y" "ssh:///x"; do
		transfer_repo bad "$url" && GIT_SSH_COMMAND="touch $TRASH/pwned; false" test_expect_code 128 upload bad r >out &&
		grep "^fatal invalid" out && test ! -e pwned && rm -rf bad || return 1
	done
'

test_expect_success 'git dvx and plain git push, clone and pull use it' '
	git init -q --bare hub.git && dvx_repo work && (
		cd work && git dvx remote add -d storage "ssh://$host:$SSH_PORT$far/team" && git dvx track "*.bin" &&
		random_file a.bin 3000000 a && for i in 1 2 3 4 5 6 7 8 9; do random_file "small$i.bin" 900 "small $i" || exit 1; done &&
		git add . && git commit -q -m one && git remote add origin "$TRASH/hub.git" && git push -q origin main
	) &&
	ls "$far"/team/packs/*/*.pack && git clone -q hub.git mate && not_pointer mate/*.bin && cmp work/a.bin mate/a.bin && is_clean mate &&
	(cd mate && random_file b.bin 70000 b && git add b.bin && git commit -q -m two && git dvx push && git push -q) &&
	(cd work && git pull -q origin main && git dvx pull) && not_pointer work/b.bin && cmp work/b.bin mate/b.bin
'

test_expect_success STRACE 'ssh is started once a command' '
	transfer_repo once "ssh://$host:$SSH_PORT$far/once" && random_file one 20M one && many_files once 500 >r-once && store_file once one >>r-once &&
	(cd once && strace -f -e trace=execve -o ../trace git-dvx-transfer batch upload <../r-once >../out) && tail -n 1 out | grep -x done &&
	test "$(grep -c "execve(.*/ssh\", .* = 0" trace)" = 1 &&
	transfer_repo once2 "ssh://$host:$SSH_PORT$far/once" &&
	(cd once2 && strace -f -e trace=execve -o ../trace git-dvx-transfer batch download <../r-once >../out) && tail -n 1 out | grep -x done &&
	test "$(grep -c "execve(.*/ssh\", .* = 0" trace)" = 1 && has_objects once2 r-once
'

test_expect_success 'Git'"'"'s own settings choose the program' '
	write_script() { cat >"$1" && chmod +x "$1"; } &&
	write_script log-ssh <<-END &&
		#!/bin/sh
		printf "%s\n" "\$0" "\$@" >"$TRASH/args"
		exec ssh -F "$SSH_CONFIG" "\$@"
	END
	transfer_repo choice "$host:form3" && store_file choice data >r &&
	(unset GIT_SSH_COMMAND && git -C choice config core.sshCommand "ssh -F $SSH_CONFIG" && rm -f args && upload choice r >out && grep "^present" out &&
	git -C choice config --unset core.sshCommand && git -C choice config ssh.variant ssh &&
	GIT_SSH=$TRASH/log-ssh upload choice r >out && grep "^present" out && grep -x "git-dvx-transfer serve .form3." args && test "$(sed -n 2p args)" = "$host") &&
	git -C choice config core.sshCommand false && upload choice r >out && grep "^present" out
'

test_expect_success 'a port goes to ssh as -p, to plink as -P, and a simple program is not asked for it' '
	write_script() { cat >"$1" && chmod +x "$1"; } &&
	write_script fake-ssh <<-END &&
		#!/bin/sh
		printf "%s\n" "\$*" >>"$TRASH/args"
		exit 255
	END
	transfer_repo ports "ssh://h.example:77/p" && quick ports &&
	for v in ssh plink putty tortoiseplink; do
		rm -f args && GIT_SSH_COMMAND=./../fake-ssh GIT_SSH_VARIANT=$v test_expect_code 128 upload ports r && cat args >>all || return 1
	done &&
	cat >expect <<-\END &&
		-p 77 h.example git-dvx-transfer serve '"'/p'"'
		-P 77 h.example git-dvx-transfer serve '"'/p'"'
		-P 77 h.example git-dvx-transfer serve '"'/p'"'
		-batch -P 77 h.example git-dvx-transfer serve '"'/p'"'
	END
	test_cmp expect all && GIT_SSH_COMMAND=./../fake-ssh GIT_SSH_VARIANT=simple test_expect_code 128 upload ports r >out && grep "simple.*port" out
'

# what_it_says REPO PATTERN: upload fails for good with that.
what_it_says() {
	test_expect_code 128 upload "$1" r >out 2>err || return
	cat out err
	grep "^fatal $2" out
}

test_expect_success 'errors: no git-dvx-transfer there, noise, a closed port, a wrong key, no such host' '
	transfer_repo errors "ssh://$host:$SSH_PORT$far/errors" && store_file errors data >r && git -C errors config dvx.retries 1 &&
	git -C errors config dvx-remote.storage.servecommand no-such-program &&
	what_it_says errors "unsupported .*no .no-such-program. in its PATH.*dvx-remote.storage.servecommand" &&
	git -C errors config dvx-remote.storage.servecommand "echo Welcome to the machine; git-dvx-transfer" &&
	what_it_says errors "unsupported .*says .Welcome to the machine. before" &&
	git -C errors config dvx-remote.storage.servecommand "exit 3;" && what_it_says errors "unsupported .*exit status 3" &&
	git -C errors config dvx-remote.storage.servecommand "$(command -v git-dvx-transfer)" && upload errors r >out && grep "^ok" out &&
	git -C errors config dvx-remote.storage.url "ssh://$host:1$far/errors" && what_it_says errors "remote .*accepts no ssh connections" &&
	test "$(grep -c "Connection refused" err)" = 1 &&
	git -C errors config dvx-remote.storage.url "ssh://$host:$SSH_PORT$far/errors" && ssh-keygen -q -t ed25519 -N "" -f other-key &&
	sed "s|^  IdentityFile .*|  IdentityFile \"$TRASH/other-key\"|" "$SSH_CONFIG" >other-config &&
	GIT_SSH_COMMAND="ssh -F ../other-config" what_it_says errors "denied .*cannot log in" && test "$(grep -c "Permission denied" err)" = 1 &&
	sed "s|^  UserKnownHostsFile .*|  UserKnownHostsFile /dev/null|" "$SSH_CONFIG" >unknown-config &&
	GIT_SSH_COMMAND="ssh -F ../unknown-config" what_it_says errors "denied .*does not know the key"
'

test_expect_success 'a store that does not exist yet' '
	transfer_repo lonely "ssh://$host:$SSH_PORT$far/nowhere" && quick lonely && test_expect_code 128 download lonely r >out &&
	grep "^fatal notfound .*storage.* does not exist yet.*git dvx push" out && test ! -e "$far/nowhere"
'

test_expect_success 'a forced command fixes the directory, --read-only and --no-remove hold' '
	transfer_repo forced "ssh://$host:$SSH_PORT/somewhere/else" && store_file forced data >r && quick forced &&
	git -C forced config dvx-remote.storage.servecommand "git-dvx-transfer serve $far/forced; exit; :" &&
	upload forced r >out && grep "^ok" out && test -e "$far/forced/format" && test ! -e /somewhere &&
	random_file data2 90000 forced2 && store_file forced data2 >r2 && before=$(find "$far/forced" -type f | sort) &&
	git -C forced config dvx-remote.storage.servecommand "git-dvx-transfer serve --read-only $far/forced; exit; :" &&
	test_expect_code 128 upload forced r2 >out && grep "^fatal denied .*reading only" out && test "$before" = "$(find "$far/forced" -type f | sort)" &&
	transfer_repo reader "ssh://$host:$SSH_PORT/x" && git -C reader config dvx-remote.storage.servecommand "git-dvx-transfer serve --read-only $far/forced; exit; :" &&
	download reader r && has_objects reader r &&
	git -C forced config dvx-remote.storage.servecommand "git-dvx-transfer serve --no-remove $far/forced; exit; :" &&
	upload forced r2 >out && grep "^ok" out
'

test_expect_success 'a connection that ends in the middle is made again' '
	transfer_repo flaky "ssh://$host:$SSH_PORT$far/flaky" && random_file big 150M flaky && store_file flaky big >r-big &&
	git -C flaky config dvx.limitRate 60m &&
	{ upload flaky r-big >out & } && pid=$! && n=0 &&
	while [ $n -lt 3 ]; do sleep 0.5 && n=$((n + 1)) && { kill_ssh_sessions || :; } || return 1; done &&
	wait $pid && grep "^ok" out && transfer_repo flaky2 "ssh://$host:$SSH_PORT$far/flaky" && download flaky2 r-big && has_objects flaky2 r-big
'

test_expect_success 'kill -9 of both ends in the middle: nothing half-written has a name, the next push goes on' '
	transfer_repo killed "ssh://$host:$SSH_PORT$far/killed" && random_file big2 200M killed && store_file killed big2 >r-big2 && git -C killed config dvx.limitRate 100m &&
	{ (cd killed && exec git-dvx-transfer batch upload <../r-big2 >../out) & } && pid=$! && n=0 &&
	until ls "$far"/killed/packs/*/*.pack; do sleep 0.1 && n=$((n + 1)) && test $n -lt 300 || return 1; done &&
	{ kill -9 $pid; wait $pid; kill_ssh_sessions; ls "$far"/killed/packs/*/*.pack >before; } &&
	for f in "$far"/killed/packs/*/*.pack; do test "$(oid_of "$f").pack" = "$(basename "$f")" || return 1; done &&
	git -C killed config --unset dvx.limitRate && upload killed r-big2 >out && grep "^ok" out &&
	while read -r f; do test -e "$f" || return 1; done <before && test "$(stored_bytes "$far/killed/packs")" -lt 215000000 &&
	transfer_repo killed2 "ssh://$host:$SSH_PORT$far/killed" && download killed2 r-big2 && has_objects killed2 r-big2
'

test_expect_success 'a put that fails there says once that it cannot write' '
	transfer_repo unwritable "ssh://$host:$SSH_PORT$far/unwritable" && quick unwritable && random_file data 100000 unw && store_file unwritable data >r && upload unwritable r >out && grep "^ok" out &&
	rm -rf "$far/unwritable/packs" && echo "no folder" >"$far/unwritable/packs" && random_file data 100000 unw2 && store_file unwritable data >r && { upload unwritable r >out || :; } && cat out &&
	test "$(grep -o "cannot write to remote" out | sort | uniq -c | sed "s/^ *//;s/ .*//")" = "$(grep -c "cannot write to remote" out)"
'

test_done
