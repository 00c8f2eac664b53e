#!/bin/sh
# shellcheck disable=SC2034,SC2154
test_description='git dvx fsck --repair where nothing can be written'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

# no_room COMMAND...: files cannot grow beyond 50 KB.
no_room() {
	(trap '' XFSZ && ulimit -f 100 && "$@")
}

test_expect_success 'setup: a damaged pack and a damaged whole object' '
	dvx_repo repo && cd repo && git dvx remote add -d storage "$TRASH/blobs" && git dvx track "*.bin" && random_file big.bin 200K big &&
	for i in 1 2 3 4 5 6 7 8 9; do random_file s$i.bin 30K s$i || return 1; done && git add -A && git commit -q -m a && git dvx push && ls .git/dvx/packs/*.pack >packs &&
	flip_byte "$(head -n 1 packs)" 300 && flip_byte "$(object_path . "$(oid_of big.bin)")" 1000 && sha256sum .git/dvx/packs/*.pack >before
'

test_expect_success 'the reason is told, and what was good stays' '
	test_expect_code 1 no_room git dvx fsck --repair >out && grep "not repaired: .*File too large" out && sha256sum -c before && find .git/dvx .git/lfs -name "gc-*" -o -path "*/tmp/*" -type f >left && ! test -s left
'

test_expect_success 'with room it is repaired' '
	git dvx fsck --repair >out && git dvx fsck
'
test_done
