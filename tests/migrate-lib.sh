# shellcheck shell=sh disable=SC2154
# For the tests of migrate; read after lib.sh.

# Called by this name, git-dvx is Git LFS.
dvx_as_lfs=$TRASH/.as-lfs
mkdir -p "$dvx_as_lfs" && ln -sf "$DVX_BIN/git-dvx" "$dvx_as_lfs/git-lfs" || exit 1

# as_lfs ARG...: git-dvx, called as git-lfs.
as_lfs() {
	(PATH=$dvx_as_lfs:$PATH && "$dvx_as_lfs/git-lfs" "$@")
}

# history NAME [GIT-INIT-OPTION...]: a repository with most of what histories have: a merge, odd bytes in a commit's message and headers, a
# symbolic link, a submodule, an executable, an empty file, names that need quoting, the same content at several paths, tags of all kinds,
# a ref elsewhere, a note.
history() {
	dvx_name=$1
	shift
	git init -q "$@" "$dvx_name" && (
		cd "$dvx_name" &&
		mkdir -p dir/deep 'sp ace' &&
		random_file a.bin 3000 a && cp a.bin dir/deep/copy.bin && cp a.bin dir/other.dat &&
		echo text >read.me && echo plain >noext && : >empty.bin && ln -s a.bin link.bin &&
		random_file 'sp ace/we ird*[1].bin' 2000 b && printf '#\n' >'#hash' && chmod +x noext &&
		git add -A && git commit -qm one && git tag light && git tag -a -m 'annotated' note && git tag -a -m nested nested note 2>/dev/null &&
		git checkout -q -b side && random_file a.bin 3100 c && git add -A &&
		git -c i18n.commitEncoding=ISO-8859-1 commit -qm "$(printf 'caf\351\n\ntrailing  \n')" &&
		git checkout -q main && printf '# mine\n*.x -text\n\n\n*.y -text' >.gitattributes && random_file big.bin 1500000 d &&
		git add -A && git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),module" && git commit -qm two &&
		git merge -q -m 'merge side' side &&
		dvx_odd=$(printf 'tree %s\nparent %s\nauthor A <a@x> 1112911993 +0530\ncommitter   <c@x> 1112911993 -0000\ngpgsig -----BEGIN\n \n x\n -----END\nxtra foo\n\nodd one\n\n' \
			"$(git rev-parse 'HEAD^{tree}')" "$(git rev-parse HEAD)" | git hash-object -t commit -w --stdin) &&
		git reset -q --hard "$dvx_odd" && echo more >>read.me && rm noext && git add -A . ':!module' && git commit -qm last &&
		git notes add -m note HEAD && git tag blob HEAD:read.me && git tag tree 'HEAD^{tree}' && git update-ref refs/custom/x HEAD~1 && git tag -a -m end end
	)
}

# refs_of REPO: each ref and the object that it leads to.
refs_of() {
	git -C "$1" for-each-ref --format='%(refname) %(objectname) %(*objectname)' | awk '{ print $1, $NF }'
}
# all_refs REPO: each ref, as it is.
all_refs() {
	git -C "$1" for-each-ref --format='%(refname) %(objectname)'
}
# shape_of REPO: who committed what when upon what.
shape_of() {
	git -C "$1" log --graph --branches --tags --topo-order --format='%an %ae %ai %cn %ce %ci %s%n%b'
}
# files_of REPO: every file of every commit of all branches and tags, as its content's SHA-256, .gitattributes left out; pointers count as what
# they stand for.  Blobs are read once.
files_of() (
	cd "$1" || exit 1
	for dvx_commit in $(git rev-list --topo-order --reverse --branches --tags); do
		echo commit && git ls-tree -r -z "$dvx_commit" | tr '\n\0' '?\n' | grep -v '	\(.*/\)\?\.gitattributes$'
	done | awk '
		$2 != "blob" { print; next }
		{
			if (!($3 in sum)) {
				cmd = "git cat-file blob " $3 " | head -c 1024 | sed -n \"s/^oid sha256:/=/p\""
				oid = ""
				cmd | getline oid
				close(cmd)
				if (oid !~ /^=[0-9a-f]+$/) {
					cmd = "git cat-file blob " $3 " | sha256sum"
					cmd | getline oid
					close(cmd)
					oid = "=" substr(oid, 1, 64)
				}
				sum[$3] = oid
			}
			$3 = sum[$3]
			print
		}'
)
# same_files BEFORE AFTER
same_files() {
	files_of "$1" >"$TRASH/.before" && files_of "$2" >"$TRASH/.after" && test_cmp "$TRASH/.before" "$TRASH/.after"
}
