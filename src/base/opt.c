/* SPDX-License-Identifier: MIT */
/* Parses command lines by tables of typed options. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/opt.h"
#include "base/buf.h"
#include "base/err.h"

#define SPELLING_MAX 64

struct parse {
	const struct opt_spec *spec;
	char *into;
	char **argv;
	int argc, at;
};

/* Quotes an empty value, which would be invisible in a message. */
static const char *quote_empty(const char *value)
{
	return *value ? value : "\"\"";
}

static int store_flag(const struct opt *o, const char *as, const char *value, void *member)
{
	(void)o, (void)as, (void)value;
	*(bool *)member = true;
	return 0;
}

static int store_count(const struct opt *o, const char *as, const char *value, void *member)
{
	(void)o;
	(void)as;
	(void)value;
	++*(uint32_t *)member;
	return 0;
}

static int store_set(const struct opt *o, const char *as, const char *value, void *member)
{
	(void)as, (void)value;
	*(int *)member = o->value;
	return 0;
}

static int store_u32(const struct opt *o, const char *as, const char *value, void *member)
{
	int err = parse_u32(value, o->min, o->max, member);

	if (err == -ERANGE)
		return fail_usage("%s: %s is out of range (%u to %u)", as, value, o->min, o->max);
	if (err)
		return fail_usage("%s: %s is not a number (%u to %u)", as, quote_empty(value),
				  o->min, o->max);
	return 0;
}

static int store_str(const struct opt *o, const char *as, const char *value, void *member)
{
	(void)o, (void)as;
	*(const char **)member = value;
	return 0;
}

static int store_list(const struct opt *o, const char *as, const char *value, void *member)
{
	struct opt_list *list = member;

	(void)o;
	if (list->n == OPT_LIST_MAX)
		return fail_usage("%s: given more than %d times", as, OPT_LIST_MAX);
	list->at[list->n++] = value;
	return 0;
}

static int store_time(const struct opt *o, const char *as, const char *value, void *member)
{
	int err = parse_time(value, member);

	(void)o;
	if (err == -ERANGE)
		return fail_usage("%s: %s is out of range (1 nanosecond to 1 year)", as, value);
	if (err)
		return fail_usage("%s: %s is not a time (examples: 2, 0.5, 100ms)", as,
				  quote_empty(value));
	return 0;
}

static int not_a_choice(const struct opt *o, const char *as, const char *value)
{
	struct buf names = { 0 };
	int err;

	for (const char *const *c = o->choices; *c; c++)
		buf_printf(&names, "%s%s", c == o->choices ? "" : ", ", *c);
	err = fail_usage("%s: %s is not one of %.*s", as, quote_empty(value), (int)names.len,
			 names.len ? names.data : "");
	buf_free(&names);
	return err;
}

static int store_choice(const struct opt *o, const char *as, const char *value, void *member)
{
	for (int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], value)) {
			*(int *)member = i;
			return 0;
		}
	}
	return not_a_choice(o, as, value);
}

static const struct kind {
	bool takes_value;
	int (*store)(const struct opt *o, const char *as, const char *value, void *member);
} kinds[] = {
	[OPT_KIND_FLAG] = { false, store_flag },    [OPT_KIND_SET] = { false, store_set },
	[OPT_KIND_U32] = { true, store_u32 },       [OPT_KIND_STR] = { true, store_str },
	[OPT_KIND_LIST] = { true, store_list },     [OPT_KIND_TIME] = { true, store_time },
	[OPT_KIND_CHOICE] = { true, store_choice }, [OPT_KIND_COUNT] = { false, store_count },
};

