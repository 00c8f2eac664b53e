#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx env diff; declared parts of the environment make a stage stale'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

mkdir bin && PATH=$TRASH/bin:$PATH && export PATH
unset VIRTUAL_ENV SEED MODE

# python VERSION: what python3 says from now on.
python() {
	printf '#!/bin/sh\ncase "$*" in *version*) echo "Python %s" ;; esac\n' "$1" >"$TRASH/bin/python3" && chmod +x "$TRASH/bin/python3"
}

# differs TEXT: env diff prints just this.
differs() {
	git dvx env diff >out && printf '%s\n' "$1" | diff - out
}

test_expect_success 'HEAD against now: nothing, then grouped by what differs' '
	new_project repo && printf "%s\n" /out /err /before >.gitignore && python 3.11.2 && echo 1 >in && echo a >requirements.txt && cat >dvx.yaml <<-\END &&
	stages:
	  load: {cmd: "cp in data", deps: [in], outs: [data]}
	  train: {cmd: "python3 train.py; cp data model", deps: [data], outs: [model]}
	  evaluate: {cmd: "python3 eval.py; cp model score", deps: [model], outs: [score]}
	END
	git dvx repro >out && git add -A && git commit -qm one && git tag one && differs "The environments are the same." &&
	python 3.12.1 && echo b >requirements.txt && old=$(echo a | sha256sum | cut -c1-10) new=$(echo b | sha256sum | cut -c1-10) &&
	differs "evaluate, train:
  files.requirements.txt  $old -> $new
  python                  3.11.2 -> 3.12.1

load:
  files.requirements.txt  $old -> $new"
'

test_expect_success 'nothing of it was declared: no stage is stale' '
	cp dvx.lock before && git dvx repro >out && grep "up to date" out && test_cmp before dvx.lock && git dvx status
'

test_expect_success 'two revisions, one revision, stages' '
	git dvx repro -f >out && git add -A && git commit -qm two && git tag two && differs "The environments are the same." &&
	git dvx env diff one two train >out && grep "^train:" out && grep "^  python  *3.11.2 -> 3.12.1$" out && ! grep load out &&
	git dvx env diff two one train evaluate >out && grep "^evaluate, train:" out && grep "3.12.1 -> 3.11.2" out &&
	git dvx env diff one load >out && grep "^load:" out && ! grep python out && python 3.13.0 && git dvx env diff train >out && grep "3.12.1 -> 3.13.0" out &&
	test_expect_code 128 git dvx env diff one nosuch 2>err && grep "^error: .nosuch. is neither a revision nor a stage" err
'

test_expect_success '--json and --md' '
	git dvx env diff --json one two train | tr -d "\n\t" >out && grep "\"old\":\"one\",\"new\":\"two\"" out && grep "\"train\":{.*\"python\":{\"old\":\"3.11.2\",\"new\":\"3.12.1\"}" out &&
	git dvx env diff --md one two >out && head -n 1 out | grep "^| Stage *| Fact *| one *| two *|$" && grep "^| evaluate, train *| python *| 3.11.2 *| 3.12.1 *|$" out &&
	git dvx env diff --json two two | tr -d "\n\t" >out && grep "\"stages\":{\"evaluate\":{}" out
'

test_expect_success 'git dvx env itself is as it was' '
	git dvx env | grep "^version=" && git dvx env --json | grep "\"version\":" && test_expect_code 129 git dvx env frob 2>err && grep "unknown subcommand .env frob" err
'

# declare LINE...: a stage with this below `env:`.
declare_env() {
	cd "$TRASH" && new_project declared && printf "%s\n" /out /ran >.gitignore && echo 1 >in && echo a >lib.txt && : >ran && {
		printf 'stages:\n  s:\n    cmd: python3 x; cp in made; echo x >>ran\n    deps: [in]\n    outs: [made]\n    env:\n'
		for line do printf '      %s\n' "$line"; done
	} >dvx.yaml && git dvx repro >out && git dvx repro >out && grep "didn.t change" out && test "$(wc -l <ran)" = 1
}
# stale: status says so, and repro runs it.
stale() {
	git dvx status >out; grep "$1" out || { cat out; return 1; }
	: >ran && git dvx repro --no-run-cache >out && test "$(wc -l <ran)" = 1 && git dvx repro >out && grep "didn.t change" out
}

test_expect_success 'a declared variable: another value, unset, set' '
	MODE=a && export MODE && declare_env "vars: [MODE]" && MODE=b && stale MODE && unset MODE && stale MODE && MODE=a && export MODE && stale MODE && unset MODE
'

test_expect_success 'a variable that is set for the command' '
	declare_env "set: {THREADS: 4}" && sed -i "s/THREADS: 4/THREADS: 8/" dvx.yaml && stale THREADS
'

test_expect_success 'a declared file' '
	declare_env "files: [lib.txt]" && echo b >lib.txt && stale lib.txt
'

test_expect_success 'a declared fact' '
	python 3.12.1 && declare_env "facts: [python, gpu]" && python 3.12.2 && git dvx repro --explain --dry-run >out && grep "3.12.1" out && grep "3.12.2" out &&
	stale python && grep "      gpu: null" dvx.lock
'

test_expect_success 'a secret that changed is noticed, and not shown' '
	API_KEY=one && export API_KEY && declare_env "vars: [API_KEY]" && API_KEY=two && git dvx repro --explain --dry-run >out && grep API_KEY out && ! grep -w -e one -e two out && stale API_KEY &&
	! grep -e "one" -e "two" dvx.lock
'

test_expect_success 'the run cache knows the declared environment' '
	MODE=a && export MODE && declare_env "vars: [MODE]" && MODE=b && git dvx repro >out && MODE=a && git dvx repro >out && grep "is cached" out && test "$(wc -l <ran)" = 2
'

test_done
