#!/bin/sh
# shellcheck disable=SC2034
test_description='settings that have just changed are used at once, wherever they come from'
. "$(dirname "$0")/lib.sh"

test_expect_success 'a .dvxconfig that a push brings into a bare repository counts at once' '
	git init -q --bare bare.git && dvx_repo repo && cd repo && git rm -q -f --ignore-unmatch .dvxconfig &&
	git commit -q --allow-empty -m 0 && git push -q --no-verify ../bare.git HEAD:main &&
	sleep 0.1 && git -C ../bare.git dvx env && git -C ../bare.git dvx remote list >../before && test ! -s ../before &&
	git dvx remote add -d storage /srv/blob && git add .dvxconfig && git commit -q -m 1 && git push -q --no-verify ../bare.git HEAD:main &&
	git -C ../bare.git dvx remote list >../after && grep "^storage" ../after
'

test_expect_success 'a value written a moment ago is the one that counts' '
	i=0 && while test $i -lt 30; do
		i=$((i + 1)) && git config dvx.remote r$i && test "$(git dvx remote default)" = r$i &&
		git config --file .dvxconfig dvx-remote.s.url /srv/$i && git dvx remote list >../list && grep "/srv/$i\$" ../list || return 1
	done
'

test_done
