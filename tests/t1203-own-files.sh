#!/bin/sh
# shellcheck disable=SC2034
test_description="wide patterns, whatever their order, leave Git's own files and our settings alone"
. "$(dirname "$0")/lib.sh"

untouched() {
	git check-attr filter -- .gitattributes .gitignore .gitmodules .dvxconfig .lfsconfig >../attrs && ! grep "filter: dvx" ../attrs
}

test_expect_success 'two wide patterns, one after the other' '
	dvx_repo repo && cd repo && git dvx track "**" && untouched && git dvx track "*" && untouched && git dvx track . && untouched &&
	cp .gitattributes ../before && git dvx track "*" "**" . && test_cmp ../before .gitattributes
'

test_done
