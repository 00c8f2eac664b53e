#!/bin/bash
# Run a command in the root of a freshly made file system: a loop image, mounted in a private mount namespace, gone
# afterwards.  Needs root, loop devices, and mkfs.TYPE.
# usage: reflink-fs.sh [-t btrfs|xfs|ext4|tmpfs] [-s SIZE] COMMAND [ARG...]
# The command finds the directory as its working directory and in $FS_DIR; its exit status is ours.
set -u

type=btrfs size=512M
while getopts t:s: opt; do
	case $opt in
	t) type=$OPTARG ;;
	s) size=$OPTARG ;;
	*) exit 129 ;;
	esac
done

# All mounts happen in a namespace of our own: nothing is seen outside, or survives it.
if [ -z "${REFLINK_FS_PRIVATE:-}" ]; then
	REFLINK_FS_PRIVATE=1 exec unshare -m --propagation private "$0" "$@"
fi
unset REFLINK_FS_PRIVATE
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo "error: no command given" >&2; exit 129; }

scratch=$(mktemp -d /tmp/dvx-fs.XXXXXX) || exit 128
mount=$scratch/mnt image=$scratch/image
cleanup() {
	cd / || exit 128
	umount "$mount" 2>/dev/null || umount -l "$mount" 2>/dev/null
	rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

mkdir "$mount" || exit 128
if [ "$type" = tmpfs ]; then
	mount -t tmpfs -o size="$size" none "$mount" || exit 128
else
	truncate -s "$size" "$image" || exit 128
	case $type in
	btrfs | ext4) "mkfs.$type" -q "$image" >/dev/null 2>&1 ;;
	xfs) mkfs.xfs -q -m reflink=1 "$image" ;;
	*) echo "error: no recipe for file system '$type'" >&2; exit 129 ;;
	esac || { echo "error: cannot make a $type file system" >&2; exit 128; }
	mount -o loop "$image" "$mount" || exit 128
fi

cd "$mount" || exit 128
FS_DIR=$mount "$@"
