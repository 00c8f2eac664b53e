/*
 * Which names may be written below a worktree.  Paths come from commits, and commits from
 * strangers: what Git refuses to check out is refused here too, on every system, since a worktree
 * may be shared with one whose file names fold case, drop code points (HFS+) or have short forms
 * (NTFS).
 */
#include "lib/worktree/place.h"

#include <string.h>
#include <strings.h>

/* Code points that HFS+ ignores, as UTF-8 of three bytes each. */
static size_t ignorable_len(const unsigned char *p)
{
	if (p[0] == 0xe2 && p[1] == 0x80 &&
		((p[2] >= 0x8c && p[2] <= 0x8f) || (p[2] >= 0xaa && p[2] <= 0xae)))
		return 3; /* U+200C-200F, U+202A-202E */
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xaa && p[2] <= 0xaf)
		return 3; /* U+206A-206F */
	if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return 3; /* U+FEFF */
	return 0;
}

/* ".git" in any case, with ignorable code points anywhere, as the whole component. */
static int is_hfs_dotgit(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	static const char want[] = ".git";
	size_t skip;

	for (size_t i = 0; i < 4; i++, p++) {
		while ((skip = ignorable_len(p)))
			p += skip;
		if ((*p | (i ? 0x20 : 0)) != (unsigned char)want[i])
			return 0;
	}
	while ((skip = ignorable_len(p)))
		p += skip;
	return *p == '\0' || *p == '/';
}

/* ".git" or its short form, in any case, followed by dots and spaces only, or by a stream name. */
static int is_ntfs_dotgit(const char *name)
{
	size_t len;

	if (strncasecmp(name, ".git", 4) == 0)
		len = 4;
	else if (strncasecmp(name, "git~1", 5) == 0)
		len = 5;
	else
		return 0;
	len += strspn(name + len, ". ");
	return strchr("/\\:", name[len]) != NULL; /* finds the NUL, too */
}

static int component_ok(const char *p, size_t len)
{
	if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
		return 0;
	return !is_hfs_dotgit(p) && !is_ntfs_dotgit(p);
}

int place_path_ok(const char *path)
{
	const char *p = path;

	for (;;) {
		size_t len = strcspn(p, "/");

		if (!component_ok(p, len))
			return 0;
		for (size_t i = 0; i < len; i++) /* a backslash separates on NTFS */
			if (p[i] == '\\' && is_ntfs_dotgit(p + i + 1))
				return 0;
		if (!p[len])
			return 1;
		p += len + 1;
	}
}
