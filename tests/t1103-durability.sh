#!/bin/bash
# shellcheck disable=SC2034
test_description='what survives a power failure, from traces: staged objects are on disk before the commit, packs before the fragment before ok'
. "$(dirname "$0")/lib.sh"

skip_all_unless STRACE 'strace is needed to see the order of calls'

# traced FILE COMMAND...: below strace, every process and thread, with the paths of descriptors.
traced() {
	local out=$1
	shift
	strace -f -qq -y -e trace=write,pwrite64,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,execve,exit_group -s 400 -o "$out" "$@"
}

# durable TRACE PROGRAM ANSWER FILE...: each FILE (a path, or a directory's) was flushed - itself, or its file system - after the last
# write to it or rename in it, and before PROGRAM wrote ANSWER (a pattern) or, with '-', ended.
durable() {
	perl -e '
		my ($trace, $program, $answer, @wanted) = @ARGV;
		my (%dirty, %flushed, %runs, $end, $n, %unfinished);
		open(my $in, "<", $trace) or die "$trace: $!";
		while (my $line = <$in>) {
			$n++;
			my ($pid, $call) = $line =~ /^(\d+)\s+(.*)$/ or next;
			# A call that was interrupted by another line counts when it ends.
			if ($call =~ /^(.*) <unfinished \.\.\.>$/) { $unfinished{$pid} = $1; next; }
			if ($call =~ /^<\.\.\. \w+ resumed>(.*)$/) { $call = ($unfinished{$pid} // "") . $1; }
			$runs{$pid} = 1 if $call =~ /^execve\("[^"]*\/\Q$program\E"/ && $call =~ /= 0$/;
			next if $call =~ /= -1 /;
			if ($call =~ /^(?:write|pwrite64)\(\d+<([^>]*)>/) {
				$dirty{$1} = $n;
				if ($answer ne "-" && $call =~ /$answer/) { $end = $n; last; }
			} elsif ($call =~ /^(?:fsync|fdatasync)\(\d+<([^>]*)>/) {
				$flushed{$1} = $n;
			} elsif ($call =~ /^syncfs/) {
				$flushed{"*"} = $n;
			} elsif ($call =~ /^(?:rename|link)\w*\(/) {
				my @paths = $call =~ /"([^"]*)"/g;
				my ($from, $to) = @paths[-2, -1];
				# What was written and flushed under the old name counts for the new one.
				$dirty{$to} = $dirty{$from} if exists $dirty{$from};
				$flushed{$to} = $flushed{$from} if exists $flushed{$from};
				(my $dir = $to) =~ s/\/[^\/]*$//;
				$dirty{$dir} = $n;
			} elsif ($call =~ /^mkdir(?:at)?\(.*"([^"]*)"/) {
				(my $dir = $1) =~ s/\/[^\/]*$//;
				$dirty{$dir} = $n;
			} elsif ($answer eq "-" && $call =~ /^exit_group/ && $runs{$pid}) {
				$end = $n;
				last;
			}
		}
		$end or die "$trace: the end was not found\n";
		my $bad = 0;
		for my $path (@wanted) {
			my $when = $flushed{$path} // 0;
			$when = $flushed{"*"} if ($flushed{"*"} // 0) > $when;
			my $why = !$when ? "never flushed" : $when < ($dirty{$path} // 0) ? "changed after it was flushed" : next;
			print "$path: $why\n";
			$bad = 1;
		}
		exit $bad;' "$@"
}

# where OID: its file; a packed one is in the open pack.
where() {
	local path=.git/lfs/objects/${1:0:2}/${1:2:2}/$1
	if [ -e "$path" ]; then
		echo "$PWD/$path"
	else
		echo "$PWD/.git/dvx/packs/open-0.pack"
	fi
}

# files_of PATH...: where the staged pointers' objects are, and the directories down to there.
files_of() {
	local path oid file
	for path do
		oid=$(git cat-file blob ":$path" | sed -n 's/^oid sha256://p') && file=$(where "$oid") && echo "$file" && dirname "$file" || return 1
		case $file in
		*/lfs/*) dirname "$(dirname "$file")" && dirname "$(dirname "$(dirname "$file")")" ;;
		esac
	done | sort -u
}

test_expect_success 'setup' '
	git init -q --bare remote.git && dvx_repo repo && cd repo && git remote add origin ../remote.git && git dvx remote add -d storage "$TRASH/blobs" &&
	git dvx track "*.bin" && git add -A && git commit -q -m start && mkdir many &&
	for i in $(seq 70); do random_file many/$i.bin $((66000 + i)) m$i || return 1; done && random_file large.bin 300001 l && random_file small.bin 999 s
'

test_expect_success 'git add, git commit: the objects are on disk before the hook lets the commit happen' '
	git add large.bin small.bin && files_of large.bin small.bin >../files && test "$(grep -c . ../files)" = 6 &&
	traced ../trace git commit -q -m data && mapfile -t files <../files && durable ../trace git-dvx - "${files[@]}"
'

test_expect_success 'many objects: the file system is flushed as a whole' '
	git dvx add many && files_of many/*.bin >../files && traced ../trace git commit -q -m many && mapfile -t files <../files &&
	durable ../trace git-dvx - "${files[@]}"
'

test_expect_success 'the trace is looked at: without a flush the check fails' '
	random_file large.bin 300002 l2 && git add large.bin && files_of large.bin >../files && mapfile -t files <../files &&
	traced ../trace git -c core.hooksPath=/dev/null commit -q -m unsafe && ! durable ../trace git - "${files[@]}" >../said && grep "never flushed" ../said
'

# Every pack and every fragment is flushed before its rename, and the rename before the answer.
test_expect_success 'git push: packs, then fragment, each on disk with its directory, before "ok" is answered' '
	traced ../trace git push -q origin main && find "$TRASH/blobs/packs" "$TRASH/blobs/fragments" >../stored && mapfile -t files <../stored &&
	test "$(grep -c "\.pack$" ../stored)" -gt 0 && test "$(grep -c "\.idx$" ../stored)" -gt 0 &&
	durable ../trace git-dvx-transfer "^write.*\"ok [0-9a-f]{64}" "${files[@]}" "$TRASH/blobs" &&
	last_pack=$(grep -n "rename.*\.pack\"" ../trace | grep "$TRASH/blobs" | tail -n 1 | cut -d: -f1) &&
	fragment=$(grep -n "rename.*\.idx\"" ../trace | grep "$TRASH/blobs/fragments" | head -n 1 | cut -d: -f1) && test "$last_pack" -lt "$fragment" &&
	aa=$(sed -n "${last_pack}s/.*\(packs\/..\)\/[0-9a-f]*\.pack\".*/\1/p" ../trace) &&
	sed -n "${last_pack},${fragment}p" ../trace | grep "fsync.*$aa>" &&
	sed -n "1,${fragment}p" ../trace | grep "fsync.*<$TRASH/blobs/tmp/"
'

test_expect_success 'a pack that is there already is not answered for before its directory is flushed' '
	git init -q --bare ../again.git && rm -r "$TRASH/blobs/fragments" .git/dvx/remotes && packs=$(find "$TRASH/blobs/packs" -name "*.pack" | wc -l) &&
	traced ../trace git push -q ../again.git main && find "$TRASH/blobs/packs" "$TRASH/blobs/fragments" >../stored && mapfile -t files <../stored &&
	test "$(grep -c "\.pack$" ../stored)" = "$packs" && durable ../trace git-dvx-transfer "^write.*\"ok [0-9a-f]{64}" "${files[@]}"
'
test_done
