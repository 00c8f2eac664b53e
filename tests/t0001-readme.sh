#!/bin/sh
test_description='the tour of README.md, typed as it stands there'
. "$(dirname "$0")/lib.sh"

# The shell blocks of the tour, each into a file of its own; "command   # value" must print that value,
# "# nothing" nothing.
awk -v dir="$TRASH" '
/^<!-- tour/ { tour = 1 }
/^<!-- end of tour/ { tour = 0 }
tour && /^```sh/ { n++; block = 1; next }
/^```/ { block = 0 }
tour && block {
	if (match($0, / +# [0-9]+$/)) {
		value = $NF
		printf "test \"$(%s)\" = %s &&\n", substr($0, 1, RSTART - 1), value >(dir "/block" n)
	} else if (sub(/ +# nothing$/, "")) {
		printf "test -z \"$(%s)\" &&\n", $0 >(dir "/block" n)
	} else {
		sub(/ +# .*/, "")
		if (NF)
			print $0 " &&" >(dir "/block" n)
	}
}' "$dvx_top/README.md"

test_expect_success 'the tour has its three parts' '
	test -s block1 && test -s block2 && test -s block3 && test ! -e block4 &&
	for n in 1 2 3; do echo : >>block$n || return 1; done
'

test_expect_success 'installed once per user' 'git dvx install'

test_expect_success 'first data in a commit' '
	cat "$TRASH/block1" && . "$TRASH/block1" &&
	git cat-file blob HEAD:data/projects.csv >"$TRASH/staged" &&
	is_pointer "$TRASH/staged" &&
	test -z "$(git status --porcelain)"
'

test_expect_success 'a new version, and back' '
	cat "$TRASH/block2" && . "$TRASH/block2" &&
	is_clean
'

test_expect_success 'push, and a clone with the data' '
	cat "$TRASH/block3" && . "$TRASH/block3" &&
	is_clean
'

test_done
