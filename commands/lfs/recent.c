/*
 * Recent refs and changes, by Git's commit dates (git-lfs-fetch(1), "RECENT CHANGES").
 */
#include "commands/lfs/recent.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/err.h"
#include "lib/repo/git.h"

enum { DAY = 24 * 60 * 60 };

void recent_config_read(struct recent_config *r, const struct config *c)
{
	r->always = config_bool(c, "lfs.fetchrecentalways", 0);
	r->refs_days = (int)config_int(c, "lfs.fetchrecentrefsdays", 7);
	r->commits_days = (int)config_int(c, "lfs.fetchrecentcommitsdays", 0);
	r->remote_refs = config_bool(c, "lfs.fetchrecentremoterefs", 1);
	r->prune_offset = (int)config_int(c, "lfs.pruneoffsetdays", 3);
}

/* Is it a ref that is asked for?  A remote's HEAD only repeats another one. */
static int is_wanted(const char *ref, const char *remote)
{
	static const char tracking[] = "refs/remotes/";
	size_t len = remote != NULL ? strlen(remote) : 0, ref_len = strlen(ref);

	if (strncmp(ref, "refs/heads/", 11) == 0 || strncmp(ref, "refs/tags/", 10) == 0)
		return 1;
	if (remote == NULL || strncmp(ref, tracking, sizeof(tracking) - 1) != 0 ||
		(ref_len > 5 && strcmp(ref + ref_len - 5, "/HEAD") == 0))
		return 0;
	ref += sizeof(tracking) - 1;
	return strcmp(remote, "*") == 0 || (strncmp(ref, remote, len) == 0 && ref[len] == '/');
}

int recent_refs(struct strvec *refs, const struct repo *repo, int days, const char *remote)
{
	const int64_t since = (int64_t)time(NULL) - (int64_t)days * DAY;
	struct buf out = BUF_INIT;
	char *line, *next, *date;
	int rc = git_run(repo, NULL, 0, &out, "for-each-ref", "--sort=-committerdate",
		"--format=%(committerdate:unix)%(*committerdate:unix) %(refname)", "refs/heads",
		"refs/tags", "refs/remotes", NULL);

	for (line = out.p; rc == 0 && line != NULL && *line != '\0'; line = next) {
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		date = line;
		line = strchr(line, ' ');
		if (line != NULL && line > date && strtoll(date, NULL, 10) >= since &&
			is_wanted(line + 1, remote))
			rc = strvec_push(refs, line + 1);
	}
	buf_release(&out);
	return rc;
}

/* The commit date of `rev`; 0 when there is none. */
static int commit_date(int64_t *date, const struct repo *repo, const char *rev)
{
	struct buf out = BUF_INIT;
	int rc = git_run(repo, NULL, 0, &out, "log", "-1", "--format=%ct", rev, NULL);

	*date = rc == 0 ? strtoll(buf_str(&out), NULL, 10) : 0;
	buf_release(&out);
	return rc;
}

/* What came, and what it replaced. */
static int add_both(struct scan_list *l, const struct scan_list *changes)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < changes->n; i++) {
		struct scan_item item = changes->v[i];

		rc = scan_list_add(l, &item);
		if (rc < 0 || !item.has_base)
			continue;
		item.oid = item.base;
		item.size = item.base_size;
		item.has_base = 0;
		rc = scan_list_add(l, &item);
	}
	return rc;
}

int recent_changes(
	struct scan_list *l, const struct repo *repo, struct pointers *p, const char *rev, int days)
{
	struct strvec include = STRVEC_INIT, exclude = STRVEC_INIT;
	struct scan_list changes = SCAN_LIST_INIT;
	struct buf before = BUF_INIT, option = BUF_INIT;
	int64_t date;
	int rc = commit_date(&date, repo, rev);

	if (rc == 0)
		rc = strvec_push(&include, rev);
	if (rc == 0)
		rc = buf_addf(&option, "--before=@%" PRId64, date - (int64_t)days * DAY - 1);
	if (rc == 0)
		rc = git_run(repo, NULL, 0, &before, "rev-list", "-1", buf_str(&option), rev, NULL);
	buf_rtrim(&before);
	if (rc == 0 && before.len > 0)
		rc = strvec_push(&exclude, before.p);
	if (rc == 0)
		rc = scan_range(&changes, repo, p, &include, &exclude, NULL);
	if (rc == 0)
		rc = add_both(l, &changes);
	scan_list_release(&changes);
	strvec_release(&include);
	strvec_release(&exclude);
	buf_release(&before);
	buf_release(&option);
	return rc;
}
