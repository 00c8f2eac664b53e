#!/bin/sh
test_description='SSH that fails: one error that says why, nothing wrong on either side, and the next run completes'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/network-lib.sh"
need_sshd

ssh_remote() { # REPO
	git -C "$1" config dvx.remote storage && git -C "$1" config dvx-remote.storage.url "$url" &&
		git -C "$1" config dvx.stallSeconds 2 && git -C "$1" config dvx.retries 1
}

# ssh-faults: an ssh whose connection is cut, silent or full of noise, as SSH_FAULT says.
test_expect_success 'set up' '
	mkdir bin && cat >bin/ssh-faults <<-\END &&
		#!/bin/sh
		[ "$1" != -G ] || exec $REAL_SSH "$@" # asks for the configuration alone
		case ${SSH_FAULT:-none} in
		none) exec $REAL_SSH "$@" ;;
		cut-down) $REAL_SSH "$@" | head -c "$SSH_BYTES" ;;
		cut-up) head -c "$SSH_BYTES" | $REAL_SSH "$@" ;;
		noise) echo "Welcome to the machine"; exec $REAL_SSH "$@" ;;
		noise-later) $REAL_SSH "$@" | { head -c "$SSH_BYTES"; head -c 100000 /dev/urandom; } ;;
		only-noise) head -c 300000 /dev/urandom ;;
		silent) exec sleep 60 ;;
		silent-later) $REAL_SSH "$@" | { head -c "$SSH_BYTES"; sleep 60; } ;;
		ends) exit 255 ;;
		esac
	END
	chmod +x bin/ssh-faults && REAL_SSH=$GIT_SSH_COMMAND && GIT_SSH_COMMAND=$TRASH/bin/ssh-faults && export REAL_SSH &&
	GIT_SSH_COMMAND="\"$GIT_SSH_COMMAND\"" && store=$SSH_FAR_HOME/store && url=ssh://127.0.0.1$store &&
	network_repo && ssh_remote origin
'

ssh_clone() {
	rm -rf clone && GIT_LFS_SKIP_SMUDGE=1 git clone -q origin.git clone && ssh_remote clone
}

store_is_sound() {
	find "$store/packs" "$store/fragments" -type f 2>/dev/null | while read -r ss_file; do
		case $(basename "$ss_file") in
		"$(sha256sum <"$ss_file" | cut -d' ' -f1)".*) ;;
		*) echo "bad: $ss_file"; exit 1 ;;
		esac
	done
}

ssh_push_fails() { # FAULT BYTES [REGEX...]
	spf_fault=$1 spf_bytes=$2
	shift 2
	rm -rf "$store" origin/.git/dvx/remotes &&
		(cd origin && SSH_FAULT=$spf_fault SSH_BYTES=$spf_bytes test_must_fail git dvx push >../out 2>../err) &&
		one_error err "$@" && store_is_sound && (cd origin && git dvx push) && store_is_sound &&
		ssh_clone && (cd clone && git dvx pull) && all_right
}

ssh_pull_fails() { # FAULT BYTES [REGEX...]
	spf_fault=$1 spf_bytes=$2
	shift 2
	ssh_clone && (cd clone && SSH_FAULT=$spf_fault SSH_BYTES=$spf_bytes test_must_fail git dvx pull >../out 2>../err) &&
		nothing_wrong && one_error err "$@" && (cd clone && git dvx pull) && all_right
}

test_expect_success 'push: the connection ends in the middle' 'ssh_push_fails cut-up 3000000 "127.0.0.1"'
test_expect_success 'push: answers end' 'ssh_push_fails cut-down 200 "127.0.0.1"'
test_expect_success 'push: ssh fails' 'ssh_push_fails ends 0 "127.0.0.1" "ssh"'
test_expect_success 'push: silence' 'ssh_push_fails silent 0 "127.0.0.1" "silent|no answer|did not answer|2 s"'
test_expect_success 'push: noise instead of an answer' 'ssh_push_fails only-noise 0 "127.0.0.1"'
test_expect_success 'push: noise in the middle' 'ssh_push_fails noise-later 130 "127.0.0.1"'

test_expect_success 'pull: the connection ends in the middle' 'ssh_pull_fails cut-down 3000000 "127.0.0.1"'
test_expect_success 'pull: requests end' 'ssh_pull_fails cut-up 150 "127.0.0.1"'
test_expect_success 'pull: silence' 'ssh_pull_fails silent 0 "127.0.0.1"'
test_expect_success 'pull: silence in the middle' 'ssh_pull_fails silent-later 3000000 "127.0.0.1" "silent|no answer|did not answer|2 s"'
test_expect_success 'pull: noise in the middle' 'ssh_pull_fails noise-later 3000000 "127.0.0.1"'

test_expect_success 'a start-up file of the far shell that talks is no harm, or is named' '
	ssh_clone && if (cd clone && SSH_FAULT=noise git dvx pull >../out 2>../err); then
		all_right
	else
		one_error err "Welcome to the machine" && nothing_wrong
	fi
'

test_expect_success 'the server kills the session in the middle of a pull' '
	ssh_clone && git -C clone config dvx.retries 5 && git -C clone config dvx.limitRate 3000000 &&
	{ (cd clone && git dvx pull >../out 2>../err) & pull=$!; } && sleep 1 && kill_ssh_sessions &&
	{ wait $pull || cat err; } && nothing_wrong && (cd clone && git config --unset dvx.limitRate && git dvx pull) && all_right
'

test_expect_success 'nobody lets us in' '
	ssh_clone && mv "$dvx_servers/sshd/authorized" auth &&
	{ (cd clone && test_must_fail git dvx pull 2>../err); result=$?; mv auth "$dvx_servers/sshd/authorized"; } &&
	test $result = 0 && one_error err "127.0.0.1" "permission denied|publickey" && nothing_wrong
'

test_expect_success 'git-dvx-transfer is not there' '
	ssh_clone && git -C clone config dvx-remote.storage.servecommand no-such-program &&
	(cd clone && test_must_fail git dvx pull 2>../err) && one_error err "no-such-program" "install|servecommand" && nothing_wrong
'

test_done
