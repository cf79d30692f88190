/* SPDX-License-Identifier: MIT */
/* Any words as a command line, for options of every kind. */
#include "tests/fuzz/fuzz.h"
#include <fcntl.h>
#include "base/err.h"
#include "base/opt.h"
#include "base/utf8.h"

enum { ARGS_MAX = 160, NS_YEAR_DAYS = 365, BEFORE = 7 };

struct conf {
	struct opt_list list, names;
	const char *file;
	uint64_t interval, duration;
	uint32_t count, port, any;
	int format, at;
	bool numeric, verbose, quiet;
};

static const char *const formats[] = { "text", "json", "prom", NULL };
static const char *const hooks[] = { "xdp", "tc", "", "xdp-native", NULL };

#define C struct conf
static const struct opt rows[] = {
	OPT_FLAG('n', "numeric", C, numeric, "print numbers"),
	OPT_FLAG('v', "", C, verbose, "say more"),
	OPT_FLAG(0, "quiet", C, quiet, "say less"),
	OPT_SET(0, "json", C, format, 1, "short for -o json"),
	OPT_SET('P', "", C, format, 2, "short for -o prom"),
	OPT_U32('c', "count", "N", C, count, 1, 100, "so many"),
	OPT_U32('p', "port", "PORT", C, port, 0, 65535, "a port"),
	OPT_U32('a', "", "N", C, any, 0, UINT32_MAX, "any number"),
	OPT_STR('w', "write", "FILE", C, file, "write to a file"),
	OPT_LIST('i', "interface", "IFACE", C, list, "an interface"),
	OPT_LIST(0, "name", "NAME", C, names, "a name"),
	OPT_TIME('I', "interval", "TIME", C, interval, "between two tables"),
	OPT_TIME('d', "", "TIME", C, duration, "in all"),
	OPT_CHOICE('o', "output", "FORMAT", C, format, formats, "the output"),
	OPT_CHOICE(0, "at", "HOOK", C, at, hooks, "the hook"),
	{ 0 },
};
#undef C

static const struct opt_spec spec = {
	.command = "fuzz", .usage = "[OPTIONS]", .about = "Nothing.", .rows = rows
};

/* A command line and its result. */
struct line {
	char *argv[ARGS_MAX + 2];
	int argc;
	struct conf conf;
	char **rest;
	int nrest, rc;
	char errors[2048];
};

static void parse_line(struct line *l)
{
	struct err_capture before = err_capture_begin(l->errors, sizeof(l->errors));

	/* On the heap, so that the sanitizer detects stores outside it. */
	struct conf *conf = calloc(1, sizeof(*conf));

	MUST(conf);
	conf->any = BEFORE;
	l->errors[0] = '\0';
	l->rest = NULL;
	l->nrest = -1;
	l->rc = opt_parse(&spec, conf, l->argc, l->argv, &l->rest, &l->nrest);
	l->conf = *conf;
	free(conf);
	err_capture_end(before);
}

static bool is_word(const struct line *l, const char *s)
{
	for (int i = 1; i < l->argc; i++)
		if (s >= l->argv[i] && s <= l->argv[i] + strlen(l->argv[i]))
			return true;
	return false;
}

static void check_list(const struct line *l, const struct opt_list *list)
{
	MUST(list->n <= OPT_LIST_MAX);
	for (unsigned int i = 0; i < list->n; i++)
		MUST(is_word(l, list->at[i]));
}

/* Every member is in its row's range or unchanged, also on failure. */
static void check_conf(const struct line *l)
{
	const uint64_t year = UINT64_C(1000000000) * 24 * 3600 * NS_YEAR_DAYS;
	const struct conf *c = &l->conf;

	MUST(c->count <= 100 && c->port <= 65535);
	MUST(c->interval <= year && c->duration <= year);
	MUST(c->format >= 0 && c->format < 3 && c->at >= 0 && c->at < 4);
	MUST(!c->file || is_word(l, c->file));
	check_list(l, &c->list);
	check_list(l, &c->names);
}

/* One printable line that ends with the hint to --help. */
static void check_stderr(const char *errors)
{
	static const char tail[] = " (see sonde --help)";
	size_t left = strlen(errors);

	MUST(left > strlen(tail) && !strcmp(errors + left - strlen(tail), tail));
	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(errors, left, &cp);

		MUST(cp != UTF8_BAD && !utf8_is_control(cp));
		errors += n;
		left -= n;
	}
}

/* Words are reordered, never lost or doubled, and the operands end at argv's NULL. */
static void check_order(const struct line *l, char *const *args)
{
	int at = 1;

	MUST(l->nrest >= 0 && l->nrest < l->argc);
	MUST(l->rest == l->argv + l->argc - l->nrest && !l->argv[l->argc]);
	for (int i = 0; i < l->argc; i++) {
		int times = 0;

		for (int j = 0; j < l->argc; j++)
			times += l->argv[j] == args[i];
		MUST(times == 1);
	}
	for (int i = 0; i < l->nrest; i++, at++)
		while (args[at] != l->rest[i])
			MUST(++at < l->argc);
}

