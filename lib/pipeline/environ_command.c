/*
 * Which interpreters a stage's command starts, read from its text: `python train.py`,
 * `./venv/bin/python`, `conda run -n x Rscript`, `torchrun` (a script of Python's)…  Nothing is
 * run, and what a shell would compute is not seen.
 */
#include "lib/pipeline/environ_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/err.h"
#include "lib/base/fs.h"
#include "lib/base/run.h"
#include "lib/base/words.h"

enum { SHEBANG_MAX = 256 };

/* Names as they begin: "python3.11" is python. */
static const struct {
	const char *name, *fact;
	int versioned; /* digits and dots may follow */
} interpreters[] = {
	{"python", "python", 1},
	{"pypy", "python", 1},
	{"ipython", "python", 1},
	{"Rscript", "R", 0},
	{"R", "R", 0},
	{"julia", "julia", 0},
	{"node", "node", 0},
	{"nodejs", "node", 0},
	{"npm", "node", 0},
	{"npx", "node", 0},
	{"java", "java", 0},
	{"perl", "perl", 1},
	{"ruby", "ruby", 1},
	{"bash", "bash", 0},
};

/* Words in front of the command that is meant; `takes`: their options with a value. */
static const struct {
	const char *name, *second, *takes;
} wrappers[] = {
	{"env", NULL, "uCS"},
	{"time", NULL, "fo"},
	{"nice", NULL, "n"},
	{"nohup", NULL, ""},
	{"exec", NULL, "a"},
	{"command", NULL, ""},
	{"timeout", NULL, "ks"},
	{"stdbuf", NULL, "ioe"},
	{"taskset", NULL, "c"},
	{"xvfb-run", NULL, "nefsp"},
	{"conda", "run", "npd"},
	{"mamba", "run", "npd"},
	{"micromamba", "run", "npr"},
	{"poetry", "run", "C"},
	{"uv", "run", "pw"},
	{"pipenv", "run", ""},
	{"pdm", "run", "p"},
	{"hatch", "run", ""},
	{"pixi", "run", "e"},
};

void environ_programs_release(struct environ_programs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].path);
		free(p->v[i].conda);
	}
	free(p->v);
	memset(p, 0, sizeof(*p));
}

const char *environ_interpreter(const char *name)
{
	const char *base = strrchr(name, '/');

	base = base ? base + 1 : name;
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(*interpreters); i++) {
		size_t len = strlen(interpreters[i].name);

		if (strncmp(base, interpreters[i].name, len) != 0)
			continue;
		if (base[len] == '\0' ||
			(interpreters[i].versioned &&
				strspn(base + len, "0123456789.") == strlen(base + len)))
			return interpreters[i].fact;
	}
	return NULL;
}

const char *environ_default_program(const char *fact)
{
	static const char *const programs[][2] = {{"R", "Rscript"}, {"bash", "bash"},
		{"java", "java"}, {"julia", "julia"}, {"node", "node"}, {"perl", "perl"},
		{"python", "python3"}, {"ruby", "ruby"}};

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		if (strcmp(programs[i][0], fact) == 0)
			return programs[i][1];
	}
	return NULL;
}

/* ---- the line ---- */

/* Where the simple command at `p` ends: an operator that is not quoted. */
static const char *command_end(const char *p)
{
	char quote = '\0';

	for (; *p; p++) {
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		else if (quote && *p == quote)
			quote = '\0';
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (!quote && strchr(";|&()\n<>", *p))
			return p;
	}
	return p;
}

/* Words without a shell; where only a shell could tell, by blanks. */
static int split(struct strvec *words, const char *text)
{
	const char *p = text;
	int rc = words_split(words, text);

	if (rc == 0 || rc == ERR_NOMEM)
		return rc;
	err_clear();
	strvec_release(words);
	for (rc = 0; rc == 0 && *(p += strspn(p, " \t")) != '\0';) {
		size_t len = strcspn(p, " \t");

		rc = strvec_pushn(words, p, len);
		p += len;
	}
	return rc;
}

int environ_commands(
	const char *line, int (*fn)(const struct strvec *words, void *data), void *data)
{
	int file = 0, rc = 0; /* file: behind a redirection */

	for (const char *p = line; rc == 0 && *p;) {
		const char *end = command_end(p);
		char *text = strndup(p, (size_t)(end - p));
		struct strvec words = STRVEC_INIT;

		if (!text)
			return err_set(ERR_NOMEM, "out of memory");
		if (!file)
			rc = split(&words, text);
		if (rc == 0 && words.n)
			rc = fn(&words, data);
		strvec_release(&words);
		free(text);
		file = *end == '<' || *end == '>' || (*end == '&' && file && end == p);
		p = *end ? end + 1 : end;
	}
	return rc;
}

