/*
 * Operands and patterns: between the option table and the scans of lib/repo.
 */
#include <string.h>

#include "commands/select.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/pathmatch.h"
#include "lib/repo/git.h"

void select_release(struct select *s)
{
	strvec_release(&s->include);
	strvec_release(&s->exclude);
	pathmatch_release(&s->match);
	strvec_release(&s->paths);
	strvec_release(&s->revs);
}

static int is_revision(const struct repo *repo, const char *operand)
{
	uint8_t id[REPO_ID_MAX];

	if (operand[0] == '-' || operand[0] == '\0' || fs_exists(operand))
		return 0;
	if (git_resolve(repo, operand, id) == 0)
		return 1;
	err_clear();
	return 0;
}

int select_operands(
	struct select *s, const struct repo *repo, char *const *v, int n, int revs_allowed)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	s->revs_allowed = revs_allowed;
	for (int i = 0; rc == 0 && i < n; i++) {
		if (revs_allowed && is_revision(repo, v[i])) {
			rc = strvec_push(&s->revs, v[i]);
			continue;
		}
		buf_reset(&path);
		rc = repo_path(&path, repo, v[i]);
		if (rc == 0)
			rc = strvec_push(&s->paths, buf_str(&path));
	}
	buf_release(&path);
	return rc;
}

static int add_lists(struct strvec *to, const struct strvec *lists)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < lists->n; i++)
		rc = pathmatch_add(to, lists->v[i]);
	return rc;
}

int select_patterns(struct select *s, const struct repo *repo, int defaults)
{
	int rc = add_lists(&s->match.include, &s->include);

	if (rc == 0)
		rc = add_lists(&s->match.exclude, &s->exclude);
	if (rc == 0 && defaults && s->include.n == 0)
		rc = pathmatch_add(&s->match.include, config_get(repo->config, "lfs.fetchinclude"));
	if (rc == 0 && defaults && s->exclude.n == 0)
		rc = pathmatch_add(&s->match.exclude, config_get(repo->config, "lfs.fetchexclude"));
	return rc;
}

int select_limited(const struct select *s)
{
	return s->paths.n > 0 || s->match.include.n > 0 || s->match.exclude.n > 0;
}

int select_wants(const struct select *s, const char *path)
{
	size_t i = 0;

	while (i < s->paths.n && !pathmatch_within(path, s->paths.v[i]))
		i++;
	return (s->paths.n == 0 || i < s->paths.n) && pathmatch_wanted(&s->match, path);
}

int select_filter(const struct select *s, struct scan_list *l)
{
	size_t kept = 0;
	int rc = scan_list_filter_paths(l, (const char *const *)s->paths.v, s->paths.n);

	if (rc < 0 || (s->match.include.n == 0 && s->match.exclude.n == 0))
		return rc;
	for (size_t i = 0; i < l->n; i++)
		if (pathmatch_wanted(&s->match, l->v[i].path))
			l->v[kept++] = l->v[i];
	l->n = kept;
	return 0;
}

int select_all_found(const struct select *s, const struct scan_list *l)
{
	for (size_t i = 0; i < s->paths.n; i++) {
		size_t k = 0;

		while (k < l->n && !pathmatch_within(l->v[k].path, s->paths.v[i]))
			k++;
		if (k < l->n || s->paths.v[i][0] == '\0')
			continue;
		if (s->revs_allowed)
			return err_set(ERR_NOTFOUND,
				"'%s' is neither a revision nor a path with data; 'git dvx "
				"ls-files' lists "
				"those, -r names a remote",
				s->paths.v[i]);
		return err_set(ERR_NOTFOUND,
			"no data at '%s'; 'git dvx ls-files' lists what there is", s->paths.v[i]);
	}
	return 0;
}
