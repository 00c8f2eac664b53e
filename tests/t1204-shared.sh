#!/bin/sh
# shellcheck disable=SC2034
test_description='core.sharedRepository: what one of the group writes, the others can use'
. "$(dirname "$0")/lib.sh"

# Directories of ours that the group cannot write.
closed() { find "$@" -type d ! -perm -2070; }

test_expect_success 'directories of a shared repository are shared, whatever the umask' '
	(umask 077 && dvx_repo repo --shared=group && cd repo && git dvx track "*.bin" && random_file a.bin 100000 a && random_file s.bin 500 s &&
		git add -A && git commit -q -m 1 && rm a.bin s.bin && git checkout -q . && git dvx checkout) &&
	closed repo/.git/dvx repo/.git/lfs >closed && test_must_be_empty closed
'

test_done