/* ---- one command ---- */

struct finding {
	struct environ_programs *out;
	const struct repo *repo;
	const struct stage *s;
};

static int add_program(struct finding *f, const char *fact, const char *path, const char *conda)
{
	struct environ_programs *p = f->out;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].path, path) == 0)
			return 0;
	}
	if (array_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0)
		return ERR_NOMEM;
	p->v[p->n] = (struct environ_program){fact, strdup(path), conda ? strdup(conda) : NULL};
	if (!p->v[p->n].path || (conda && !p->v[p->n].conda)) {
		free(p->v[p->n].path);
		return err_set(ERR_NOMEM, "out of memory");
	}
	p->n++;
	return 0;
}

static int is_assignment(const char *word)
{
	const char *p = word;

	if (!isalpha((unsigned char)*p) && *p != '_')
		return 0;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	return *p == '=';
}

/* Behind the options that begin at word i; what -n and -p of conda say is noted. */
static size_t skip_options(
	const struct strvec *w, size_t i, const char *takes, const char **name, const char **prefix)
{
	for (; i < w->n && w->v[i][0] == '-' && w->v[i][1] != '\0'; i++) {
		const char *o = w->v[i];

		if (strcmp(o, "--") == 0)
			return i + 1;
		if (strncmp(o, "--name=", 7) == 0)
			*name = o + 7;
		else if (strncmp(o, "--prefix=", 9) == 0)
			*prefix = o + 9;
		else if (i + 1 < w->n && strcmp(o, "--name") == 0)
			*name = w->v[++i];
		else if (i + 1 < w->n && strcmp(o, "--prefix") == 0)
			*prefix = w->v[++i];
		else if (o[1] != '-' && o[2] == '\0' && strchr(takes, o[1]) && i + 1 < w->n) {
			i++;
			if (o[1] == 'n')
				*name = w->v[i];
			else if (o[1] == 'p')
				*prefix = w->v[i];
		}
	}
	return i;
}

/* Append the path of a word as the shell in wdir would find it; `dir` (NULL: none) comes before
 * PATH.  1 or 0. */
static int locate(struct buf *out, const struct finding *f, const char *word, const char *dir)
{
	const char *top = f->repo->dir->worktree;
	size_t start = out->len;
	int rc = 0;

	if (dir && !strchr(word, '/')) {
		rc = buf_addf(out, "%s/%s", dir, word);
		if (rc == 0 && access(out->p + start, X_OK) == 0)
			return 1;
		buf_truncate(out, start);
	}
	if (word[0] == '/')
		rc = buf_addstr(out, word);
	else if (!strchr(word, '/'))
		rc = run_resolve(out, word);
	else
		rc = buf_addf(out, "%s/%s%s%s", top, f->s->wdir, *f->s->wdir ? "/" : "", word);
	err_clear();
	return rc == 0 && access(out->p + start, F_OK) == 0;
}

