#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx freeze, unfreeze, and what repro makes of frozen stages'
. "$(dirname "$0")/lib.sh"

ran() {
	sed -n "s/^Running stage '\(.*\)':\$/\1/p" ../out >../ran && printf '%s\n' "$@" | sed '/^$/d' | test_cmp - ../ran
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && echo 1 >n &&
	cat >dvx.yaml <<-\END &&
	# the pipeline
	stages:
	  load:
	    cmd: cp n data
	    deps: [n]
	    outs: [data]

	  # takes long
	  train:
	    cmd: cp data model   # really
	    deps: [data]
	    outs: [model]
	  test:
	    cmd: cp model result
	    deps: [model]
	    outs: [result]
	  each:
	    foreach: [a, b]
	    do:
	      cmd: cp n o-${item}
	      deps: [n]
	      outs: ["o-${item}"]
	END
	git dvx repro && git add -A && git commit -q -m one
'

test_expect_success 'freeze adds a line, unfreeze takes it away' '
	git dvx freeze train >../out && echo "Modifying stage '\''train'\'' in '\''dvx.yaml'\''" >../expect && test_cmp ../expect ../out &&
	git dvx freeze train >../out && test_must_be_empty ../out && git diff dvx.yaml >../diff && grep "^+    frozen: true$" ../diff && test "$(grep -c "^[-+] " ../diff)" = 1 &&
	cp dvx.yaml ../frozen && git dvx freeze train && test_cmp ../frozen dvx.yaml &&
	git dvx unfreeze train && git diff --quiet dvx.yaml && git dvx unfreeze train && git diff --quiet dvx.yaml
'

test_expect_success 'a frozen stage is left alone, and what only it needs, too' '
	git dvx freeze train && echo 2 >n && git dvx repro test >../out && ran &&
	grep -x "Stage .train. is frozen. Its dependencies are not going to be reproduced." ../out && ! grep load ../out && grep "Stage .test. didn.t change" ../out &&
	git dvx repro -f train >../out && ran && git dvx repro >../out && ran load each@a each@b && echo 1 | cmp - model
'

test_expect_success 'its outputs are taken as they are' '
	rm model && echo mine >model && git dvx repro test >../out && ran test && echo mine | cmp - result && rm model result && git checkout -q model result
'

test_expect_success 'unfrozen, it runs' '
	git dvx unfreeze train && git dvx repro >../out && ran train test && echo 2 | cmp - result
'

test_expect_success 'groups freeze as a whole; outputs and several stages may be named' '
	git dvx freeze each && grep -x "      frozen: true" dvx.yaml && echo 3 >n && git dvx repro -P >../out && ran load train test &&
	git dvx unfreeze each && git dvx freeze load model && grep -c "frozen: true" dvx.yaml >../count && echo 2 | cmp - ../count && git dvx unfreeze load train &&
	test_expect_code 128 git dvx freeze each@a 2>../err && grep "name that one" ../err
'

test_expect_success 'mistakes' '
	cp dvx.yaml ../before && test_expect_code 128 git dvx freeze nosuch && test_expect_code 128 git dvx freeze trian 2>../err && grep "most similar one is .train." ../err &&
	test_expect_code 129 git dvx freeze && test_expect_code 129 git dvx unfreeze && test_cmp ../before dvx.yaml
'

test_done