static const struct opt *find_letter(const struct opt_spec *spec, char letter)
{
	if (letter == opt_help_row.letter)
		return &opt_help_row;
	for (const struct opt *o = spec->rows; o->kind; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static const struct opt *find_name(const struct opt_spec *spec, const char *name, size_t len)
{
	if (len == strlen(opt_help_row.name) && !memcmp(name, opt_help_row.name, len))
		return &opt_help_row;
	for (const struct opt *o = spec->rows; o->kind; o++)
		if (*o->name && strlen(o->name) == len && !memcmp(name, o->name, len))
			return o;
	return NULL;
}

/* Reports an unknown option (of len bytes) and suggests the long option nearest to name. name NULL:
 * no suggestion. */
static int report_unknown(const struct opt_spec *spec, const char *arg, size_t len,
			  const char *name)
{
	const char *names[128];
	const char *near;
	size_t n = 0;

	names[n++] = opt_help_row.name;
	for (const struct opt *o = spec->rows; o->kind && n < 127; o++)
		if (*o->name)
			names[n++] = o->name;
	names[n] = NULL;
	near = name ? opt_nearest(name, names) : NULL;
	if (near)
		return fail_usage("unknown option %.*s; did you mean --%s?", (int)len, arg, near);
	return fail_usage("unknown option %.*s", (int)len, arg);
}

/* Stores the value of option o: the rest of its own argument, or the next argument. */
static int take_value(struct parse *p, const struct opt *o, const char *as, const char *value)
{
	if (!value && p->at + 1 >= p->argc)
		return fail_usage("%s: needs a value (%s)", as, *o->arg ? o->arg : "VALUE");
	if (!value)
		value = p->argv[++p->at];
	return kinds[o->kind].store(o, as, value, p->into + o->off);
}

static int print_help(const struct opt_spec *spec)
{
	struct buf b = { 0 };
	int rc;

	opt_put_help(spec, &b);
	rc = buf_write(&b, STDOUT_FILENO);
	buf_free(&b);
	return rc ? fail_errno(rc, "standard output") : 1;
}

static int take_long(struct parse *p)
{
	const char *name = p->argv[p->at] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct opt *o = find_name(p->spec, name, len);
	char as[SPELLING_MAX];

	if (value)
		value++;
	snprintf(as, sizeof(as), "--%.*s", (int)len, name);
	if (!o)
		return report_unknown(p->spec, name - 2, len ? len + 2 : strlen(name - 2), as + 2);
	if (kinds[o->kind].takes_value)
		return take_value(p, o, as, value);
	if (value)
		return fail_usage("%s: takes no value", as);
	if (o == &opt_help_row)
		return print_help(p->spec);
	return kinds[o->kind].store(o, as, NULL, p->into + o->off);
}

/* Reports a letter that no option has. Suggests "--json" for "-json"; else names only the
 * letter. */
static int report_unknown_letter(struct parse *p, const char *at)
{
	const char *arg = p->argv[p->at];
	bool ascii = *at > ' ' && *at < 0x7f;

	if (at == arg + 1 && at[1] && find_name(p->spec, at, strlen(at)))
		return report_unknown(p->spec, arg, strlen(arg), at);
	if (!ascii || at == arg + 1)
		return report_unknown(p->spec, arg, ascii ? 2 : strlen(arg), NULL);
	return fail_usage("unknown option -%c in %s", *at, arg);
}

static int take_letters(struct parse *p)
{
	for (const char *at = p->argv[p->at] + 1; *at; at++) {
		const struct opt *o = find_letter(p->spec, *at);
		const char as[] = { '-', *at, '\0' };
		int err;

		if (!o)
			return report_unknown_letter(p, at);
		if (o == &opt_help_row)
			return print_help(p->spec);
		if (kinds[o->kind].takes_value)
			return take_value(p, o, as, at[1] ? at + 1 : NULL);
		err = kinds[o->kind].store(o, as, NULL, p->into + o->off);
		if (err)
			return err;
	}
	return 0;
}

static void reverse_args(char **v, int n)
{
	for (int i = 0; i < n / 2; i++) {
		char *kept = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = kept;
	}
}

int opt_parse(const struct opt_spec *spec, void *into, int argc, char **argv, char ***rest,
	      int *nrest)
{
	struct parse p = { .spec = spec, .into = into, .argv = argv, .argc = argc, .at = 1 };
	int operands = 0;

	for (; p.at < argc; p.at++) {
		char *arg = argv[p.at];
		int err;

		if (!strcmp(arg, "--")) {
			p.at++;
			break;
		}
		if (arg[0] != '-' || !arg[1]) { /* move operands to the front, in order */
			argv[p.at] = argv[1 + operands];
			argv[1 + operands++] = arg;
			continue;
		}
		err = arg[1] == '-' ? take_long(&p) : take_letters(&p);
		if (err)
			return err;
	}
	/* Turn [operands][options] into [options][operands]: the operands then precede those after
	 * "--" and argv's NULL, so that a command may exec them. */
	reverse_args(argv + 1, operands);
	reverse_args(argv + 1, p.at - 1);
	*rest = argv + p.at - operands;
	*nrest = argc - p.at + operands;
	return 0;
}
