#!/bin/sh
test_description='stat data patched into the indexes that Git writes, and Git agrees

A file gets other content, an old time, and its entry the new stat data: Git, which compares nothing else, must call it
clean (diff-files looks at stat data alone; status would repair them). index-tool is tests/tools/index-tool.c.'
. "$(dirname "$0")/lib.sh"

# new_repo <directory> <hash format> <index version>: 120 files, one of them executable, one a link
new_repo() {
	git init -q --object-format="$2" "$1" &&
	cd "$1" &&
	mkdir -p a/b c &&
	for i in $(seq 1 40); do
		echo $i >a/f$i && echo x$i >a/b/a-longer-name-$i && echo y$i >c/h$i || return 1
	done &&
	chmod +x a/f2 &&
	find a c -type f -exec touch -d 2019-01-01 {} + && # nothing is racy
	ln -s f2 a/symlink &&
	git add . &&
	git update-index --index-version "$3" &&
	git commit -qm 1 &&
	case $2 in
	sha1) hash_len=20 ;;
	*) hash_len=32 ;;
	esac
}

index_version() {
	dd if=.git/index bs=1 skip=7 count=1 2>/dev/null | od -An -tu1 | tr -d " "
}

# The index in the words of git ls-files, without the flags, of which most exist in memory only.
by_git() {
	git ls-files --stage --debug | sed "s/	flags: [0-9a-f]*$//"
}

same_as_git() {
	by_git >"$TRASH/by-git" &&
	index-tool dump .git/index $hash_len >"$TRASH/by-us" &&
	test_cmp "$TRASH/by-git" "$TRASH/by-us"
}

# rehydrate <path>...: other content and an old time, as if it had always been there
rehydrate() {
	for path; do
		echo "the data of $path, of another size" >"$path" && touch -d "2020-02-02 02:02:02.123456789" "$path" || return 1
	done
}

# patched <number> <path>...: patch the entries of these paths
patched() {
	expect=$1 && shift &&
	test "$(index-tool patch .git/index $hash_len "$@")" = "$expect" &&
	test ! -e .git/index.lock
}

files="a/b/a-longer-name-1 a/b/a-longer-name-40 a/f1 a/f2 a/f40 c/h1 c/h9"

for format in sha1 sha256; do
	for version in 2 3 4; do
		for split in '' -split; do
			name=$format-v$version$split
			test_expect_success "$name: read as Git reads it, patched, clean, and used further" '
				(
					new_repo $name $format $version &&
					if test $version = 3; then
						git update-index --skip-worktree a/f3 && : >ita && git add -N ita
					fi &&
					if test -n "$split"; then
						git config splitIndex.maxPercentChange 100 &&
						git config core.splitIndex true &&
						git update-index --split-index &&
						echo changed >a/f9 && echo new >zz && git add a/f9 zz && git rm -q --cached a/f10
					fi &&
					before=$(index_version) && # a split one may do with less than its shared one
					test -n "$split" -o $before = $version &&
					same_as_git &&
					rehydrate $files &&
					test_must_fail git diff-files --quiet -- $files &&
					sha1sum .git/config $(find .git -name "sharedindex*") >shared &&
					patched 7 $files &&
					sha1sum -c --quiet shared &&
					test $(index_version) = $before &&
					same_as_git &&
					git diff-files --quiet -- $files &&
					git fsck &&
					git status --porcelain >status &&
					! grep -E "^.M" status &&
					same_as_git &&
					echo more >>a/f5 && git add a/f5 && git commit -qm 2 &&
					same_as_git &&
					git diff-files --quiet -- $files &&
					git diff --quiet HEAD -- $files &&
					patched 7 $files &&
					git fsck
				)
			'
		done
	done
done

test_expect_success 'nothing but stat data and trailer changes' '
	(
		new_repo only sha1 2 &&
		git status && cp .git/index before &&
		rehydrate a/f1 && patched 1 a/f1 &&
		cmp -l before .git/index >bytes;
		test $(wc -l <bytes) -le $((20 + 36)) &&
		test $(wc -c <before) = $(wc -c <.git/index)
	)
'