/* "#!/usr/bin/env python3" of a script: the interpreter's word.  1 or 0. */
static int shebang(struct buf *out, const char *path)
{
	char head[SHEBANG_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : fs_read_full(fd, head, SHEBANG_MAX);
	struct strvec w = STRVEC_INIT;
	size_t i = 0;
	int found = 0;

	if (fd >= 0)
		close(fd);
	if (n < 3 || head[0] != '#' || head[1] != '!')
		return 0;
	head[n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	if (split(&w, head + 2) == 0 && w.n) {
		size_t len = strlen(w.v[0]);

		if (w.n > 1 && len >= 3 && strcmp(w.v[0] + len - 3, "env") == 0)
			for (i = 1; i + 1 < w.n && (w.v[i][0] == '-' || is_assignment(w.v[i])); i++)
				;
		found = buf_addstr(out, w.v[i]) == 0;
	}
	strvec_release(&w);
	return found;
}

/* Append "<place>/bin" if that is a directory.  1 or 0. */
static int bin_of(struct buf *out, const char *place)
{
	buf_reset(out);
	return buf_addf(out, "%s/bin", place) == 0 && access(out->p, X_OK) == 0;
}

/* "<root>/envs/<name>/bin" of conda and its kin. */
static int conda_bin(struct buf *out, const char *name)
{
	const char *root = getenv("MAMBA_ROOT_PREFIX"), *exe = getenv("CONDA_EXE");
	struct buf place = BUF_INIT;
	int found = 0;

	if (!name)
		goto done;
	if (root)
		found = buf_addf(&place, "%s/envs/%s", root, name) == 0;
	else if (exe && fs_dirname(&place, exe) == 0 && strrchr(place.p, '/')) {
		buf_truncate(&place, (size_t)(strrchr(place.p, '/') - place.p)); /* root/bin */
		found = buf_addf(&place, "/envs/%s", name) == 0;
	}
	found = found && bin_of(out, place.p);
done:
	buf_release(&place);
	return found;
}

/* The directory of programs that a wrapper puts first: of a conda environment, or of the virtual
 * environment beside the project's files.  1 or 0. */
static int wrapper_bin(struct buf *out, const struct finding *f, const char *which,
	const char *name, const char *prefix)
{
	static const char *const places[] = {".venv", "venv", ".pixi/envs/default"};
	const char *active = getenv("VIRTUAL_ENV");
	struct buf place = BUF_INIT;
	int found = 0;

	if (prefix)
		return bin_of(out, prefix);
	if (strstr(which, "mamba") || strcmp(which, "conda") == 0)
		return conda_bin(out, name);
	for (size_t i = 0; !found && i < sizeof(places) / sizeof(*places); i++) {
		buf_reset(&place);
		found = buf_addf(&place, "%s/%s", f->repo->dir->worktree, places[i]) == 0 &&
			bin_of(out, place.p);
	}
	buf_release(&place);
	return found || (active && bin_of(out, active));
}

/* The program that `word` is, or that a script of that name is run by. */
static int take_word(struct finding *f, const char *word, const char *dir, const char *conda)
{
	struct buf path = BUF_INIT, by = BUF_INIT;
	const char *fact = environ_interpreter(word);
	int rc = 0;

	if (!locate(&path, f, word, dir))
		goto done;
	if (!fact && shebang(&by, path.p)) {
		fact = environ_interpreter(by.p);
		buf_reset(&path);
		if (fact && !locate(&path, f, by.p, dir))
			fact = NULL;
	}
	if (fact)
		rc = environ_unshim(&path, f->repo, fact, f->s->wdir);
	if (fact && rc == 0)
		rc = add_program(f, fact, path.p, conda);
done:
	buf_release(&path);
	buf_release(&by);
	return rc;
}

/* What stands in front of the word that counts. */
struct front {
	size_t at;	   /* of that word */
	const char *which; /* a tool that runs it in an environment; NULL: none */
	const char *name, *prefix;
};

/* Words of the shell after which a command begins. */
static int is_keyword(const char *word)
{
	static const char *const keywords[] = {
		"!", "{", "do", "elif", "else", "if", "then", "until", "while"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		if (strcmp(word, keywords[i]) == 0)
			return 1;
	}
	return 0;
}

/* Step over one wrapper with its options: 1, or 0 when there is none. */
static int skip_wrapper(struct front *f, const struct strvec *w)
{
	for (size_t k = 0; f->at < w->n && k < sizeof(wrappers) / sizeof(*wrappers); k++) {
		const char *name = wrappers[k].name, *second = wrappers[k].second;
		const char *env = NULL, *prefix = NULL;

		if (strcmp(w->v[f->at], name) != 0 ||
			(second && (f->at + 1 >= w->n || strcmp(w->v[f->at + 1], second) != 0)))
			continue;
		f->at = skip_options(
			w, f->at + 1 + (second != NULL), wrappers[k].takes, &env, &prefix);
		if (second) {
			f->which = name;
			f->name = env;
			f->prefix = prefix;
		}
		if (strcmp(name, "timeout") == 0 || strcmp(name, "taskset") == 0)
			f->at++; /* their first operand */
		return 1;
	}
	return 0;
}

static int take_command(const struct strvec *w, void *data)
{
	struct finding *f = data;
	struct front front = {0, NULL, NULL, NULL};
	struct buf dir = BUF_INIT;
	int found, rc = 0;

	do {
		while (front.at < w->n &&
			(is_assignment(w->v[front.at]) || is_keyword(w->v[front.at])))
			front.at++;
	} while (skip_wrapper(&front, w));
	found = front.which && wrapper_bin(&dir, f, front.which, front.name, front.prefix);
	if (front.at < w->n && (found || !front.which)) /* what cannot be found is not guessed */
		rc = take_word(f, w->v[front.at], found ? dir.p : NULL, found ? front.name : NULL);
	buf_release(&dir);
	return rc;
}

int environ_find_programs(
	struct environ_programs *out, const struct repo *repo, const struct stage *s)
{
	struct finding f = {out, repo, s};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->cmd.n; i++)
		rc = environ_commands(s->cmd.v[i], take_command, &f);
	return rc;
}
