#!/bin/sh
# shellcheck disable=SC2034
test_description='environments of runs: what is captured, which interpreter, what never is'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/repro-lib.sh"

mkdir bin && PATH=$TRASH/bin:$PATH && export PATH
unset VIRTUAL_ENV CONDA_EXE CONDA_PREFIX MAMBA_ROOT_PREFIX SEED

# program NAME VERSION: one in PATH that says so.
program() {
	printf '#!/bin/sh\necho "%s %s"\n' "$(basename "$1")" "$2" >"bin/$1" && chmod +x "bin/$1"
}

# project NAME CMD [LINE...]: with one stage "s" that makes "out"; more lines are the stage's.
project() {
	new_project "$1" && printf '%s\n' out.log >.gitignore && echo 1 >in && {
		printf 'stages:\n  s:\n    cmd: |-\n      %s\n      : >out\n    deps: [in]\n    outs: [out]\n' "$2"
		shift 2
		for line do printf '    %s\n' "$line"; done
	} >dvx.yaml
}

# captured NAME VALUE: dvx.lock has it in its environment.
captured() {
	sed -n '/^environments:/,$p' dvx.lock | grep -Fx -e "    $1: $2" || { sed -n '/^environments:/,$p' dvx.lock; return 1; }
}
# not_captured NAME
not_captured() {
	! sed -n '/^environments:/,$p' dvx.lock | grep -e "^    $1:"
}

test_expect_success 'the machine' '
	project machine "true" && git dvx repro >out.log && captured arch "$(uname -m)" && captured kernel "Linux $(uname -r)" &&
	os=$(. /etc/os-release && echo "$PRETTY_NAME") && captured os "$os" && captured cpus "\"$(nproc)\"" && captured git-dvx "$(git dvx version | sed "s/[^0-9]*\([0-9.]*\).*/\1/")" &&
	not_captured python && not_captured files && not_captured gpu
'

test_expect_success 'one environment for all stages that have the same, the same text again' '
	project several "true" && cat >>dvx.yaml <<-\END && git dvx repro >out.log && cp dvx.lock before &&
	  t: {cmd: "echo 2 >two", deps: [in], outs: [two]}
	END
	test "$(grep -c "^    environment: " dvx.lock)" = 2 && test "$(grep -c "^  [0-9a-f\"]*:$" dvx.lock)" = 1 &&
	git dvx repro -f >out.log && test_cmp before dvx.lock
'

test_expect_success 'the interpreter is found whatever stands in front of it' '
	(cd "$TRASH" && program python3 "3.12.1" && program Rscript "(R) version 4.2.2 (2022-10-31)" && program julia "version 1.10.0" && program node v20.1.0) &&
	printf "#!/usr/bin/env python3\n" >"$TRASH/bin/torchrun" && chmod +x "$TRASH/bin/torchrun" &&
	n=0 && for cmd in "python3 train.py" "OMP_NUM_THREADS=1 nice -n 5 python3 train.py --lr=1" "cd . && env A=b python3 -m x | tee log" \
		"timeout 10 torchrun train.py" "echo \"a; b\" >log; python3 x" "(python3 x)" "\"$TRASH/bin/python3\" x" "if true; then python3 x; fi"; do
		n=$((n + 1)) && project "found$n" "$cmd" && git dvx repro >out.log 2>&1; captured python 3.12.1 || { echo "$cmd"; return 1; }
	done &&
	project notfound "echo python3; grep python3 in >out || true" && git dvx repro >out.log && not_captured python &&
	project others "Rscript a.R && julia b.jl && node c.js" && git dvx repro >out.log && captured R 4.2.2 && captured julia 1.10.0 && captured node 20.1.0 && not_captured python
'

test_expect_success 'a script in the project: its first line says by what it is run' '
	project script "sub/train.py" && mkdir sub && printf "#!/usr/bin/env python3\n" >sub/train.py && chmod +x sub/train.py &&
	git dvx repro >out.log && captured python 3.12.1 &&
	project inwdir "./train.py && : >../out" && sed -i "s/^      : >out/      true/; s/^    deps:.*/    wdir: sub\n    deps: [..\/in]/; s/outs: .*/outs: [..\/out]/" dvx.yaml &&
	mkdir sub && printf "#!/usr/bin/env python3\n" >sub/train.py && chmod +x sub/train.py && git dvx repro >out.log && captured python 3.12.1
'

# venv DIR VERSION: as python -m venv makes it, with two packages.
venv() {
	mkdir -p "$1/bin" "$1/lib/python3.12/site-packages/numpy-1.26.4.dist-info" "$1/lib/python3.12/site-packages/PyYAML-6.0.1-py3.12.egg-info" &&
	printf 'home = /usr/bin\ninclude-system-site-packages = false\nversion = %s\n' "$2" >"$1/pyvenv.cfg" &&
	printf '#!/bin/sh\necho started >>"%s/started"\n' "$TRASH" >"$1/bin/python" && chmod +x "$1/bin/python"
}

test_expect_success 'a virtual environment: version and packages from its files, its programs are not started' '
	project venv "./.venv/bin/python train.py" && venv .venv 3.12.7 && git dvx repro >out.log && captured python 3.12.7 && captured python-env .venv &&
	captured python-packages "{numpy: 1.26.4, pyyaml: 6.0.1}" && test "$(wc -l <"$TRASH/started")" = 1 && rm "$TRASH/started" &&
	echo 2 >in && git dvx status >out.log && absent "$TRASH/started"
'

