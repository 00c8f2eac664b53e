/*
 * The parts of lineage.c, which calls them one after the other: each adds to the answer what it
 * knows.
 */
#ifndef LIB_LINEAGE_LINEAGE_INTERNAL_H
#define LIB_LINEAGE_LINEAGE_INTERNAL_H

#include "lib/base/strmap.h"
#include "lib/lineage/history.h"
#include "lib/lineage/lineage.h"
#include "lib/lineage/rowcount.h"
#include "lib/metrics/values.h"
#include "lib/pipeline/dag.h"
#include "lib/pipeline/stagelocks.h"
#include "lib/registry/registry.h"
#include "lib/repo/datafile.h"
#include "lib/repo/pointers.h"
#include "lib/repo/scan.h"

#define LINEAGE_SCHEMA	    "dvx-trace/1"
#define LINEAGE_DIFF_SCHEMA "dvx-trace-diff/1"

struct lineage {
	const struct repo *repo;
	struct store *store;
	/* each NULL until it is asked for */
	struct source_cache *sources;
	struct values_cache *values;
	struct pointers *pointers;
	struct registry *registry;
	struct history *history;
	int registry_is_lent;
	struct rowcount *rows;
	uint64_t counted; /* bytes of tables that were read to count their rows */
};

/* Have l->pointers. */
int lineage_open_pointers(struct lineage *l);

/* What a path is in the commit, as far as it was looked up. */
struct lineage_content {
	enum datafile_kind kind; /* DATAFILE_NONE, DATAFILE_OBJECT, DATAFILE_GIT */
	int missing;		 /* Git has no content here (partial clone): nothing is known */
	int hashed;		 /* `oid` is known: always of DATAFILE_OBJECT */
	struct oid oid;		 /* SHA-256 of the content */
	uint64_t size;
	uint8_t blob[REPO_ID_MAX];
};

struct lineage_dvc;

/* One answer in the making. */
struct lineage_trace {
	struct lineage *l;
	const struct lineage_target *target;
	const char *path; /* what is asked for, from the top; NULL: the whole commit */
	char *artifact;	  /* memory of `path` where the registry gave it */
	uint8_t commit[REPO_ID_MAX];
	char hex[REPO_HEX_MAX + 1];
	const struct registry_event *model; /* NULL: none was named */
	struct source *src;

	struct pipeline *pipeline;
	struct dag *dag;
	struct stagelocks *locks;
	struct lineage_dvc *dvc;
	struct strmap outs;	   /* path -> struct stage */
	struct node **runs;	   /* by stage: its entry in `stages`; NULL: not in the answer */
	char *wanted;		   /* by stage: it belongs to the answer */
	const struct stage *maker; /* of `path`; NULL: no stage */
	struct strmap contents;	   /* path -> struct lineage_content, owned */
	struct strmap documents;   /* path -> struct node, owned: files of parameters */
	struct scan_list tree;	   /* all pointers of the commit, once they are asked for */
	int has_tree;

	struct node *stages; /* owned until it is put into the answer, like the next */
	struct node *unknown;
	struct node *root;
};

/* ---- making nodes: 0 or ERR_NOMEM ---- */

/* Text from outside: what is not UTF-8 becomes U+FFFD, as JSON wants it.  NULL: null. */
int lineage_put_text(struct node *map, const char *key, const char *text);
/* "sha256" -> hex. */
int lineage_put_oid(struct node *map, const struct oid *oid);
int lineage_put_size(struct node *map, const char *key, uint64_t n);
/* A new map or list at `key`, which stays yours to fill; NULL: out of memory. */
struct node *lineage_put_map(struct node *map, const char *key);
struct node *lineage_put_list(struct node *map, const char *key);
struct node *lineage_push_map(struct node *list);
/* The text of a scalar in a map, or NULL. */
const char *lineage_text(const struct node *map, const char *key);
/* Add to the list "unknown". */
int lineage_unknown(struct node *list, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- lineage_commit.c ---- */

/* The commit that `rev` names: fills commit and hex, adds "commit" and "tags". */
int lineage_commit(struct lineage_trace *t, const char *rev);
/* Add "id", "author", "date" and "subject" of a commit. */
int lineage_put_brief(struct lineage *l, struct node *map, const uint8_t *commit);
/* When and by whom `path` got what it holds at the commit: "changed" into `file`. */
int lineage_last_change(struct lineage_trace *t, struct node *file, const char *path);

/* ---- lineage_models.c ---- */

/* Open the registry once. */
int lineage_registry(struct lineage *l);
/* The event that the target's model means. */
int lineage_find_model(struct lineage_trace *t);
/* Which file the model is: t->path. */
int lineage_model_path(struct lineage_trace *t);
/* Add "model" (what was asked for) and "models" (all versions that are tagged at the commit). */
int lineage_put_models(struct lineage_trace *t);

/* ---- lineage_content.c ---- */

/* Look up many paths at once. */
int lineage_look_up(struct lineage_trace *t, const struct strvec *paths);
/* Borrowed; NULL: it was not looked up. */
const struct lineage_content *lineage_content(const struct lineage_trace *t, const char *path);
/* A file that may be a table. */
struct lineage_table {
	const char *path;
	const struct oid *oid; /* of its content */
	uint64_t size;
	const struct lineage_content *content; /* how the commit holds it; NULL: not known */
};
/* Add "rows" and "columns" if the name is a table's: numbers, or null where the data is not here.
 */
int lineage_put_rows(struct lineage_trace *t, struct node *map, const struct lineage_table *table);

/* The pointers of the whole commit, by path.  Asks Git once. */
int lineage_tree(struct lineage_trace *t);
/* The first of them that lies below a directory; they stand together, *n of them. */
const struct scan_item *lineage_below(const struct lineage_trace *t, const char *dir, size_t *n);

/* ---- lineage_stages.c, lineage_annotate.c, lineage_dvc.c ---- */

/* Load stages and lock files of the commit. */
int lineage_load_stages(struct lineage_trace *t);
/* Find the maker of t->path, and mark what belongs to the answer. */
int lineage_choose_stages(struct lineage_trace *t);
/* Fill t->stages, and look up all paths of these stages. */
int lineage_read_stages(struct lineage_trace *t);
/* Beside what a stage was run with: who made it, what kind of file it is, what the commit has
 * instead by now. */
int lineage_annotate(struct lineage_trace *t, const struct stage *s, struct node *run);
/* The stage that makes a path or a directory above it; NULL: none. */
const struct stage *lineage_maker(const struct lineage_trace *t, const char *path);
/* A file of parameters of the commit.  Borrowed; NULL in *out where it cannot be read. */
int lineage_document(const struct node **out, struct lineage_trace *t, const char *path);

int lineage_dvc_load(struct lineage_dvc **out, const struct pipeline *p, struct source *src);
void lineage_dvc_free(struct lineage_dvc *d);
/* The entry of a stage in DVC's lock file of the same directory; NULL: none.  Borrowed. */
const struct node *lineage_dvc_stage(const struct lineage_dvc *d, const struct stage *s);

/* ---- lineage_file.c ---- */

/* Add "file": what is asked for. */
int lineage_put_file(struct lineage_trace *t);

/* ---- lineage_data.c ---- */

/* Add "data": what the stages of the answer read and no stage made; of a whole commit also what no
 * stage has to do with. */
int lineage_put_data(struct lineage_trace *t);

/* ---- lineage_values.c ---- */

/* Add "params", "metrics" and "environment". */
int lineage_put_values(struct lineage_trace *t);

#endif
