/* SPDX-License-Identifier: MIT */
/* Answers extcap(4) requests about interfaces and options, and runs captures for Wireshark.
 *
 * Options come from the command's own table, which alone defines names, choices and ranges. */
#include "cmd/capture/extcap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/version.h"
#include "capture/session.h"
#include "cmd/common/cmd.h"
#include "net/frame.h"
#include "sys/link.h"

/* The name of the interface in Wireshark: this alone for all interfaces, "sonde-eth0" for one. */
#define ALL "sonde"

enum { DLT_ETHERNET = 1, DLT_RAW_IP = 12, WORDS_MAX = 1000, ARGS_MAX = 32 };

enum offer { DIRECTION, AT, PROCESS, SNAPLEN, BUFFER, NETNS, NOT_PROMISCUOUS, OFFERS };
/* Options of the command, and the labels of their fields. */
static const struct {
	const char *option, *display;
} offers[] = {
	[DIRECTION] = { "--direction", "Direction" },
	[AT] = { "--at", "Hook for incoming packets" },
	[PROCESS] = { "--process", "Packets with processes" },
	[SNAPLEN] = { "--snaplen", "Bytes to keep of a packet" },
	[BUFFER] = { "--buffer-size", "Memory for packets (KiB)" },
	[NETNS] = { "--netns", "Network namespace" },
	[NOT_PROMISCUOUS] = { "--no-promiscuous-mode", "No promiscuous mode" },
};

struct extcap {
	bool interfaces, dlts, config, capture, cleanup, not_promiscuous;
	const char *iface, *fifo, *filter, *ignored;
	const char *values[OFFERS];
};

#define E struct extcap
#define TAKE(offer, name) \
	OPT_STR(0, name, "VALUE", E, values[offer], "the same as for sonde capture")
static const struct opt rows[] = {
	OPT_FLAG(0, "extcap-interfaces", E, interfaces, "list the interfaces"),
	OPT_STR(0, "extcap-version", "VERSION", E, ignored, "the caller's version (ignored)"),
	OPT_STR(0, "extcap-interface", "NAME", E, iface, "interface to describe or to capture on"),
	OPT_FLAG(0, "extcap-dlts", E, dlts, "print the interface's link type"),
	OPT_FLAG(0, "extcap-config", E, config, "list the interface's options"),
	OPT_STR(0, "extcap-reload-option", "NAME", E, ignored, "option to reload (ignored)"),
	OPT_STR(0, "extcap-capture-filter", "FILTER", E, filter,
		"check this filter; with --capture, apply it"),
	OPT_FLAG(0, "capture", E, capture, "capture"),
	OPT_STR(0, "fifo", "FILE", E, fifo, "write packets to this named pipe"),
	OPT_FLAG(0, "extcap-cleanup-postkill", E, cleanup,
		 "do nothing: the kernel has detached everything"),
	TAKE(DIRECTION, "direction"),
	TAKE(AT, "at"),
	TAKE(PROCESS, "process"),
	TAKE(SNAPLEN, "snaplen"),
	TAKE(BUFFER, "buffer-size"),
	TAKE(NETNS, "netns"),
	OPT_FLAG(0, "no-promiscuous-mode", E, not_promiscuous, "the same as for sonde capture"),
	{ 0 },
};
#undef TAKE
#undef E

static const struct opt_spec spec = {
	.command = "capture",
	.usage = "--extcap-interfaces | --extcap-interface=NAME --capture --fifo=FILE [OPTIONS]",
	.about = "capture for Wireshark (extcap)\n"
		 "A link to this program in Wireshark's extcap directory (Help, "
		 "About, Folders) brings its interfaces into Wireshark's list. "
		 "The capture filter is in sonde's language, and the kernel applies it.",
	.rows = rows,
};

static int print_buf(struct buf *b)
{
	int rc = buf_write(b, STDOUT_FILENO);

	buf_free(b);
	return rc ? fail_errno(rc, "standard output") : 0;
}

/* Gets the interface from its name in Wireshark; *iface NULL: all interfaces. */
static int iface_of(const char *name, const char **iface)
{
	size_t n = strlen(ALL);

	if (!name)
		return fail_usage("--extcap-interface=NAME is missing");
	if (strncmp(name, ALL, n) || (name[n] && name[n] != '-'))
		return fail(-ENODEV, "no interface %s", name);
	*iface = name[n] ? name + n + 1 : NULL;
	return 0;
}

static int list_interfaces(void)
{
	struct link_list l = { 0 };
	struct buf b = { 0 };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (!rc)
		rc = link_list(&nl, &l);
	nl_close(&nl);
	buf_str(&b, "extcap {version=" SONDE_VERSION "}\n"
		    "interface {value=" ALL "}{display=eBPF capture on all interfaces}\n");
	for (size_t i = 0; i < l.n && !rc; i++)
		buf_printf(&b, "interface {value=" ALL "-%s}{display=eBPF capture on %s}\n",
			   l.at[i].name, l.at[i].name);
	link_list_free(&l);
	if (!rc)
		return print_buf(&b);
	buf_free(&b);
	return fail_errno(rc, "listing the interfaces");
}

