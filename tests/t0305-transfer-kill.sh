#!/bin/sh
test_description='kill -9 and signals during transfers: nothing acknowledged is lost, a push is resumed, no garbage is data'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

rounds=${DVX_KILL_ROUNDS:-20}
writers='1 2 3 4 5 6 7 8'

# random MAX: a number from 0 to MAX - 1
random() {
	od -An -N4 -tu4 /dev/urandom | awk -v max="$1" '{ print $1 % max }'
}

# write_round WRITER ROUND: a push that is killed after up to 120 ms (every fourth one may finish).
write_round() {
	(
		cd "writer$1" || exit 1
		git-dvx-transfer batch upload <"../request.$1.$2" >"../answer.$1.$2" 2>"../err.$1.$2" &
		if [ "$(random 4)" != 0 ]; then
			sleep "0.$(printf %03d "$(random 120)")"
			kill -9 $! 2>/dev/null
		fi
		wait $!
	) 2>/dev/null
}

# acknowledged: what any writer was told is there, as requests.  A last line that was cut off by the kill has no LF and does not count.
acknowledged() {
	cat answer.*.* 2>/dev/null | grep -E '^(ok [0-9a-f]{64} [0-9]+|present [0-9a-f]{64})$' | cut -d' ' -f2 | sort -u >acked.oids
	sort -u request.*.* | grep -F -f acked.oids
}

test_expect_success 'set up 8 writers with objects of their own and shared ones' '
	random_file shared1 700000 shared1 && random_file shared2 5000 shared2 &&
	for w in $writers; do
		transfer_repo "writer$w" "$TRASH/store" &&
		for r in $(seq "$rounds"); do
			random_file new1 $((90000 * w)) "$w.$r.1" && random_file new2 $((500 * w)) "$w.$r.2" &&
			{ store_file "writer$w" new1 && store_file "writer$w" shared1 && store_file "writer$w" shared2 &&
			  store_file "writer$w" new2 && test "$r" = 1 || cat "request.$w.$((r - 1))"; } | sort -u >"request.$w.$r" || return 1
		done || return 1
	done
'

test_expect_success "$rounds rounds of 8 killed writers beside 2 readers: whatever was acknowledged can be read" '
	: >reader.failed &&
	for r in $(seq "$rounds"); do
		acknowledged >known.$r
		for w in $writers; do write_round "$w" "$r" & done
		for reader in 1 2; do
			( rm -rf "reader$reader" && transfer_repo "reader$reader" "$TRASH/store" && test ! -s known.$r ||
			  download "reader$reader" known.$r >"read.$reader" && has_objects_quick "reader$reader" known.$r ||
			  { echo "round $r reader $reader"; cat "read.$reader"; } >>reader.failed ) &
		done
		wait
	done &&
	cat reader.failed && test ! -s reader.failed && acknowledged >known && echo "$(grep -c . known) objects acknowledged" && test -s known &&
	transfer_repo last "$TRASH/store" && download last known >out && has_objects last known
'

test_expect_success 'every file at a final path is whole, and no writer complained' '
	for f in $(cd store && find packs fragments -type f); do
		n=$(basename "$f") && test "$(oid_of "store/$f")" = "${n%.*}" || { echo "bad: $f"; return 1; }
	done && ! cat err.*.* | grep -v -e "^$" -e "Unable to get registers from thread" # the leak checker, killed in its work
'

test_expect_success 'the same pushes, left alone, complete' '
	for w in $writers; do upload "writer$w" "request.$w.$rounds" >out || { cat out; return 1; }; done &&
	sort -u request.*."$rounds" >everything && transfer_repo all "$TRASH/store" && download all everything >out && has_objects all everything
'

# start_big [N]: push in the background until N (2) packs are there, slowly, so that it is not done then; its pid in $pid.
start_big() {
	git -C big config dvx.limitRate 60m
	(cd big && exec git-dvx-transfer batch upload <../r-big >../answer 2>&1) &
	pid=$!
	while [ "$(find bigstore/packs -name '*.pack' 2>/dev/null | wc -l)" -lt "${1:-2}" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
	git -C big config --unset dvx.limitRate
}

test_expect_success 'a push that was killed does not send its packs again' '
	transfer_repo big "$TRASH/bigstore" && random_file large 300M large && store_file big large >r-big && rm large &&
	start_big && { kill -9 $pid; wait $pid; ! grep "^ok" answer; } && sleep 0.1 &&
	before=$(stored_bytes bigstore/packs) && packs=$(ls big/.git/dvx/remotes/*/sent | wc -l) && test "$packs" -ge 1 &&
	upload big r-big >out && sent=$(sed -n "s/^ok [^ ]* //p" out) && echo "$before there, $sent sent, $packs packs remembered" &&
	test "$sent" -le $((315000000 - packs * 66000000)) &&
	transfer_repo big2 "$TRASH/bigstore" && download big2 r-big && has_objects big2 r-big && test -z "$(ls big/.git/dvx/remotes/*/sent)"
'

test_expect_success 'SIGTERM and SIGINT: exit 130, no temporary files, and the next push completes' '
	for sig in TERM INT; do
		rm -rf bigstore big/.git/dvx/remotes && start_big 1 && kill -$sig $pid; code=0; wait $pid || code=$?
		test "$code" = 130 || { echo "exit $code"; cat answer; return 1; }
		grep "^fatal interrupted" answer && test -z "$(ls -A bigstore/tmp)" && test -z "$(ls bigstore/fragments)" || return 1
	done && upload big r-big
'

test_expect_success 'a download that is killed or stopped leaves nothing at a final path' '
	for sig in KILL TERM; do
		rm -rf stopped && transfer_repo stopped "$TRASH/bigstore" && git -C stopped config dvx.limitRate 60m &&
		{ (cd stopped && exec git-dvx-transfer batch download <../r-big >../answer) & } && pid=$! &&
		while test -z "$(find stopped/.git/lfs/incomplete -type f -size +64k 2>/dev/null)" && kill -0 $pid; do sleep 0.01; done && kill -$sig $pid; wait $pid
		git -C stopped config --unset dvx.limitRate
		test -z "$(find stopped/.git/lfs/objects -type f 2>/dev/null)" || return 1
	done && test -z "$(find stopped/.git/lfs/tmp stopped/.git/dvx -type f -size +1M)" && download stopped r-big && has_objects stopped r-big &&
	test -z "$(ls stopped/.git/lfs/incomplete)"
'

test_done
