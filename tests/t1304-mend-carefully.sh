#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx fsck --remote --repair makes nothing worse'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"
. "$dvx_top/tests/servers-lib.sh"

# put_notice FILE: its bytes as a notice of the right name.
put_notice() {
	cp "$1" "$TRASH/blobs/fragments/$(oid_of "$1").notice"
}
line='created 1700000000 00112233445566778899aabbccddeeff'

test_expect_success 'notices that are none, under a right name: repaired, as the error says' '
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" && random_file a.bin 100K a && git add -A && git commit -q -m a && git dvx push &&
	: >none && head -c 3000 /dev/zero >zeros && printf "git-dvx notice 1\n$line\npack %064d\n" 1 >cut &&
	{ printf "git-dvx notice 1\n$line\n"; seq 100001 | sed "s/.*/pack 0000000000000000000000000000000000000000000000000000000000&/; s/pack .*\(.\{64\}\)$/pack \1/"; echo end; } >many &&
	for n in none zeros cut many; do
		put_notice $n && test_expect_code 128 git dvx push -A 2>err && grep "fsck --remote --repair. mends it" err && git dvx fsck --remote --repair && git dvx push -A && git dvx gc --remote || return 1
	done && test "$(find .git/dvx/bad -name "*.notice" | wc -l)" = 4
'

test_expect_success 'a notice of a later version stays' '
	printf "git-dvx notice 2\n$line\nend\n" >later && put_notice later && test_expect_code 128 git dvx push -A && { git dvx fsck --remote --repair || :; } && rm "$TRASH/blobs/fragments/$(oid_of later).notice" && git dvx push -A
'

test_expect_success 'a damaged fragment that nobody can restore: its bytes are kept' '
	rm -rf .git/dvx/remotes && f=$(ls "$TRASH"/blobs/fragments/*.idx | head -n 1) && flip_byte "$f" 60 && cp "$f" damaged && git dvx fsck --remote --repair && test_cmp_bin damaged ".git/dvx/bad/$(basename "$f")" && git dvx fsck --remote
'

# An rclone that damages the first fragment it reads, and no other.
test_expect_success RCLONE 'what is damaged on the way is not removed there' '
	mkdir "$TRASH/shim" && real=$(command -v rclone) && cat >"$TRASH/shim/rclone" <<-EOF && chmod +x "$TRASH/shim/rclone" &&
	#!/bin/sh
	case "\$*" in
	*cat*fragments/*.idx) if mkdir "$TRASH/damaged-once" 2>/dev/null; then "$real" "\$@" | tr "\\000" "\\001"; exit 0; fi ;;
	esac
	exec "$real" "\$@"
	EOF
	printf "[far]\ntype = local\n" >"$HOME/rclone.conf" && RCLONE_CONFIG="$HOME/rclone.conf" && export RCLONE_CONFIG && git dvx remote add far "rclone://far:$TRASH/far" && git dvx push -A -r far &&
	ls "$TRASH/far/fragments" >before && rm -rf .git/dvx/remotes && { PATH="$TRASH/shim:$PATH" git dvx fsck --remote --repair -r far >out 2>&1 || :; } && cat out && test -d "$TRASH/damaged-once" &&
	ls "$TRASH/far/fragments" >after && test_cmp before after && git dvx fsck --remote -r far
'
test_done
