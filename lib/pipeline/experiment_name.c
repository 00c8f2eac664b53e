/*
 * Names of experiments: an adjective and a noun by chance, so that people can say them.
 */
#include <string.h>
#include <sys/random.h>

#include "lib/base/err.h"
#include "lib/pipeline/experiment_internal.h"
#include "lib/repo/git.h"

static const char *const adjectives[] = {"airy", "amber", "apt", "avid", "bald", "basic", "blue",
	"bold", "brave", "brief", "brisk", "broad", "calm", "civil", "clear", "close", "cozy",
	"crisp", "cubic", "curly", "deep", "dense", "dizzy", "dry", "dusty", "eager", "early",
	"easy", "exact", "faint", "fair", "fancy", "fast", "firm", "flat", "fond", "frank", "fresh",
	"full", "giddy", "glad", "grand", "green", "happy", "hardy", "hasty", "hazel", "hazy",
	"ideal", "inner", "ivory", "jolly", "keen", "kind", "large", "late", "lazy", "light",
	"lilac", "loose", "loud", "lucid", "lucky", "major", "mild", "minor", "misty", "modal",
	"moist", "mossy", "naive", "near", "neat", "new", "noble", "novel", "oaken", "olive",
	"outer", "pale", "plain", "plush", "polar", "prime", "proud", "pure", "quick", "quiet",
	"rapid", "rare", "ready", "regal", "ripe", "rosy", "round", "royal", "ruby", "rural",
	"rusty", "salty", "sharp", "shiny", "short", "silky", "slim", "slow", "small", "smart",
	"smoky", "snowy", "sober", "soft", "solar", "solid", "sonic", "spare", "spicy", "stark",
	"still", "stout", "sunny", "swift", "tall", "tame", "tepid", "terse", "tidy", "tiny",
	"upper", "urban", "valid", "vast", "vital", "vivid", "warm", "wary", "wavy", "white",
	"wide", "wild", "windy", "wise", "witty", "woody", "young", "zesty"};
static const char *const nouns[] = {"acorn", "anvil", "apple", "arch", "aspen", "atlas", "badge",
	"banjo", "barn", "basin", "beach", "bell", "birch", "bison", "boat", "brook", "brush",
	"cabin", "cable", "canoe", "cape", "cedar", "cello", "chalk", "cliff", "cloud", "clove",
	"coast", "comet", "coral", "crane", "creek", "crow", "crown", "dawn", "delta", "dew",
	"dove", "drum", "dune", "eagle", "echo", "elm", "ember", "fable", "falcon", "fern", "field",
	"finch", "fjord", "flame", "flute", "forge", "fox", "frost", "gate", "glade", "goose",
	"grain", "grove", "gull", "harbor", "harp", "hawk", "hazel", "heron", "hill", "horn",
	"inlet", "iris", "isle", "ivy", "jade", "kayak", "kite", "knoll", "lake", "lamp", "lark",
	"leaf", "lemon", "linen", "lotus", "lynx", "maple", "marsh", "mason", "meadow", "melon",
	"mesa", "mill", "mint", "moss", "moth", "oak", "oasis", "onyx", "opal", "orbit", "otter",
	"owl", "palm", "panda", "peach", "pearl", "pine", "plum", "pond", "poppy", "prism", "quail",
	"quartz", "raft", "raven", "reed", "reef", "ridge", "river", "robin", "rook", "sail",
	"seal", "shore", "slate", "spire", "spoon", "spruce", "stork", "storm", "swan", "thorn",
	"tide", "tiger", "tower", "trail", "trout", "tulip", "vale", "vine", "violet", "wave",
	"wharf", "willow", "wren", "yew", "zebra"};

int exp_name_invent(struct buf *out)
{
	uint32_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys("no random numbers");
	return buf_addf(out, "%s-%s",
		adjectives[random[0] % (sizeof(adjectives) / sizeof(adjectives[0]))],
		nouns[random[1] % (sizeof(nouns) / sizeof(nouns[0]))]);
}

int exp_name_check(const struct repo *repo, const char *name)
{
	struct buf ref = BUF_INIT, ignored = BUF_INIT;
	int rc = 0;

	if (!*name || strchr(name, '/') || strlen(name) > EXP_NAME_MAX ||
		strcmp(name, "logs") == 0 || strcmp(name, "@") == 0 || name[0] == '-')
		rc = 1;
	if (rc == 0)
		rc = buf_addf(&ref, EXP_REFS_DONE "%s", name);
	if (rc == 0)
		rc = git_status_of(
			repo, NULL, 0, &ignored, "check-ref-format", ref.p, (char *)NULL);
	if (rc > 0)
		rc = err_set(ERR_INVALID,
			"'%s' is no name for an experiment; use letters, digits, '-' and '_'",
			name);
	buf_release(&ref);
	buf_release(&ignored);
	return rc;
}