test_expect_success 'another blob, another stage, a link: not touched' '
	(
		new_repo other sha1 2 &&
		git checkout -q -b side && echo side >a/f1 && git commit -qam side &&
		git checkout -q - && echo main >a/f1 && git commit -qam main &&
		test_must_fail git merge -q side &&
		cp .git/index before &&
		id=$(git rev-parse :a/f3) &&
		test $(index-tool patch-id .git/index 20 $id a/f4) = 0 && test_cmp_bin before .git/index &&
		test $(index-tool patch-id .git/index 20 $(git rev-parse :2:a/f1) a/f1) = 0 && test_cmp_bin before .git/index &&
		test $(index-tool patch-id .git/index 20 $(git rev-parse :a/symlink) a/symlink) = 0 && test_cmp_bin before .git/index &&
		test $(index-tool patch-id .git/index 20 $id a/f3) = 1
	)
'

test_expect_success 'split index: patches of added and replaced entries, again and again' '
	(
		new_repo again sha1 4 &&
		git config splitIndex.maxPercentChange 100 &&
		git update-index --split-index &&
		for round in 1 2 3; do
			for i in $(seq $round 3 40); do
				rehydrate a/f$i c/h$i && patched 2 a/f$i c/h$i || return 1
			done &&
			echo added >added-$round && git add added-$round && rehydrate added-$round && patched 1 added-$round &&
			same_as_git && git diff-files --quiet && git fsck && git commit -qm $round || return 1
		done &&
		git update-index --no-split-index && same_as_git && git diff-files --quiet
	)
'

test_expect_success 'split index: a whole directory of entries deleted and added around the patched ones' '
	(
		new_repo around sha1 2 &&
		git config splitIndex.maxPercentChange 100 &&
		git update-index --split-index &&
		git rm -rqf a/b && mkdir a/b && echo back >a/b/a-longer-name-7 && echo b >a/a && echo z >z && git add . &&
		git update-index --skip-worktree c/h3 &&
		same_as_git &&
		rehydrate a/a a/b/a-longer-name-7 a/f1 c/h3 c/h4 z && patched 6 a/a a/b/a-longer-name-7 a/f1 c/h3 c/h4 z &&
		same_as_git && git diff-files --quiet && git fsck && git commit -qm 2 &&
		git update-index --no-skip-worktree c/h3 && git diff-files --quiet && same_as_git
	)
'

test_expect_success 'split index: the entry of the shared file has extended flags, the index is of version 2' '
	(
		new_repo extended sha1 2 &&
		git config splitIndex.maxPercentChange 100 &&
		git update-index --skip-worktree c/h3 &&
		git update-index --split-index &&
		same_as_git &&
		rehydrate c/h3 && patched 1 c/h3 && same_as_git && git fsck &&
		git ls-files -v c/h3 >flags && grep "^S" flags &&
		git update-index --no-skip-worktree c/h3 && git diff-files --quiet && same_as_git
	)
'

test_expect_success 'split index of a linked worktree' '
	(
		new_repo main-worktree sha1 2 &&
		git worktree add -q ../linked && cd ../linked &&
		git config splitIndex.maxPercentChange 100 &&
		git update-index --split-index &&
		rehydrate a/f1 && test $(index-tool patch "$(git rev-parse --git-path index)" 20 a/f1) = 1 &&
		git diff-files --quiet && git fsck
	)
'

for version in 2 4; do
	test_expect_success "extensions of threads (EOIE, IEOT), version $version" '
		(
			new_repo threads-$version sha1 $version &&
			git config index.threads 2 && git config index.recordEndOfIndexEntries true &&
			git config index.recordOffsetTable true &&
			git update-index --force-write-index &&
			grep -aq EOIE .git/index && grep -aq IEOT .git/index &&
			same_as_git &&
			rehydrate $files && patched 7 $files && grep -aq IEOT .git/index &&
			same_as_git && git diff-files --quiet && git fsck &&
			git config splitIndex.maxPercentChange 100 && git update-index --split-index && git fsck &&
			rehydrate a/f7 c/h7 && patched 2 a/f7 c/h7 &&
			same_as_git && git diff-files --quiet && git fsck
		)
	'
done

