/*
 * Facts of the machine, read from the system's own files: no program is started.
 */
#include "lib/pipeline/environ_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/base/err.h"
#include "lib/yaml/yaml.h"

enum { TEXT_MAX = 1 << 20 };

/* Append the file, or its beginning.  1, or 0 when it cannot be read. */
static int read_text(struct buf *out, const char *path)
{
	int rc;

	out->max = TEXT_MAX;
	rc = buf_read_file(out, path);
	if (rc < 0 && rc != ERR_LIMIT) {
		err_clear();
		return 0;
	}
	return buf_str(out)[0] != '\0';
}

/* ---- pure ---- */

int environ_os_release(struct buf *out, const char *text)
{
	const char *line = text, *value, *end;

	while (line && strncmp(line, "PRETTY_NAME=", 12) != 0) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return 0;
	value = line + 12;
	end = value + strcspn(value, "\n");
	if (*value == '"' && end - value >= 2 && end[-1] == '"') {
		value++;
		end--;
	}
	return end > value && buf_add(out, value, (size_t)(end - value)) == 0;
}

int environ_colon_line(struct buf *out, const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line;) {
		const char *end = line + strcspn(line, "\n"), *at = line + len;

		if (strncmp(line, key, len) == 0) {
			while (at < end && isblank((unsigned char)*at))
				at++;
			if (at < end && *at == ':') {
				for (at++; at < end && isblank((unsigned char)*at);)
					at++;
				return end > at && buf_add(out, at, (size_t)(end - at)) == 0;
			}
		}
		line = *end ? end + 1 : end;
	}
	return 0;
}

/* ---- this machine ---- */

static int os_name(struct buf *out)
{
	struct buf text = BUF_INIT;
	int found = read_text(&text, "/etc/os-release") || read_text(&text, "/usr/lib/os-release");

	found = found && environ_os_release(out, buf_str(&text));
	buf_release(&text);
	return found;
}

static int kernel(struct buf *out)
{
	struct utsname u;

	return uname(&u) == 0 && buf_addf(out, "%s %s", u.sysname, u.release) == 0;
}

static int arch(struct buf *out)
{
	struct utsname u;

	return uname(&u) == 0 && buf_addstr(out, u.machine) == 0;
}

static int cpu(struct buf *out)
{
	struct buf text = BUF_INIT;
	int found = read_text(&text, "/proc/cpuinfo") &&
		    (environ_colon_line(out, buf_str(&text), "model name") ||
			    environ_colon_line(out, buf_str(&text), "Model") ||
			    environ_colon_line(out, buf_str(&text), "CPU part"));

	buf_release(&text);
	return found;
}

static int cpus(struct buf *out)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 &&
	       buf_addf(out, "%d", CPU_COUNT(&set)) == 0;
}

/* Rounded: what the kernel takes for itself changes with every version of it. */
static int memory(struct buf *out)
{
	struct buf text = BUF_INIT, value = BUF_INIT;
	int found = read_text(&text, "/proc/meminfo") &&
		    environ_colon_line(&value, buf_str(&text), "MemTotal");
	unsigned long long mib = found ? strtoull(buf_str(&value), NULL, 10) / 1024 : 0;

	if (found)
		found = buf_addf(out, "%llu GiB", (mib + 512) / 1024) == 0;
	buf_release(&text);
	buf_release(&value);
	return found;
}

static int libc(struct buf *out)
{
	return buf_addf(out, "glibc %s", gnu_get_libc_version()) == 0;
}

static int git_dvx(struct buf *out)
{
	return buf_addstr(out, DVX_VERSION) == 0;
}

/* ---- NVIDIA ---- */

#define NVIDIA_GPUS "/proc/driver/nvidia/gpus"

/* "2 x NVIDIA A100", or the names of different ones. */
static int gpu(struct buf *out)
{
	struct buf path = BUF_INIT, text = BUF_INIT, name = BUF_INIT, first = BUF_INIT;
	DIR *dir = opendir(NVIDIA_GPUS);
	struct dirent *e;
	size_t n = 0, start = out->len;
	int alike = 1;

	while (dir && (e = readdir(dir))) {
		buf_reset(&path);
		buf_reset(&text);
		buf_reset(&name);
		if (e->d_name[0] == '.' ||
			buf_addf(&path, NVIDIA_GPUS "/%s/information", e->d_name) < 0 ||
			!read_text(&text, path.p) ||
			!environ_colon_line(&name, buf_str(&text), "Model"))
			continue;
		if (n == 0)
			(void)buf_addstr(&first, name.p);
		alike = alike && strcmp(name.p, buf_str(&first)) == 0;
		(void)buf_addf(out, "%s%s", n ? ", " : "", name.p);
		n++;
	}
	if (dir)
		closedir(dir);
	if (n > 1 && alike) {
		buf_truncate(out, start);
		(void)buf_addf(out, "%zu x %s", n, buf_str(&first));
	}
	buf_release(&path);
	buf_release(&text);
	buf_release(&name);
	buf_release(&first);
	return n > 0;
}

static int gpu_driver(struct buf *out)
{
	struct buf text = BUF_INIT;
	int found = read_text(&text, "/sys/module/nvidia/version");

	buf_rtrim(&text);
	found = found && buf_add(out, text.p, text.len) == 0;
	buf_release(&text);
	return found;
}

static int cuda(struct buf *out)
{
	static const char file[] = "/usr/local/cuda/version.json";
	struct buf text = BUF_INIT;
	struct node *root = NULL;
	const struct node *version;
	int found = read_text(&text, file) && json_parse(&root, file, text.p, text.len) == 0;

	version = found ? node_at(root, "cuda.version") : NULL;
	found = version && version->type == NODE_STRING && buf_addstr(out, version->text) == 0;
	err_clear();
	node_free(root);
	buf_release(&text);
	return found;
}

/* ---- all ---- */

static const struct {
	const char *name;
	int (*fn)(struct buf *out);
} facts[] = {
	{"arch", arch},
	{"cpu", cpu},
	{"cpus", cpus},
	{"cuda", cuda},
	{"git-dvx", git_dvx},
	{"gpu", gpu},
	{"gpu-driver", gpu_driver},
	{"kernel", kernel},
	{"libc", libc},
	{"memory", memory},
	{"os", os_name},
};

const char *const environ_machine_facts[] = {"arch", "cpu", "cpus", "cuda", "git-dvx", "gpu",
	"gpu-driver", "kernel", "libc", "memory", "os", NULL};

int environ_machine(struct buf *out, const char *name)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		if (strcmp(facts[i].name, name) == 0)
			return facts[i].fn(out);
	}
	return 0;
}
