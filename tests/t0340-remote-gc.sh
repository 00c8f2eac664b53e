#!/bin/bash
test_description='git-dvx-transfer gc: what nobody needs is removed in two steps, a day apart, and nothing else is'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/gc-lib.sh"

day=86401

# push NAME SIZE: a new object of that size, pushed; its request in r.NAME.
push() {
	random_file "$1" "$2" "$1" && store_file origin "$1" >"r.$1" && upload origin "r.$1" >out && grep -q "^ok " out
}
# fresh: an empty store with two objects, `keep` and `drop`, in fragments of their own.
fresh() {
	rm -rf store origin && transfer_repo origin "$TRASH/store" && push keep 300000 && push drop 200000
}
# complete REQUESTS: a new clone gets every object.
complete() {
	rm -rf reader && transfer_repo reader "$TRASH/store" && download reader "$1" >out && has_objects reader "$1"
}

test_expect_success 'a store that is not there yet' '
	transfer_repo origin "$TRASH/store" && : >nothing && gc origin nothing && test "$(said packs)" = 0 && tail -n 1 .gc | grep -x done && test ! -e store
'

test_expect_success 'a list without its end: nothing is done' '
	fresh && older store $day && (cd origin && test_expect_code 128 git-dvx-transfer gc <../r.keep >../out) && grep "^fatal invalid .*no end" out &&
	test "$(blobs store notice)" = 0
'

test_expect_success 'what is young stays, needed or not' '
	fresh && gc origin r.keep && test "$(said noticed-fragments)" = 0 && test "$(said noticed-packs)" = 0 && test "$(blobs store notice)" = 0 && complete r.drop
'

test_expect_success 'a dry run says what would be done, and does nothing' '
	older store $day && find store -type f | sort >before && gc origin r.keep --dry-run && test "$(said noticed-fragments)" = 1 && test "$(said noticed-packs)" = 1 &&
	find store -type f | sort >after && test_cmp before after
'

test_expect_success 'first run: under notice, all is still there' '
	gc origin r.keep && test "$(said noticed-fragments)" = 1 && test "$(said noticed-packs)" = 1 && test "$(said due)" -gt "$(date +%s)" &&
	test "$(said objects)" = 1 && test "$(blobs store notice)" = 1 && complete r.drop && complete r.keep
'

test_expect_success 'a second run at once removes nothing, and puts no second notice' '
	gc origin r.keep && test "$(said removed-fragments)" = 0 && test "$(said noticed-fragments)" = 0 && test "$(blobs store notice)" = 1
'

test_expect_success 'a run a day later removes it, the needed rest stays' '
	older store $day && gc origin r.keep && test "$(said removed-fragments)" = 1 && test "$(said removed-packs)" = 1 && test "$(said removed-bytes)" -gt 200000 &&
	test "$(blobs store pack)" = 1 && test "$(blobs store idx)" = 1 && complete r.keep && rm -rf reader && transfer_repo reader "$TRASH/store" &&
	test_expect_code 1 download reader r.drop >out && grep "^error .* notfound" out
'

test_expect_success 'the notice stays for half a day, then it goes, then what said so' '
	test "$(blobs store notice)" = 2 && gc origin r.keep && test "$(blobs store notice)" = 2 && older store 43300 && gc origin r.keep &&
	test "$(blobs store notice)" = 1 && gc origin r.keep && test "$(blobs store notice)" = 0 && complete r.keep
'

test_expect_success 'needed again while under notice: not removed' '
	fresh && older store $day && gc origin r.keep && older store $day && cat r.keep r.drop >both && gc origin both && test "$(said removed-fragments)" = 0 &&
	test "$(said rescued-fragments)" = 1 && test "$(said removed-packs)" = 0 && complete both && older store $day && gc origin both && gc origin both &&
	test "$(blobs store notice)" = 0 && upload origin both >out && test "$(grep -c ^present out)" = 2
'

test_expect_success 'a writer sends again what is under notice, under a new name, and that stays' '
	fresh && rm -rf early && cp -r origin early && older store $day && gc origin r.keep && upload origin r.drop >out && grep "^ok .* 200[0-9]*" out &&
	test "$(blobs store pack)" = 3 && test "$(blobs store idx)" = 3 && upload origin r.drop >out && grep ^present out &&
	older store $day && cat r.keep r.drop >both && gc origin both && test "$(said removed-fragments)" = 1 && test "$(said removed-packs)" = 1 && complete both
'

