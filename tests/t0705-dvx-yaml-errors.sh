#!/bin/sh
# shellcheck disable=SC2034
test_description='mistakes in dvx.yaml: the file, the line, what is wrong, what to do; nothing is run or changed'
. "$(dirname "$0")/lib.sh"

state() { # all files and what git thinks of them
	git status --porcelain --ignored && find . -path ./.git -prune -o -type f -exec sha256sum {} +
}

refused() { # refused COMMAND...: by each of them, in the same words
	for command; do
		# shellcheck disable=SC2086
		git dvx $command >../out 2>../err
		code=$?
		test $code = 128 && test_must_be_empty ../out && test "$(grep -c . ../err)" = 1 &&
			grep -F "error: $place" ../err && grep -F -e "$text" ../err && state >../after && test_cmp ../before ../after ||
			{ echo "git dvx $command: exit $code"; cat ../out ../err; return 1; }
	done
}

# mistake WHAT PLACE TEXT <FILE: this dvx.yaml is refused, PLACE and TEXT are in the message.
mistake() {
	cat >dvx.yaml
	place=$2 text=$3
	state >../before
	test_expect_success "$1" 'refused dag "stage list" repro'
}

test_expect_success 'setup' '
	dvx_repo repo && cd repo && printf "lr: 0.1\ntrain: {epochs: 3, sizes: [1, 2]}\n" >params.yaml && echo "a: 1" >more.yaml
'

# --- YAML itself -------------------------------------------------------------------------------------------------

mistake 'a merge left a conflict' 'dvx.yaml:2:' 'a merge left a conflict here' <<\EOF
stages:
<<<<<<< HEAD
  a: {cmd: x}
=======
  a: {cmd: y}
>>>>>>> other
EOF

mistake 'a tab as indentation' dvx.yaml:3 'tab' <<\END
stages:
  a:
	cmd: touch ran
