/* SPDX-License-Identifier: MIT */
/* Lines and capture files are laid out in one buffer and written in large pieces. */
#include "cmd/capture_out.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "filter/view.h"
#include "net/proto.h"

enum { FULL = 1 << 16, NAME_MAX_HERE = 8 };

const char *const capture_formats[] = { "text", "json", NULL };

/* A packet as JSON has it. */
struct row {
	uint64_t time_ns, length, caplen, vlan, source_port, destination_port, pid;
	const char *interface, *direction, *verdict, *type, *protocol, *source, *destination;
	const char *process;
};

#define R struct row
static const struct col cols[] = {
	{ "time_ns", .role = COL_INFO, COL_AT_U64(R, time_ns) },
	{ "interface", .role = COL_INFO, COL_AT_STR(R, interface) },
	{ "direction", .role = COL_INFO, COL_AT_STR(R, direction) },
	{ "length", .role = COL_INFO, COL_AT_U64(R, length) },
	{ "captured", .role = COL_INFO, COL_AT_U64(R, caplen) },
	{ "type", .role = COL_INFO, COL_AT_STR(R, type) },
	{ "protocol", .role = COL_INFO, COL_AT_STR(R, protocol) },
	{ "source", .role = COL_INFO, COL_AT_STR(R, source) },
	{ "source_port", .role = COL_INFO, COL_AT_U64(R, source_port) },
	{ "destination", .role = COL_INFO, COL_AT_STR(R, destination) },
	{ "destination_port", .role = COL_INFO, COL_AT_U64(R, destination_port) },
	{ "vlan", .role = COL_INFO, COL_AT_U64(R, vlan) },
	{ "pid", .role = COL_INFO, COL_AT_U64(R, pid) },
	{ "process", .role = COL_INFO, COL_AT_STR(R, process) },
	{ "verdict", .role = COL_INFO, COL_AT_STR(R, verdict) },
};
#undef R
static const struct schema packet_schema = { "capture", cols, sizeof(cols) / sizeof(*cols) };

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), e = strlen(end);

	return n >= e && !strcmp(name + n - e, end);
}

int capture_out_open(struct capture_out *out, const struct capture_out_wish *wish)
{
	out->wish = *wish;
	out->fd = STDOUT_FILENO;
	out->name = "standard output";
	if (!wish->file && wish->format == CAPTURE_JSON) {
		out->sink = sink_new(SINK_JSON, out->fd, false);
		return out->sink ? 0 : fail_errno(-ENOMEM, "standard output");
	}
	if (!wish->file)
		return 0;
	out->ng = !wish->pcap && !ends_with(wish->file, ".pcap");
	if (!strcmp(wish->file, "-")) {
		if (isatty(STDOUT_FILENO))
			return fail_usage(
				"packets on a terminal make no sense: -w FILE, or a pipe");
		return 0;
	}
	out->name = wish->file;
	out->fd = open(wish->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return out->fd < 0 ? fail_errno(-errno, "%s", out->name) : 0;
}

int capture_out_flush(struct capture_out *out)
{
	int rc = out->buf.len || out->buf.nomem ? buf_write(&out->buf, out->fd) : 0;

	buf_clear(&out->buf);
	if (rc == -EPIPE)
		return fail(rc, "%s: the reader is gone", out->name);
	if (rc == -ENOSPC)
		return fail(rc, "%s: no space left; what is in it can be read", out->name);
	return rc ? fail_errno(rc, "%s", out->name) : 0;
}

static const char *address(char *text, const struct view *v, const uint8_t *bytes)
{
	if (!v->addrs)
		return NULL;
	return inet_ntop(v->addrs == 4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN);
}

static const char *numbered(char *text, const char *name, unsigned int number)
{
	if (name)
		return name;
	snprintf(text, NAME_MAX_HERE, "%u", number);
	return text;
}

static int put_json(struct capture_out *out, const struct frame *f, const char *iface)
{
	static const char *const dirs[] = { NULL, "in", "out" };
	static const char *const verdicts[] = { NULL, "pass", "drop" };
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], type[NAME_MAX_HERE],
		proto[NAME_MAX_HERE];
	struct view views[VIEW_LAYERS], *v = views;
	struct row row;
	int rc;

	view_frame(views, f);
	row = (struct row){
		.time_ns = f->time_ns,
		.length = f->len,
		.caplen = f->caplen,
		.vlan = v->vlan[0],
		.source_port = v->sport,
		.destination_port = v->dport,
		.pid = f->pid,
		.interface = *iface ? iface : NULL,
		.direction = dirs[f->dir],
		.verdict = verdicts[f->verdict],
		.type = numbered(type, net_ethertype_name(v->type), v->type),
		.source = address(src, v, v->src),
		.destination = address(dst, v, v->dst),
		.process = *f->comm ? f->comm : NULL,
	};
	if (v->proto != VIEW_NONE)
		row.protocol = numbered(proto, net_proto_name((uint8_t)v->proto), v->proto);
	rc = sink_begin(out->sink, &packet_schema, NULL);
	rc = rc ? rc : sink_row(out->sink, &row);
	rc = rc ? rc : sink_end(out->sink);
	return rc ? fail_errno(rc, "%s", out->name) : 0;
}

/* A file has its interfaces before their packets; a classic one has one kind of link only. */
static int put_heads(struct capture_out *out, const struct frame *f,
		     const struct capfile_iface *iface)
{
	static const struct capfile_iface unknown = { .snaplen = 0 };

	if (!out->ng) {
		if (!out->begun)
			capfile_put_pcap(&out->buf, f->link, 262144, true);
		else if (f->link != out->link)
			return fail(-EINVAL, "%s: pcap holds one kind of link only: write pcapng",
				    out->name);
		out->link = f->link;
		out->begun = true;
		return 0;
	}
	if (!out->begun)
		capfile_put_section(&out->buf, "sonde");
	out->begun = true;
	for (; out->ifaces <= f->iface; out->ifaces++) {
		struct capfile_iface copy = out->ifaces == f->iface && iface ? *iface : unknown;

		if (out->ifaces == f->iface)
			copy.link = f->link;
		capfile_put_iface(&out->buf, &copy, NULL);
	}
	return 0;
}

static int put_file(struct capture_out *out, const struct frame *f,
		    const struct capfile_iface *iface)
{
	int rc = put_heads(out, f, iface);

	if (rc)
		return rc;
	if (out->ng)
		capfile_put_packet(&out->buf, f);
	else
		capfile_put_record(&out->buf, f, true);
	return 0;
}

int capture_out_frame(struct capture_out *out, const struct frame *frame,
		      const struct capfile_iface *iface)
{
	const char *name = iface ? iface->name : "";
	const char *const *names = *name ? &name : NULL;
	struct frame line = *frame;
	int rc = 0;

	if (out->wish.file) {
		rc = put_file(out, frame, iface);
	} else if (out->sink) {
		return put_json(out, frame, name);
	} else {
		out->wish.lines.ifaces = names;
		out->wish.lines.ifaces_n = names != NULL;
		line.iface = 0;
		dissect_line(&out->buf, &line, &out->wish.lines, &out->lines);
	}
	out->written += !rc;
	return rc || out->buf.len < FULL ? rc : capture_out_flush(out);
}

int capture_out_close(struct capture_out *out, int rc)
{
	int flushed = capture_out_flush(out);

	if (!rc)
		rc = flushed;
	if (out->fd > STDERR_FILENO && close(out->fd) && !rc)
		rc = fail_errno(-errno, "%s", out->name);
	out->fd = 0;
	buf_free(&out->buf);
	sink_free(out->sink);
	out->sink = NULL;
	return rc;
}