test_expect_success 'packs of a killed push of this clone are not used once they are under notice' '
	rm -rf store origin && transfer_repo origin "$TRASH/store" && push keep 300000 && random_file big 3000000 big && store_file origin big >r.big && upload origin r.big >/dev/null &&
	f=$(ls -t store/fragments/* | head -n 1) && rm "$f" && mkdir -p origin/.git/dvx/remotes/x && d=$(ls -d origin/.git/dvx/remotes/*/fragments) && d=${d%/fragments} &&
	mkdir -p "$d/sent" && p=$(find store/packs -name "*.pack" -size +1M) && { mv "$d/packs/$(basename "$p" .pack).idx" "$d/sent/" 2>/dev/null || cp "$d"/packs/*.idx "$d/sent/"; } &&
	older store $day && gc origin r.keep && test "$(said noticed-packs)" = 1 && upload origin r.big >out && grep "^ok .* 300[0-9]*" out && older store $day && cat r.keep r.big >both &&
	gc origin both && test "$(said removed-packs)" = 1 && complete both
'

test_expect_success 'what dedupe refers to is needed: the new version keeps the old pack' '
	rm -rf store origin && transfer_repo origin "$TRASH/store" && push old 3000000 && older store $day && { cat old; echo more; } >new && store_file origin new "$(oid_of old)" >r.new &&
	upload origin r.new >out && sent=$(sed -n "s/^ok [^ ]* //p" out) && test "$sent" -lt 600000 && older store $day && gc origin r.new && older store $day && gc origin r.new &&
	test "$(said removed-packs)" = 0 && complete r.new
'

test_expect_success 'a writer refuses to go on when a notice cannot be read, a reader does not, a gc removes nothing' '
	fresh && older store $day && gc origin r.keep && older store $day && n=$(ls store/fragments/*.notice) && cp -p "$n" good && rm -rf origin/.git/dvx/remotes &&
	for at in 3 20 60 100 200; do
		cp good "$n" && flip_byte "$n" $at && test_expect_code 128 upload origin r.drop >out && grep "^fatal corrupt .*notice.*fsck --remote --repair" out &&
		test_expect_code 128 gc origin r.keep && grep "^fatal corrupt .*$n" .gc && complete r.keep && complete r.drop || return 1
	done && test "$(blobs store notice)" = 1 && test "$(blobs store pack)" = 2 &&
	printf "git-dvx notice 2\n" >later && mv "$n" hidden && cp later "store/fragments/$(oid_of later).notice" && test_expect_code 128 upload origin r.drop >out && grep "^fatal unsupported .*version" out &&
	test_expect_code 128 gc origin r.keep && grep "^fatal unsupported" .gc && complete r.keep && rm "store/fragments/$(oid_of later).notice" && mv hidden "$n" && cp -p good "$n" && gc origin r.keep && test "$(said removed-packs)" = 1
'

test_expect_success 'a damaged fragment: nothing is removed, and what to do is said' '
	fresh && older store $day && gc origin r.keep && older store $day && rm -rf origin/.git/dvx/remotes && f=$(ls store/fragments/*.idx | head -n 1) && flip_byte "$f" 60 &&
	test_expect_code 128 gc origin r.keep 2>err && grep "^fatal corrupt .*fsck --remote --repair" .gc && test "$(blobs store pack)" = 2 && test "$(blobs store idx)" = 2
'

test_expect_success 'a repair restores damaged notices and fragments from the cache, or removes them: then all goes on' '
	fresh && older store $day && gc origin r.keep && rm -rf cacheless && cp -r origin cacheless && rm -rf cacheless/.git/dvx && cp -rp store pristine && f=$(ls store/fragments/*.idx | head -n 1) &&
	n=$(ls store/fragments/*.notice) && flip_byte "$f" 60 && flip_byte "$n" 60 && cat r.keep r.drop >both && (cd origin && git-dvx-transfer fsck --repair <../both 2>../err) &&
	grep "^warning: a fragment was damaged, and is restored" err && grep "^warning: a notice .* restored" err && cmp "$f" "pristine/${f#store/}" && cmp "$n" "pristine/${n#store/}" && complete both &&
	flip_byte "$f" 60 && flip_byte "$n" 60 && test_expect_code 128 gc cacheless both && (cd cacheless && git-dvx-transfer fsck --repair <../both 2>../err >../out) &&
	grep "^warning: a fragment was damaged, and is removed" err && grep "^warning: a notice .* removed" err && ! test -e "$n" && gc cacheless both && complete both
'

test_expect_success 'a needed object whose pack is gone is missing; who names it stays' '
	fresh && rm "$(find store/packs -name "*.pack" -size +250k)" && older store $day && cat r.keep r.drop >both && gc origin both && test "$(said missing)" = 1 &&
	test "$(said objects)" = 1 && test "$(said noticed-fragments)" = 0
'

test_expect_success 'compaction: many small fragments become one, nothing is lost, the old ones go' '
	rm -rf store origin && transfer_repo origin "$TRASH/store" && : >all && for i in $(seq 20); do push "o$i" $((20000 + i)) && cat "r.o$i" >>all || return 1; done &&
	older store $day && head -n 15 all >needed && gc origin needed && test "$(said merged-fragments)" = 15 && test "$(said noticed-fragments)" = 20 && test "$(said noticed-packs)" = 5 &&
	test "$(blobs store idx)" = 21 && complete needed && upload origin needed >out && test "$(grep -c ^present out)" = 15 &&
	older store $day && gc origin needed && test "$(said removed-fragments)" = 20 && test "$(said removed-packs)" = 5 && test "$(blobs store idx)" = 1 && complete needed
'

test_expect_success 'repacking: what is needed moves out of worn packs, byte for byte' '
	rm -rf store origin && transfer_repo origin "$TRASH/store" && many_files origin 3000 >all && random_file v1 400000 v1 && store_file origin v1 >>all && { cat v1; echo 1; } >v2 &&
	store_file origin v2 "$(oid_of v1)" >later && upload origin all >/dev/null && upload origin later >/dev/null && awk "NR % 5 == 0" all | grep -v " v1$" >needed && cat later >>needed &&
	older store $day && gc origin needed --dry-run --repack && test "$(said repacked-bytes)" -gt 0 && before=$(stored_bytes store/packs) &&
	for i in $(seq 20); do push "s$i" 30000 && cat "r.s$i" >>needed || return 1; done && older store $day && gc origin needed --repack && test "$(said repacked-bytes)" -gt 600000 &&
	complete needed && older store $day && gc origin needed && complete needed && test "$(blobs store pack)" = 1 && test "$(blobs store idx)" = 1 && upload origin needed >out && ! grep ^ok out &&
	older store $day && gc origin needed --repack && test "$(said noticed-packs)" = 0 && test "$(said repacked-bytes)" = 0
'

test_expect_success 'two clones that put the same objects: one copy stays' '
	rm -rf store origin twin && transfer_repo origin "$TRASH/store" && transfer_repo twin "$TRASH/twin.store" && random_file a 300000 a && random_file b 1000 b && store_file origin a >r.a &&
	store_file twin a >r.a2 && store_file twin b >>r.a2 && upload origin r.a >/dev/null && upload twin r.a2 >/dev/null && sleep 1.1 && cp -r twin.store/. store/ && cat r.a2 >needed &&
	older store $day && touch -d "-$day seconds" $(find twin.store -type f) && gc origin needed && test "$(said noticed-fragments)" = 1 && older store $day && gc origin needed && test "$(said removed-packs)" = 1 && complete needed
'

# slow_push COMMAND...: a push that relies on `drop`; when its pack is there (and its fragment waits for the rate) it stands still for half the grace period (and COMMAND is run), then goes on.
# Its exit status in $code, what it said in slow.out.
slow_push() {
	random_file slow 600000 slow && { store_file origin slow && cat r.drop; } >r.slow && git -C origin config dvx.gcGrace 20 && git -C origin config dvx.limitRate 100k && : >slow.out &&
		{ (cd origin && exec git-dvx-transfer batch upload <../r.slow >../slow.out) & } && pid=$! && while test "$(blobs store pack)" -lt 3 && kill -0 $pid; do sleep 0.05; done &&
		kill -STOP $pid && git -C origin config --unset dvx.limitRate && "$@" && sleep 10 && kill -CONT $pid && { code=0 && wait $pid || code=$?; } && cat slow.out
}

test_expect_success 'a push that takes longer than half the grace period: says so when what it relied on came under notice' '
	fresh && older store $day && slow_push gc origin r.keep && test "$(said noticed-fragments)" = 1 &&
	test "$code" = 128 && grep "^fatal remote .*run it again" slow.out && upload origin r.slow >out && complete r.slow
'

test_expect_success 'a push that takes long, and nothing happened: goes on' '
	fresh && slow_push : && test "$code" = 0 && grep ^ok slow.out && complete r.slow
'

test_expect_success 'options' '
	git-dvx-transfer gc -h | grep -e "--repack" && test_expect_code 129 git-dvx-transfer gc --frob && test_expect_code 129 git-dvx-transfer gc what &&
	test_expect_code 128 gc origin r.keep --grace=soon && grep "^fatal invalid" .gc
'

test_done