END
mistake 'a list without its end' dvx.yaml: "']'" <<\END
stages:
  a:
    cmd: touch ran
    deps: [x, y
    outs: [z]
END
mistake 'a key twice' dvx.yaml:4:3 "duplicate key 'a'" <<\END
stages:
  a:
    cmd: touch ran
  a:
    cmd: touch ran
END
mistake 'a second document' dvx.yaml:4 'second document' <<\END
stages:
  a:
    cmd: touch ran
---
stages: {}
END

# --- keys and types ----------------------------------------------------------------------------------------------

mistake 'a list instead of a map' dvx.yaml:1:1 "the file must be a map with the key 'stages', not a list" <<\END
- a
END
mistake 'a misspelled key at the top' dvx.yaml:1 "unknown key 'stage'; the most similar one is 'stages'" <<\END
stage:
  a: {cmd: touch ran}
END
mistake 'a misspelled key of a stage' dvx.yaml:4 "'stages.a': unknown key 'dep'; the most similar one is 'deps'" <<\END
stages:
  a:
    cmd: touch ran
    dep: [x]
END
mistake 'an unknown key of a stage' dvx.yaml:4 "'stages.a': unknown key 'something'; known are cmd, wdir, deps" <<\END
stages:
  a:
    cmd: touch ran
    something: [x]
END
mistake 'a misspelled property of an output' dvx.yaml:6 "'stages.a.outs.model.bin': unknown key 'cached'; the most similar one is 'cache'" <<\END
stages:
  a:
    cmd: touch ran
    outs:
    - model.bin:
        cached: false
END
mistake 'a stage without a command' dvx.yaml:2 "'stages.a' has no 'cmd'; add the key" <<\END
stages:
  a:
    deps: [x]
END
mistake 'a stage that is empty' dvx.yaml:2:5 "'stages.a' must be a map with the key 'cmd', not null" <<\END
stages:
  a:
END
mistake 'an empty command' dvx.yaml:3:10 "stage 'a' has an empty command; write what is to be run" <<\END
stages:
  a:
    cmd: ""
END
mistake 'a string for a list' dvx.yaml:4:11 "'stages.a.deps' must be a list of paths, not a string; write it as '- …' on a line of its own" <<\END
stages:
  a:
    cmd: touch ran
    deps: data.csv
END
mistake 'a map for a list' dvx.yaml:5:7 "'stages.a.outs' must be a list of paths, not a map; put '- ' before each entry" <<\END
stages:
  a:
    cmd: touch ran
    outs:
      x: {cache: false}
END
mistake 'a key without a value' dvx.yaml:4:10 "'stages.a.deps' must be a list of paths, not null; remove the key, or give it a value" <<\END
stages:
  a:
    cmd: touch ran
    deps:
END
mistake 'a number for a path' dvx.yaml:5:7 "must be a path, not an int; put it into quotes" <<\END
stages:
  a:
    cmd: touch ran
    deps:
    - 2024
END
mistake 'a string for a bool' dvx.yaml:4:13 "'stages.a.frozen' must be true or false, not a string; YAML 1.2 knows true and false only" <<\END
stages:
  a:
    cmd: touch ran
    frozen: yes
END
mistake 'half a resource' dvx.yaml:4:22 "must be a whole number" <<\END
stages:
  a:
    cmd: touch ran
    resources: {gpu: 0.5}
END
mistake 'no resource at all' dvx.yaml:4:22 "resource 'gpu' of stage 'a' must be a whole number from 1, not '0'" <<\END
stages:
  a:
    cmd: touch ran
    resources: {gpu: 0}
END
mistake 'a misspelled key of env' dvx.yaml:5 "'stages.a.env': unknown key 'var'; the most similar one is 'vars'" <<\END
stages:
  a:
    cmd: touch ran
    env:
      var: [CUDA_VISIBLE_DEVICES]
END
mistake 'a misspelled fact' dvx.yaml:5:14 "no fact is named 'pyton'; the most similar one is 'python'" <<\END
stages:
  a:
    cmd: touch ran
    env:
      facts: [pyton]
END
mistake 'a key beside foreach' dvx.yaml:6 "'deps' stands beside 'foreach'; the keys of its stages stand below 'do'" <<\END
stages:
  a:
    foreach: [x]
    do:
      cmd: touch ran
    deps: [x]
END
mistake 'foreach without do' dvx.yaml:2 "'stages.a' has no 'do'; add the key" <<\END
stages:
  a:
    foreach: [x]
END
mistake 'a matrix that has no list' dvx.yaml:4:14 "'stages.a.matrix.model' must be a list" <<\END
stages:
  a:
    matrix:
      model: 3
    cmd: touch ran
END
mistake 'a name that addresses nothing' dvx.yaml:2 "'train@big' is no name of a stage; take letters, digits, '-' and '_'" <<\END
stages:
  train@big:
    cmd: touch ran
END

# --- templates ---------------------------------------------------------------------------------------------------

mistake 'a variable that is nowhere' dvx.yaml:3:10 "'\${rate}': no parameter or variable 'rate'; add it to params.yaml or 'vars', or write '\\\${' where the shell" <<\END
stages:
  a:
    cmd: touch ran ${rate}
END
mistake 'a misspelled variable' dvx.yaml:3:10 "there is no 'epoch'; the most similar name is 'epochs'" <<\END
stages:
  a:
    cmd: touch ran ${train.epoch}
END
mistake 'an expression that is none' dvx.yaml:3:10 "is no expression; write a name, as" <<\END
stages:
  a:
    cmd: touch ran ${train..epochs}
END
mistake 'an index behind the end' dvx.yaml:3:10 "there is no '2' in a list" <<\END
stages:
  a:
    cmd: touch ran ${train.sizes[2]}
END
mistake 'a list in a command' dvx.yaml:3:10 "is a list; only a string, number or bool can be put in here" <<\END
stages:
  a:
    cmd: touch ran ${train.sizes}
END
mistake 'a variable said twice' dvx.yaml:2:3 "'lr' of vars is there already, from params.yaml; remove or rename one" <<\END
vars:
- lr: 0.2
stages:
  a:
    cmd: touch ran ${lr}
END
mistake 'variables of a file that is not there' dvx.yaml:2:3 "no file 'nothing.yaml'" <<\END
vars:
- nothing.yaml
stages: {}
END
mistake 'a key that the file of variables lacks' dvx.yaml:2:3 "'more.yaml' has no key 'b'; correct the list behind ':'" <<\END
vars:
- more.yaml:b
stages: {}
END
mistake 'foreach over a string' dvx.yaml:3:14 "'foreach' of stage 'a' must be a list or a map, not a float" <<\END
stages:
  a:
    foreach: ${lr}
    do:
      cmd: touch ran ${item}
END
mistake 'item redefined' dvx.yaml:6 "'item' is the present item of 'foreach' or 'matrix'; rename it" <<\END
stages:
  a:
    foreach: [x]
    do:
      vars:
      - item: 3
      cmd: touch ran ${item}
END

# --- paths and the graph -----------------------------------------------------------------------------------------

mistake 'an output outside of the project' dvx.yaml:4:12 "'../x' cannot be an output: outputs lie inside of the project" <<\END
stages:
  a:
    cmd: touch ran
    outs: [../x]
END
mistake 'an output that is Git' dvx.yaml:4:12 "'.git/x' cannot be an output: it belongs to Git" <<\END
stages:
  a:
    cmd: touch ran
    outs: [.git/x]
END
mistake 'an output that holds dvx.yaml' dvx.yaml:4:12 "'.' cannot be an output: it holds the file of stages itself" <<\END
stages:
  a:
    cmd: touch ran
    outs: [.]
END
mistake 'a pattern as output' dvx.yaml:4:12 "'*.csv' cannot be an output: outputs are paths, not patterns; name the directory" <<\END
stages:
  a:
    cmd: touch ran
    outs: ["*.csv"]
END
mistake 'a URL as dependency' dvx.yaml:4:12 "'s3://bucket/x' is a URL; a stage reads and writes files: let its command fetch it" <<\END
stages:
  a:
    cmd: touch ran
    deps: [s3://bucket/x]
END
mistake 'a dependency that every run changes' dvx.yaml:4:12 "'.' cannot be a dependency: dvx.lock is in it" <<\END
stages:
  a:
    cmd: touch ran
    deps: [.]
END
mistake 'a pattern that every run changes' dvx.yaml:4:12 "'**' cannot be a dependency: dvx.lock is in it" <<\END
stages:
  a:
    cmd: touch ran
    deps: ["**"]
END
mistake 'a working directory outside of the project' dvx.yaml:4:11 "lies outside of the project" <<\END
stages:
  a:
    cmd: touch ran
    wdir: ../..
END
mistake 'an output twice' dvx.yaml:6 "'x' is named twice as an output of stage 'a'; remove one" <<\END
stages:
  a:
    cmd: touch ran
    outs: [x]
    metrics:
    - x: {cache: false}
END
mistake 'an output that is a dependency' dvx.yaml:5 "'x' is both a dependency and an output of stage 'a'; remove one" <<\END
stages:
  a:
    cmd: touch ran
    deps: [x]
    outs: [./x]
END

# What only the graph knows: `stage list` need not say it.
graph_mistake() {
	cat >dvx.yaml
	place=$2 text=$3
	state >../before
	test_expect_success "$1" 'refused dag repro'
}

graph_mistake 'one output of two stages' dvx.yaml:7 "'x' is an output of stage 'b' and, in dvx.yaml:4, of stage 'a'; give each stage outputs of its own" <<\END
stages:
  a:
    cmd: touch ran
    outs: [x]
  b:
    cmd: touch ran
    outs: [x]
END
graph_mistake 'an output within an output' dvx.yaml:7 "output 'd/x' of stage 'b' lies within output 'd' of stage 'a' (dvx.yaml:4)" <<\END
stages:
  a:
    cmd: touch ran
    outs: [d]
  b:
    cmd: touch ran
    outs: [d/x]
END
graph_mistake 'a cycle' "stages 'a' (dvx.yaml:2) -> 'b' (dvx.yaml:3) -> 'a' depend on each other" "remove one of these dependencies" <<\END
stages:
  a: {cmd: touch ran, deps: [y], outs: [x]}
  b: {cmd: touch ran, deps: [x], outs: [y]}
END
graph_mistake 'a stage that reads what it writes' dvx.yaml:2 "stage 'a' depends on its own output 'd/x' (by 'd'); name what it reads more closely" <<\END
stages:
  a: {cmd: touch ran, deps: [d], outs: [d/x]}
END

graph_mistake 'a pattern that matches what is written' dvx.yaml:2 "stage 'a' depends on its own output 'd/x.csv' (by '**/*.csv')" <<\END
stages:
  a: {cmd: touch ran, deps: ["**/*.csv"], outs: [d/x.csv]}
END

test_expect_success 'a file in a subdirectory is told by its path' '
	echo "stages: {}" >dvx.yaml && mkdir sub && printf "stages:\n  a:\n    cmd: touch ran\n    outs: [../../x]\n" >sub/dvx.yaml &&
	git add sub/dvx.yaml && test_expect_code 128 git dvx dag 2>err && grep "^error: sub/dvx.yaml:4:12: " err &&
	cd sub && test_expect_code 128 git dvx stage list 2>err && grep "^error: sub/dvx.yaml:4:12: " err
'

test_expect_success 'what templates make of a small file is bounded' '
	cd "$TRASH" && mkdir bomb && cd bomb && git init -q && long=$(printf "%0100000d" 1) &&
	for body in "{cmd: \"$(printf "\${a}%.0s" $(seq 3000))\"}" "{foreach: [$(seq -s, 3000)], do: {cmd: \"$long\"}}" "{cmd: x, meta: [$(printf "\"\${b}\",%.0s" $(seq 3000))]}"; do
		printf "vars: [{a: \"%s\", b: \"%s\"}]\nstages:\n  s: %s\n" "$long" "$long" "$body" >dvx.yaml &&
		test_expect_code 128 git dvx stage list >../out 2>err && grep "^error: dvx.yaml:3: templates make more than 256 MiB" err || return 1
	done
'

test_done
