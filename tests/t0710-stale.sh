#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx status: which stages are stale, and what changed from what to what'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

# stale STAGE...: just these are listed, in this order; what is said is in ../out.
stale() {
	git dvx status >../out && sed -n 's/^\([a-z@]*\):$/\1/p' ../out >../stale && printf '%s\n' "$@" | sed '/^$/d' | test_cmp - ../stale
}

# says TEXT...: ../out has these lines, tabs in front left out.
says() {
	for dvx_line do
		sed 's/^[	]*//' ../out | grep -qxF -e "$dvx_line" || { echo "no line '$dvx_line' in"; cat ../out; return 1; }
	done
}

explains() { # explains TEXT...: the same for --explain, sizes and hashes left out
	git dvx status --explain | sed 's/[0-9a-f]\{10\} ([^)]*)/*/g; s/^[	 ]*//' >../out && says "$@"
}

test_expect_success 'setup' '
	new_project repo && cat >dvx.yaml <<-\END &&
	stages:
	  load:
	    cmd: mkdir -p data/sub && cp in data/a && echo "b $NAME" >data/sub/b
	    deps: [in, "src/**/*.py"]
	    env: {set: {NAME: x}, vars: [SEEN]}
	    outs: [data]
	  train:
	    cmd: cat data/a data/sub/b >model; cp params.yaml m.yaml
	    deps: [data]
	    params: [lr, net.sizes, other.json: [depth]]
	    outs: [model]
	    metrics: [{m.yaml: {cache: false}}]
	END
	mkdir -p src/x && echo 1 >src/x/a.py && echo 1 >src/b.py && echo 1 >src/c.txt && echo one >in &&
	printf "lr: 0.1\nunused: 1\nnet:\n  sizes: [1, 2]\n" >params.yaml && echo "{\"depth\": 3}" >other.json
'

test_expect_success 'never run, up to date, up to date after a commit' '
	stale load train && says "never run" && git dvx repro >/dev/null && stale && says "Data and pipelines are up to date." &&
	git add -A && git commit -q -m one && stale && says "Data and pipelines are up to date."
'

test_expect_success 'a command' '
	sed -i "s/cat data/cat <data/" dvx.yaml && stale train && says "changed command" &&
	explains "command modified: cat data/a data/sub/b >model; cp params.yaml m.yaml -> cat <data/a data/sub/b >model; cp params.yaml m.yaml" &&
	git checkout -q dvx.yaml && stale
'

test_expect_success 'the directory that a command starts in' '
	cp dvx.yaml dvx.lock .. && echo other >other-in && cat >dvx.yaml <<-\END &&
	stages:
	  s: {wdir: one, cmd: "cat x >../made", deps: [../other-in], outs: [../made]}
	END
	mkdir one two && echo 1 >one/x && echo 2 >two/x && git dvx repro && holds made 1 && grep -x "    wdir: one" dvx.lock && stale &&
	sed -i "s/wdir: one/wdir: two/" dvx.yaml && stale s && explains "command modified: (in one) cat x >../made -> (in two) cat x >../made" &&
	git dvx repro && holds made 2 && sed -i "s/wdir: two/wdir: one/" dvx.yaml && git dvx repro >../log && grep "is cached" ../log && holds made 1 && stale &&
	git rm -q --cached --ignore-unmatch made && rm -r one two made other-in && cp ../dvx.yaml ../dvx.lock . && git checkout -q .gitattributes && stale
'

test_expect_success 'dependencies: changed, deleted, new, not declared any more' '
	echo two >in && stale load && says "changed deps:" "modified:           in" && explains "dependency '\''in'\'' modified: * -> *" &&
	rm in && stale load && says "deleted:            in" && explains "dependency '\''in'\'' deleted: was *" && git checkout -q in && stale &&
	sed -i "s/deps: .in, /deps: [in, params.yaml, /" dvx.yaml && stale load && says "new:                params.yaml" &&
	sed -i "s/deps: .in, params.yaml, /deps: [/" dvx.yaml && stale load && says "deleted:            in" && git checkout -q dvx.yaml && stale
'

test_expect_success 'a glob: one of its files, a new one, one that it does not match' '
	echo 2 >src/x/a.py && stale load && says "modified:           src/**/*.py" && explains "M src/x/a.py" &&
	git checkout -q src && stale && echo 2 >src/c.txt && stale && mkdir src/y && echo 1 >src/y/new.py && stale load && explains "A src/y/new.py" &&
	rm -r src/y && stale && rm src/b.py && stale load && explains "D src/b.py" && git checkout -q src && stale
'

test_expect_success 'parameters: only those that are declared, by value, in each format' '
	sed -i "s/unused: 1/unused: 2/; s/^lr: 0.1/lr:   0.10  # the same/" params.yaml && stale &&
	sed -i "s/^lr: .*/lr: 0.2/" params.yaml && stale train && says "changed params:" "modified:           params.yaml: lr" &&
	explains "parameter '\''params.yaml: lr'\'' modified: 0.1 -> 0.2" &&
	sed -i "/^lr/d; s/1, 2/1, 3/" params.yaml && explains "parameter '\''params.yaml: lr'\'' deleted: was 0.1" "parameter '\''params.yaml: net.sizes'\'' modified: [1, 2] -> [1, 3]" &&
	git checkout -q params.yaml && stale && echo "{\"depth\": \"3\"}" >other.json && stale train && says "modified:           other.json: depth" &&
	rm other.json && stale train && says "deleted:            other.json: depth" && git checkout -q other.json && stale
'

test_expect_success 'the environment that is declared' '
	sed -i "s/NAME: x/NAME: y/" dvx.yaml && stale load && says "changed environment:" && explains "environment '\''NAME'\'' modified: x -> y" &&
	git checkout -q dvx.yaml && SEEN=1 stale load && OTHER=1 stale && stale
'

test_expect_success 'outputs: changed, gone; the files of a directory are named' '
	echo x >model && stale train && says "changed outs:" "modified:           model" &&
	rm model && stale train && says "deleted:            model" && git dvx repro >/dev/null && stale &&
	echo x >data/sub/b && echo x >data/c && rm data/a && stale load train && explains "A c" "D a" "M sub/b" &&
	rm -rf data && stale load train && git dvx repro >/dev/null && stale
'

test_expect_success 'what is executable is another file' '
	chmod +x in && stale load && explains "dependency '\''in'\'' modified: * -> *" && chmod -x in && stale &&
	chmod +x data/a && stale load train && chmod -x data/a && stale
'

test_expect_success 'a directory instead of a file, and the other way round' '
	mv in keep && mkdir in && stale load && says "modified:           in" && rmdir in && mv keep in && stale &&
	mv data keep && echo x >data && stale load train && rm data && mv keep data && stale
'

test_expect_success 'frozen stages are not looked at; always_changed ones always change' '
	echo two >in && git dvx freeze load && stale && git dvx unfreeze load && stale load && git checkout -q in dvx.yaml &&
	printf "  clock:\n    cmd: date >now\n    always_changed: true\n    outs: [now]\n" >>dvx.yaml && git dvx repro clock >/dev/null && stale clock && says "always changed"
'

test_done