test_expect_success 'sparse index: directory entries stay, what is inside them is not found' '
	(
		new_repo sparse sha1 2 &&
		git sparse-checkout set --cone --sparse-index c &&
		git ls-files --sparse >entries && grep -x a/ entries &&
		rehydrate c/h1 c/h40 && patched 2 c/h1 c/h40 &&
		git diff-files --quiet && git fsck &&
		git ls-files --sparse >after && test_cmp entries after &&
		mkdir a && echo x >a/f1 && cp .git/index before &&
		test $(index-tool patch-id .git/index 20 $(git rev-parse HEAD:a/f1) a/f1) = 0 && test_cmp_bin before .git/index &&
		rm -r a && git sparse-checkout disable && git status --porcelain -uno >status && test_must_be_empty status
	)
'

test_expect_success 'untracked cache: kept, and still right' '
	(
		new_repo untracked sha1 2 &&
		git config core.untrackedCache true && git status -s && git status -s &&
		grep -aq UNTR .git/index &&
		rehydrate a/f1 && patched 1 a/f1 && grep -aq UNTR .git/index &&
		: >a/untracked && git status -s >status && printf "?? %s\n" a/untracked status >expect && test_cmp expect status
	)
'

# The hook says for ever that nothing changed but what stands in "changed".
test_expect_success 'fsmonitor: the extension is kept; a just-written entry is looked at, and found clean' '
	(
		new_repo fsmonitor sha1 2 &&
		printf "%s\n" "#!/bin/sh" "printf \"token\\\\0\"" "cat .git/changed" >.git/monitor && chmod +x .git/monitor &&
		: >.git/changed &&
		echo changed >a/f1 && git commit -qam 2 &&
		git config core.fsmonitor .git/monitor && git update-index --fsmonitor && git status -s && sleep 1.1 &&
		printf "a/f1\0" >.git/changed &&
		git checkout -q HEAD^ && grep -aq FSMN .git/index &&
		git ls-files -f a/f1 a/f3 >flags && printf "%s\n" "H a/f1" "h a/f3" >expect && test_cmp expect flags &&
		rehydrate a/f1 && patched 1 a/f1 && grep -aq FSMN .git/index &&
		git ls-files -f a/f1 a/f3 >flags && test_cmp expect flags &&
		git -c core.fsmonitor=false diff-files --quiet &&
		git diff-files --quiet && git status -s -uno >status && test_must_be_empty status &&
		rehydrate a/f3 && patched 1 a/f3 && # one that the monitor vouches for
		git diff-files --quiet && git status -s -uno >status && test_must_be_empty status &&
		echo edited >>a/f1 && git status -s -uno >status && echo " M a/f1" >expect && test_cmp expect status
	)
'

test_expect_success 'an unhashed index (index.skipHash) is not verified and stays unhashed' '
	(
		new_repo skiphash sha1 2 &&
		truncate -s -20 .git/index && head -c 20 /dev/zero >>.git/index &&
		git status -s &&
		truncate -s -20 .git/index && head -c 20 /dev/zero >>.git/index &&
		rehydrate a/f1 && patched 1 a/f1 &&
		test "$(tail -c 20 .git/index | tr -d "\0" | wc -c)" = 0 &&
		git diff-files --quiet && same_as_git
	)
'

test_expect_success 'a damaged index: an error, nothing written, no lock left' '
	(
		new_repo damaged sha1 2 &&
		printf x | dd of=.git/index bs=1 seek=20 conv=notrunc 2>/dev/null &&
		cp .git/index before &&
		test_expect_code 128 index-tool patch .git/index 20 a/f1 2>message &&
		grep checksum message &&
		test_cmp_bin before .git/index && test ! -e .git/index.lock
	)
'

test_expect_success 'a damaged shared index: an error, nothing written' '
	(
		new_repo damaged-shared sha1 2 &&
		git config splitIndex.maxPercentChange 100 && git update-index --split-index &&
		shared=$(ls .git/sharedindex.*) && chmod u+w "$shared" &&
		printf x | dd of="$shared" bs=1 seek=20 conv=notrunc 2>/dev/null &&
		cp .git/index before && rehydrate a/f1 &&
		test_expect_code 128 index-tool patch .git/index 20 a/f1 2>message &&
		grep checksum message && test_cmp_bin before .git/index
	)
'

test_done