static int list_dlts(const char *iface)
{
	uint16_t type = FRAME_ETHERNET;
	struct buf b = { 0 };
	struct link link;
	struct nl nl = { 0 };
	int rc = iface ? nl_open(&nl, 0) : 0;

	if (!rc && iface)
		rc = link_get(&nl, iface, 0, &link);
	if (!rc && iface)
		type = capture_link_type(&link);
	nl_close(&nl);
	if (rc == -ENODEV)
		return fail(rc, "no interface %s", iface);
	if (rc)
		return fail_errno(rc, "%s", iface);
	if (type == FRAME_ETHERNET)
		buf_printf(&b, "dlt {number=%d}{name=EN10MB}{display=Ethernet}\n", DLT_ETHERNET);
	else
		buf_printf(&b, "dlt {number=%d}{name=RAW}{display=Raw IP}\n", DLT_RAW_IP);
	return print_buf(&b);
}

static const struct opt *find_row(const struct opt_spec *command, const char *option)
{
	const struct opt *o = command->rows;

	while (o->kind && strcmp(o->name, option + strlen("--")))
		o++;
	return o;
}

/* The first choice is the command's default. */
static void put_choices(struct buf *b, int number, const char *const *choices)
{
	for (int i = 0; choices[i]; i++)
		buf_printf(b, "value {arg=%d}{value=%s}{display=%s}{default=%s}\n", number,
			   choices[i], choices[i], i ? "false" : "true");
}

static int list_options(const struct opt_spec *command)
{
	static const char *const types[] = {
		[OPT_KIND_FLAG] = "boolflag",
		[OPT_KIND_U32] = "unsigned",
		[OPT_KIND_STR] = "string",
		[OPT_KIND_CHOICE] = "selector",
	};
	struct buf b = { 0 };

	for (int i = 0; i < OFFERS; i++) {
		const struct opt *o = find_row(command, offers[i].option);

		buf_printf(&b, "arg {number=%d}{call=%s}{display=%s}{type=%s}{tooltip=%s}", i,
			   offers[i].option, offers[i].display, types[o->kind], o->help);
		if (o->kind == OPT_KIND_U32)
			buf_printf(&b, "{range=%u,%u}", o->min, o->max);
		buf_char(&b, '\n');
		if (o->kind == OPT_KIND_CHOICE)
			put_choices(&b, i, o->choices);
	}
	return print_buf(&b);
}

/* Prints the error of an invalid filter; Wireshark shows the first line. No output: it is valid. */
static int check_filter(const struct extcap_base *base, const char *text)
{
	char words[WORDS_MAX] = "";
	struct err_capture before = err_capture_begin(words, sizeof(words));
	struct buf b = { 0 };
	int rc = base->check_filter(text);

	err_capture_end(before);
	if (rc)
		buf_printf(&b, "%s\n", words);
	return print_buf(&b);
}

/* Makes the fifo standard output, so that the capture ends when its reader closes it. */
static int open_fifo(const char *name)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc ? fail_errno(rc, "%s", name) : 0;
}

/* Runs the capture. Wireshark ends it by closing the fifo, so -EPIPE is no error. */
static int run_quietly(const struct extcap_base *base, int argc, const char **argv)
{
	char words[WORDS_MAX] = "";
	struct err_capture before = err_capture_begin(words, sizeof(words));
	int rc = base->run(argc, (char **)argv);

	err_capture_end(before);
	if (!rc || rc == -EPIPE)
		return 0;
	return fail(rc, "%s", *words ? words : err_message(rc));
}

static int run_capture(const struct extcap_base *base, const struct extcap *e, const char *iface)
{
	const char *argv[ARGS_MAX] = { "capture", "--quiet", "-w", "-" };
	int n = 4, rc;

	if (!e->fifo)
		return fail_usage("--fifo=FILE is missing");
	if (iface)
		argv[n++] = "-i", argv[n++] = iface;
	if (e->not_promiscuous)
		argv[n++] = offers[NOT_PROMISCUOUS].option;
	/* Wireshark passes an empty value for an empty field. */
	for (int i = 0; i < OFFERS; i++)
		if (e->values[i] && *e->values[i])
			argv[n++] = offers[i].option, argv[n++] = e->values[i];
	argv[n++] = "--";
	if (e->filter)
		argv[n++] = e->filter;
	rc = open_fifo(e->fifo);
	return rc ? rc : run_quietly(base, n, argv);
}

int extcap_run(const struct extcap_base *base, int argc, char **argv)
{
	struct cmd_common none = { 0 };
	struct extcap e = { 0 };
	const char *iface = NULL;
	int rc = cmd_parse_options(&spec, &e, &none, argc, argv);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (e.interfaces)
		return list_interfaces();
	rc = iface_of(e.iface, &iface);
	if (rc || e.cleanup)
		return rc;
	if (e.dlts)
		return list_dlts(iface);
	if (e.config)
		return list_options(base->spec);
	if (e.capture)
		return run_capture(base, &e, iface);
	if (e.filter)
		return check_filter(base, e.filter);
	return fail_usage("missing action for %s: --extcap-dlts, --extcap-config or --capture",
			  e.iface);
}
