#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='kill -9 at random moments of push and pull: resumed, right, and what was sent is not sent again (bytes counted)'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

# LARGE=1: 100 kills of each direction and kind; else so many pushes and pulls of a directory, and fewer of the others.
kills=${DVX_KILLS:-20} fewer=4
[ -z "${LARGE:-}" ] || kills=100 fewer=100

# The data: a large object of four packs, and small ones.  What a kill may cost: a push the packs that are under way (being
# sent or filled), a pull the ranges that are being read ahead and a run of small objects.
size=209715200 pack=67108864 range=4194304 run=8388608

# random MAX: a number from 0 to MAX - 1
random() {
	od -An -N4 -tu4 /dev/urandom | awk -v max="$1" '{ print $1 % max }'
}

# kill_in_between REPO DIRECTION MS: a transfer that is killed after up to MS milliseconds.  0 when it was through before.
kill_in_between() {
	(
		cd "$1" || exit 1
		GIT_DVX_TRACE=$TRASH/trace git-dvx-transfer batch "$2" <"$TRASH/requests" >"$TRASH/answers" 2>"$TRASH/err" &
		sleep "$(random "$3" | awk '{ printf "%.3f", $1 / 1000 }')"
		kill -9 $!
		wait $!
	) 2>/dev/null
	tail -n 1 answers | grep -qx 'done'
}

# moved get|put: bytes of blobs by the requests that were answered.
moved() {
	awk -v op="$1" '$2 == op && $6 >= 0 { split($4, at, "+"); n += op == "get" ? $6 : at[2] } END { printf "%.0f\n", n }' trace
}

# killed_pushes N MS: pushes to new stores until N of them were killed; then the last one, to its end.  $store_number is the store's.
killed_pushes() {
	killed=0 this=0 store_number=0 sent_again=0 && push_to_new_store || return
	while [ $killed -lt "$1" ]; do
		if kill_in_between origin upload "$2"; then
			push_is_right && push_to_new_store || return
		else
			killed=$((killed + 1)) this=$((this + 1))
		fi
	done
	GIT_DVX_TRACE=$TRASH/trace upload origin requests >answers && push_is_right &&
		echo "$killed pushes killed, $((store_number)) stores; $((sent_again >> 10)) KiB were sent more than once"
}
push_to_new_store() {
	store_number=$((store_number + 1)) this=0 && : >trace && : >answers &&
		git -C origin config dvx-remote.storage.url "$(store_url "$store_number")" && rm -rf origin/.git/dvx/remotes
}
push_is_right() {
	sent=$(moved put) && echo "$sent bytes put with $this kills" &&
		test "$sent" -le $((size * 102 / 100 + this * 2 * pack)) &&
		sent_again=$((sent_again + (sent > size * 102 / 100 ? sent - size * 102 / 100 : 0)))
}

# killed_pulls N MS: pulls from that store into new repositories until N of them were killed, and the last one to its end.
killed_pulls() {
	killed=0 this=0 number=0 again=0 && pull_into_new_repo || return
	while [ $killed -lt "$1" ]; do
		if kill_in_between clone download "$2"; then
			pull_is_right && pull_into_new_repo || return
		else
			killed=$((killed + 1)) this=$((this + 1))
		fi
	done
	GIT_DVX_TRACE=$TRASH/trace download clone requests >answers && pull_is_right &&
		echo "$killed pulls killed, $number repositories; $((again >> 10)) KiB were fetched more than once"
}
pull_into_new_repo() {
	number=$((number + 1)) this=0 && rm -rf clone && : >trace && : >answers && transfer_repo clone "$(store_url "$store_number")" &&
		store_settings clone && git -C clone config dvx.jobs 4 && git -C clone config dvx.limitRate 150m
}
pull_is_right() {
	got=$(moved get) && echo "$got bytes read with $this kills" && has_objects clone requests &&
		test -z "$(ls clone/.git/lfs/incomplete)" && test "$got" -le $((size * 102 / 100 + this * (8 * range + run))) &&
		again=$((again + (got > size * 102 / 100 ? got - size * 102 / 100 : 0)))
}

test_expect_success 'setup' '
	transfer_repo origin none && random_file large $size large && store_file origin large >requests && many_files origin 300 >>requests
'

store_settings() { :; }
store_url() { echo "$TRASH/stores/$1"; }
test_expect_success "a directory: $kills pushes killed" 'killed_pushes $kills 900'
test_expect_success "a directory: $kills pulls killed" 'killed_pulls $kills 900'
rm -rf stores

if test_have_prereq RGW; then
	MEMSTORE_BYTES=$((4294967296 + fewer * 100000000)) && export MEMSTORE_BYTES
	start_rgw && start_faults && new_bucket kills
fi
store_settings() {
	git -C "$1" config dvx-remote.storage.endpointurl "$FAULT_ENDPOINT"
}
store_url() { echo "s3://kills/$1"; }
test_expect_success RGW "S3: $fewer pushes killed" '
	store_settings origin && fault && killed_pushes $fewer 2500 &&
	up=$(fault_bytes_up "PUT") && echo "$up bytes of bodies arrived" &&
	test "$up" -le $((store_number * size * 102 / 100 + fewer * 3 * pack))
'
test_expect_success RGW "S3: $fewer pulls killed" '
	fault_mark && killed_pulls $fewer 1500 && down=$(fault_bytes_down "GET") && echo "$down bytes of bodies left" &&
	test "$down" -le $((number * size * 102 / 100 + fewer * (16 * range + run)))
'

if test_have_prereq SSHD; then
	start_sshd 2>sshd.err || echo "# no SSH server for us: $(cat sshd.err)"
fi
[ -z "${SSH_CONFIG:-}" ] || test_set_prereq SSH_SERVER
store_settings() {
	git -C "$1" config core.sshCommand "$GIT_SSH_COMMAND"
}
store_url() { echo "ssh://$SSH_HOST$SSH_FAR_HOME/kills/$1"; }
test_expect_success SSH_SERVER "SSH: $fewer pushes killed" 'store_settings origin && killed_pushes $fewer 5000'
test_expect_success SSH_SERVER "SSH: $fewer pulls killed" 'killed_pulls $fewer 1500'

test_done
