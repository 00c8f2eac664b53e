#!/bin/sh
# shellcheck disable=SC2034
test_description='git dvx diff --tensors says what NumPy says: which tensors differ, and their norms to 1e-9'
. "$(dirname "$0")/lib.sh"

# Debian's own python3 may not be the first one.
for numpy_python in python3 /usr/bin/python3 ''; do
	[ -z "$numpy_python" ] || ! "$numpy_python" -c 'import numpy' 2>/dev/null || break
done
[ -n "$numpy_python" ] || {
	skip_all='NumPy (python3-numpy, which python3-sklearn brings) is not installed'
	test_done
}
tensors() {
	"$numpy_python" "$dvx_top/tests/tools/tensors.py" "$@"
}

test_expect_success 'setup: two versions of models of every format' '
	mkdir made && tensors versions made && dvx_repo repo && cd repo && git dvx track "m.*" && git add .gitattributes && git commit -q -m attributes
'

for format in safetensors npz z.npz gguf columns.npy turned.npy floatf4.npy words.npy odd.npy; do
	test_expect_success "$format" "
		cp ../made/old.$format m.$format && git add . && git commit -q -m 'old $format' &&
		cp ../made/new.$format m.$format && git add . && git commit -q -m 'new $format' &&
		git dvx diff --tensors --json --limit 0 HEAD~ HEAD >../out.json && tensors check ../made/old.$format ../made/new.$format ../out.json &&
		git dvx diff --tensors --json --limit 0 HEAD HEAD~ >../out.json && tensors check ../made/new.$format ../made/old.$format ../out.json
	"
done

test_expect_success 'a file of the worktree, against the other kind of archive' '
	cp ../made/old.z.npz m.npz && git dvx diff --tensors --json --limit 0 HEAD -- m.npz >../out.json &&
	tensors check ../made/new.npz ../made/old.z.npz ../out.json && git checkout -q m.npz
'

test_expect_success 'the bytes of one that is gone by another name: renamed' '
	git dvx diff --tensors --limit 0 HEAD~17 HEAD~16 -- m.safetensors >../out && grep "^    > before -> after F64 \[321\]$" ../out &&
	git dvx diff --tensors --limit 0 HEAD~13 HEAD~12 -- m.z.npz >../out && grep "^    > before -> after <f8 \[321\]$" ../out
'

test_done