test_expect_success 'uv run, poetry run, conda run' '
	for tool in uv poetry pipenv pdm hatch; do (cd "$TRASH" && program $tool 1.0) || return 1; done &&
	project uv "uv run python train.py" && venv .venv 3.12.7 && git dvx repro >out.log && captured python 3.12.7 &&
	project poetry "poetry run python train.py" && git dvx repro >out.log && not_captured python &&
	(cd "$TRASH" && program conda 23.1) && CONDA_EXE=$TRASH/anaconda/bin/conda && export CONDA_EXE && mkdir -p "$TRASH/anaconda/envs/ml/conda-meta" "$TRASH/anaconda/envs/ml/bin" &&
	: >"$TRASH/anaconda/envs/ml/conda-meta/python-3.9.18-h955ad1f_0.json" && printf "#!/bin/sh\nexit 1\n" >"$TRASH/anaconda/envs/ml/bin/python" && chmod +x "$TRASH/anaconda/envs/ml/bin/python" &&
	project conda "conda run --no-capture-output -n ml python train.py" && git dvx repro >out.log && captured python 3.9.18 && captured python-env "conda ml"
'

test_expect_success 'files that pin versions' '
	project files "true" && echo numpy==1.0 >requirements-dev.txt && echo "[project]" >pyproject.toml && echo x >requirements.md && git dvx repro >out.log &&
	captured files "{pyproject.toml: $(sha256sum <pyproject.toml | cut -d" " -f1), requirements-dev.txt: $(sha256sum <requirements-dev.txt | cut -d" " -f1)}"
'

test_expect_success 'seeds and variables; secrets never' '
	project vars "true" "env:" "  set: {OMP_NUM_THREADS: 4}" "  vars: [MY_TOKEN, MODE, UNSET]" &&
	PYTHONHASHSEED=7 MY_TOKEN=hunter2 MODE=fast git dvx repro >out.log && ! grep -r hunter2 dvx.lock .git/dvx && grep "MY_TOKEN: \"*sha256:f52fbd32b2b3b86f" dvx.lock &&
	sed -n "/^    env:/,/^    outs:/p" dvx.lock >out.log && grep -x "      MODE: fast" out.log && grep -x "      OMP_NUM_THREADS: \"4\"" out.log && grep -x "      UNSET: null" out.log &&
	grep "^    variables: .*PYTHONHASHSEED: \"7\"" dvx.lock
'

test_expect_success 'secrets whose names say less, and passwords in URLs' '
	project names "true" "env:" "  set: {DB_PWD: hunter2}" "  vars: [PGPASS, GH_PAT, DB_URL, BASIC_AUTH, WEB]" &&
	PGPASS=hunter2 GH_PAT=hunter2 DB_URL=postgres://u:hunter2@h/db BASIC_AUTH=hunter2 WEB=https://h:80/@x git dvx repro >out.log &&
	! grep -r hunter2 dvx.lock .git/dvx/runs && grep "^      WEB: .*https://h:80/@x" dvx.lock
'

test_expect_success 'status starts nothing that the repository chose: by a path out of it, by a link' '
	cd "$TRASH" && printf "#!/bin/sh\ntouch \"%s/started\"\necho 3.1.4\n" "$TRASH" >python3 && chmod +x python3 && cp python3 bin/tool &&
	project chosen "../python3 x || true" "env: {facts: [python]}" && git dvx status >out.log && test ! -e "$TRASH/started" &&
	project linked "./python3 x || true" "env: {facts: [python]}" && ln -s "$TRASH/bin/tool" python3 && git dvx status >out.log && test ! -e "$TRASH/started" &&
	project wdir "./python3 x || true" "env: {facts: [python]}" "wdir: ../linked" && test_might_fail git dvx status >out.log 2>&1 && test ! -e "$TRASH/started"
'

test_expect_success 'a version manager is not started where the files of the repository could lead it' '
	cat >"$TRASH/bin/python3" <<-\END && project managed "python3 x || true" "env: {facts: [python]}" && echo "3.9.5 3.8.1" >.python-version && echo "python path:./evil" >.tool-versions &&
	#!/bin/sh
	test "$1" = -I || { echo "Python ${PYENV_VERSION:-3.12.1}"; exit; }
	echo "$PWD $PYENV_VERSION $ASDF_PYTHON_VERSION" >"${0%/*}/asked"
	printf "%s\n" "${0%/*}/real-$PYENV_VERSION"
	END
	printf "#!/bin/sh\necho Python 3.9.5\n" >"$TRASH/bin/real-3.9.5" && chmod +x "$TRASH/bin/real-3.9.5" &&
	git dvx repro >out.log && captured python 3.9.5 && echo "/ 3.9.5 " >expect && test_cmp expect "$TRASH/bin/asked" &&
	mkdir sub && echo "python 3.7.2" >.tool-versions && echo "../evil" >.python-version && git dvx status >out.log && echo "/  3.7.2" >expect && test_cmp expect "$TRASH/bin/asked"
'

test_expect_success STRACE 'a program is asked once' '
	cp /bin/bash "$TRASH/bin/julia" && project asked "julia -c true" && git dvx repro >out.log && grep "/bin/julia$" .git/dvx/programs &&
	strace -f -o trace -e trace=execve git dvx repro -f >out.log && ! grep "execve.*julia.*--version" trace && cp dvx.lock before &&
	touch "$TRASH/bin/julia" && strace -f -o trace -e trace=execve git dvx repro -f >out.log && grep "execve.*julia.*--version" trace && test_cmp before dvx.lock &&
	printf "rubbish\n\t\t\n" >.git/dvx/programs && git dvx repro -f >out.log && test_cmp before dvx.lock
'

test_done