static bool same_list(const struct opt_list *a, const struct opt_list *b)
{
	bool same = a->n == b->n;

	for (unsigned int i = 0; same && i < a->n; i++)
		same = !strcmp(a->at[i], b->at[i]);
	return same;
}

static bool same_conf(const struct conf *a, const struct conf *b)
{
	return same_list(&a->list, &b->list) && same_list(&a->names, &b->names) &&
	       !a->file == !b->file && (!a->file || !strcmp(a->file, b->file)) &&
	       a->interval == b->interval && a->duration == b->duration && a->count == b->count &&
	       a->port == b->port && a->any == b->any && a->format == b->format && a->at == b->at &&
	       a->numeric == b->numeric && a->verbose == b->verbose && a->quiet == b->quiet;
}

static bool is_operand(const struct line *l, const char *arg)
{
	for (int i = 0; i < l->nrest; i++)
		if (l->rest[i] == arg)
			return true;
	return false;
}

/* Moving the operands to the end gives the same result. */
static void check_again(const struct line *l, char *const *args)
{
	static struct line again;

	again.argc = 0;
	for (int i = 0; i < l->argc; i++)
		if (!is_operand(l, args[i]))
			again.argv[again.argc++] = args[i];
	for (int i = 0; i < l->nrest; i++)
		again.argv[again.argc++] = l->rest[i];
	again.argv[again.argc] = NULL;
	parse_line(&again);
	MUST(!again.rc && same_conf(&again.conf, &l->conf) && again.nrest == l->nrest);
	for (int i = 0; i < l->nrest; i++)
		MUST(again.rest[i] == l->rest[i]);
}

static void add_word(struct line *l, const char *fmt, const char *s, uint64_t n)
{
	size_t room = strlen(fmt) + strlen(s) + 24;
	char *arg = malloc(room);

	MUST(arg && l->argc <= ARGS_MAX);
	snprintf(arg, room, fmt, s, (unsigned long long)n);
	l->argv[l->argc++] = arg;
}

static void add_list(struct line *l, const char *fmt, const struct opt_list *list)
{
	for (unsigned int i = 0; i < list->n; i++)
		add_word(l, fmt, list->at[i], 0);
}

/* The result, written out in full, parses to the same result. */
static void check_written(const struct conf *c)
{
	static struct line l;

	l = (struct line){ .argc = 0 };
	add_word(&l, "%s", "fuzz", 0);
	add_list(&l, "--interface=%s", &c->list);
	if (c->file)
		add_word(&l, "-w%s", c->file, 0);
	if (c->file && !*c->file) /* an empty value of a short option is a separate word */
		add_word(&l, "%s", "", 0);
	add_list(&l, "--name=%s", &c->names);
	if (c->interval)
		add_word(&l, "--interval=%s%lluns", "", c->interval);
	if (c->duration)
		add_word(&l, "-d%s%lluns", "", c->duration);
	if (c->count)
		add_word(&l, "-c%s0x%llX", "", c->count);
	add_word(&l, "--port=%s%llu", "", c->port);
	add_word(&l, "-a%s%llu", "", c->any);
	add_word(&l, "--output=%s", formats[c->format], 0);
	add_word(&l, "--at=%s", hooks[c->at], 0);
	if (c->quiet)
		add_word(&l, "%s", "--quiet", 0);
	if (c->numeric || c->verbose)
		add_word(&l, "-%s", c->numeric ? c->verbose ? "vn" : "n" : "v", 0);
	parse_line(&l);
	MUST(!l.rc && !l.nrest && same_conf(&l.conf, c));
	for (int i = 0; i < l.argc; i++)
		free(l.argv[i]);
}

static void check_line(const struct line *l, char *const *args)
{
	check_conf(l);
	switch (l->rc) {
	case 0:
		MUST(!l->errors[0]);
		check_order(l, args);
		check_again(l, args);
		check_written(&l->conf);
		break;
	case 1:
		MUST(!l->errors[0] && !l->rest && l->nrest == -1);
		break;
	default:
		MUST(l->rc == -E_USAGE && !l->rest && l->nrest == -1);
		check_stderr(l->errors);
		break;
	}
}

/* Discards the help on standard output. */
static void discard_stdout(void)
{
	static bool done;
	int null = done ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		close(null);
	done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	static char *args[ARGS_MAX + 1];
	static struct line l;

	discard_stdout();
	l = (struct line){ .argc = 0 };
	add_word(&l, "%s", "fuzz", 0);
	while (f.left && l.argc < ARGS_MAX)
		l.argv[l.argc++] = feed_str(&f, f.left);
	memcpy(args, l.argv, sizeof(args));
	parse_line(&l);
	check_line(&l, args);
	for (int i = 0; i < l.argc; i++)
		free(args[i]);
	return 0;
}
