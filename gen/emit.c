// SPDX-License-Identifier: MIT
/* Writes a spec as C: tables for the source, names for the header. */
#define _GNU_SOURCE /* asprintf */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/gen.h"

enum { BYTES_PER_LINE = 12 };

static const char out_of_memory[] = "out of memory";

/* Keeps the first error. */
static void set_error(struct gen_text *t, const char *error)
{
	if (!t->error)
		t->error = error;
}

static bool reserve_text(struct gen_text *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *at;

	if (t->error)
		return false;
	if (more <= t->cap - t->len)
		return true;
	while (cap - t->len < more)
		cap *= 2;
	at = realloc(t->at, cap);
	if (!at) {
		set_error(t, out_of_memory);
		return false;
	}
	t->at = at;
	t->cap = cap;
	return true;
}

__attribute__((format(printf, 2, 3))) static void emit_text(struct gen_text *t, const char *fmt,
							    ...)
{
	va_list args;
	int n = 0;

	/* If the text does not fit, the first pass finds its size, and the second one writes it. */
	for (int i = 0; i < 2 && reserve_text(t, (size_t)n + 1); i++) {
		size_t left = t->cap - t->len;

		va_start(args, fmt);
		n = vsnprintf(t->at + t->len, left, fmt, args);
		va_end(args);
		if (n >= 0 && (size_t)n < left) {
			t->len += n;
			return;
		}
	}
	set_error(t, "a text cannot be formatted");
}

/* Appends a string literal. The string may contain any bytes. */
static void emit_str(struct gen_text *t, const char *s)
{
	emit_text(t, "\"");
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\' || c == '?')
			emit_text(t, "\\%c", c);
		else if (c < ' ' || c > '~')
			emit_text(t, "\\%03o", c);
		else
			emit_text(t, "%c", c);
	}
	emit_text(t, "\"");
}

/* Appends a part of an enumerator: upper-case letters, digits and '_'. */
static void emit_upper(struct gen_text *t, const char *s)
{
	for (; *s; s++)
		emit_text(t, "%c", isalnum((unsigned char)*s) ? toupper((unsigned char)*s) : '_');
}

static void emit_bytes(struct gen_text *t, const char *name, const uint8_t *bytes, uint32_t n)
{
	emit_text(t, "static const uint8_t %s[] = {", name);
	for (uint32_t i = 0; i < n; i++)
		emit_text(t, "%s0x%02x,", i % BYTES_PER_LINE ? " " : "\n\t", bytes[i]);
	emit_text(t, "\n};\n\n");
}

static void emit_head(struct gen_text *t, const struct spec *spec)
{
	emit_text(t, "/* SPDX-License-Identifier: MIT */\n");
	emit_text(t, "/* Made by gen from %s.bpf.o: do not edit. */\n", spec->name);
}

static void emit_images(struct gen_text *t, const struct gen_obj *obj)
{
	for (uint32_t i = 0; i < obj->spec.nmaps; i++) {
		const struct spec_map *m = &obj->spec.maps[i];
		char *name = NULL;

		if (!m->image)
			continue;
		if (asprintf(&name, "image_%s", obj->map_labels[i]) < 0) {
			set_error(t, out_of_memory);
			return;
		}
		emit_bytes(t, name, m->image, m->value_size);
		free(name);
	}
}

static void emit_map(struct gen_text *t, const struct gen_obj *obj, uint32_t i)
{
	const struct spec_map *m = &obj->spec.maps[i];

	emit_text(t, "\t{\n\t\t.name = ");
	emit_str(t, m->name);
	emit_text(t, ",\n\t\t.type = %u,\n\t\t.key_size = %u,\n\t\t.value_size = %u,\n", m->type,
		  m->key_size, m->value_size);
	emit_text(t, "\t\t.max_entries = %u,\n\t\t.flags = %#x,\n", m->max_entries, m->flags);
	if (m->key_type)
		emit_text(t, "\t\t.key_type = %u,\n\t\t.value_type = %u,\n", m->key_type,
			  m->value_type);
	if (m->image)
		emit_text(t, "\t\t.image = image_%s,\n", obj->map_labels[i]);
	if (m->frozen)
		emit_text(t, "\t\t.frozen = true,\n");
	if (m->global)
		emit_text(t, "\t\t.global = true,\n");
	emit_text(t, "\t},\n");
}

static void emit_maps(struct gen_text *t, const struct gen_obj *obj)
{
	if (!obj->spec.nmaps)
		return;
	emit_text(t, "static const struct spec_map maps[] = {\n");
	for (uint32_t i = 0; i < obj->spec.nmaps; i++)
		emit_map(t, obj, i);
	emit_text(t, "};\n\n");
}

static void emit_relocs(struct gen_text *t, const struct spec_prog *p)
{
	if (!p->nrelocs)
		return;
	emit_text(t, "static const struct spec_reloc relocs_%s[] = {\n", p->name);
	for (uint32_t i = 0; i < p->nrelocs; i++) {
		const struct spec_reloc *rel = &p->relocs[i];

		emit_text(t, "\t{ %u, %s, %u, %u },\n", rel->insn,
			  rel->kind == SPEC_MAP_FD ? "SPEC_MAP_FD" : "SPEC_MAP_VALUE", rel->map,
			  rel->off);
	}
	emit_text(t, "};\n\n");
}

static const char *const core_kinds[] = {
	[SPEC_FIELD_OFFSET] = "SPEC_FIELD_OFFSET", [SPEC_FIELD_SIZE] = "SPEC_FIELD_SIZE",
	[SPEC_FIELD_EXISTS] = "SPEC_FIELD_EXISTS", [SPEC_TYPE_EXISTS] = "SPEC_TYPE_EXISTS",
	[SPEC_TYPE_SIZE] = "SPEC_TYPE_SIZE",       [SPEC_ENUM_EXISTS] = "SPEC_ENUM_EXISTS",
	[SPEC_ENUM_VALUE] = "SPEC_ENUM_VALUE",
};

/* A table of strings, each stored once and ended by a NUL. */
struct names {
	char *at;
	size_t len, cap;
};

/* Returns the offset of a name, adding it if it is new; 0 after an error. */
static int intern_name(struct gen_text *t, struct names *n, const char *name)
{
	size_t len = strlen(name) + 1;

	for (size_t at = 0; at < n->len; at += strlen(n->at + at) + 1)
		if (!strcmp(n->at + at, name))
			return at;
	if (n->len > UINT16_MAX) {
		set_error(t, "too many names of types and members for 16-bit offsets");
		return 0;
	}
	if (n->len + len > n->cap) {
		size_t cap = 2 * (n->len + len);
		char *more = realloc(n->at, cap);

		if (!more) {
			set_error(t, out_of_memory);
			return 0;
		}
		n->at = more;
		n->cap = cap;
	}
	memcpy(n->at + n->len, name, len);
	n->len += len;
	return (int)(n->len - len);
}

/* Appends a name within a comment. Characters that could end the comment are replaced. */
static void emit_plain(struct gen_text *t, const char *name)
{
	for (; *name; name++)
		emit_text(t, "%c",
			  isalnum((unsigned char)*name) || strchr("_.[]", *name) ? *name : '?');
}

static void emit_cores(struct gen_text *t, const struct spec_prog *p, struct names *names)
{
	if (!p->ncores)
		return;
	emit_text(t, "static const struct spec_packed_core cores_%s[] = {\n", p->name);
	for (uint32_t i = 0; i < p->ncores; i++) {
		const struct spec_core *c = &p->cores[i];
		int type = intern_name(t, names, c->type), path = intern_name(t, names, c->path);

		if (c->insn > UINT16_MAX)
			set_error(t, "a CO-RE record is after instruction 65535 of its program");
		emit_text(t, "\t{ %u, %s, %u, %d, %d }, /* ", c->insn, core_kinds[c->kind], c->size,
			  type, path);
		emit_plain(t, c->type);
		emit_text(t, " ");
		emit_plain(t, c->path);
		emit_text(t, " */\n");
	}
	emit_text(t, "};\n\n");
}

static void emit_names(struct gen_text *t, const struct names *n)
{
	emit_text(t, "static const char names[] =");
	for (size_t at = 0; at < n->len; at += strlen(n->at + at) + 1) {
		emit_text(t, "\n\t");
		emit_str(t, n->at + at);
		emit_text(t, " \"\\0\"");
	}
	emit_text(t, "%s;\n\n", n->len ? "" : " \"\"");
}

/* Writes the first instruction of each function, for readers of verifier logs. */
static void emit_funcs(struct gen_text *t, const struct gen_layout *l)
{
	for (uint32_t i = 0; i < l->nfuncs; i++) {
		emit_text(t, "\t\t/* %u: ", l->funcs[i].start);
		emit_plain(t, l->funcs[i].name);
		emit_text(t, " */\n");
	}
}

static void emit_prog(struct gen_text *t, const struct spec_prog *p, const struct gen_layout *l)
{
	emit_text(t, "\t{\n\t\t.name = ");
	emit_str(t, p->name);
	emit_text(t, ",\n\t\t.type = %u,\n\t\t.attach_type = %u,\n", p->type, p->attach_type);
	if (p->returns)
		emit_text(t, "\t\t.returns = true,\n");
	if (p->target) {
		emit_text(t, "\t\t.target = ");
		emit_str(t, p->target);
		emit_text(t, ",\n");
	}
	emit_funcs(t, l);
	emit_text(t, "\t\t.first = %u,\n\t\t.ninsns = %u,\n", p->first, p->ninsns);
	if (p->stub)
		emit_text(t, "\t\t.stub = %u,\n", p->stub);
	if (p->nrelocs)
		emit_text(t, "\t\t.relocs = relocs_%s,\n\t\t.nrelocs = %u,\n", p->name, p->nrelocs);
	if (p->ncores)
		emit_text(t, "\t\t.packed = cores_%s,\n\t\t.ncores = %u,\n", p->name, p->ncores);
	emit_text(t, "\t},\n");
}

static void emit_progs(struct gen_text *t, const struct gen_obj *obj)
{
	struct names names = { 0 };

	for (uint32_t i = 0; i < obj->spec.nprogs; i++) {
		emit_relocs(t, &obj->spec.progs[i]);
		emit_cores(t, &obj->spec.progs[i], &names);
	}
	emit_names(t, &names);
	free(names.at);
	emit_text(t, "static const struct spec_prog progs[] = {\n");
	for (uint32_t i = 0; i < obj->spec.nprogs; i++)
		emit_prog(t, &obj->spec.progs[i], &obj->layouts[i]);
	emit_text(t, "};\n\n");
}

/* Sets code_len and streams of *spec. */
static void emit_code(struct gen_text *t, const struct gen_obj *obj, struct spec *spec)
{
	uint8_t *code = gen_pack(obj, &spec->code_len, spec->streams);

	if (!code)
		set_error(t, out_of_memory);
	else
		emit_bytes(t, "code", code, spec->code_len);
	free(code);
}

static void emit_spec(struct gen_text *t, const struct spec *spec)
{
	emit_text(t, "const struct spec %s_spec = {\n\t.name = ", spec->name);
	emit_str(t, spec->name);
	emit_text(t, ",\n\t.license = ");
	emit_str(t, spec->license);
	emit_text(t, ",\n");
	if (spec->nmaps)
		emit_text(t, "\t.maps = maps,\n\t.nmaps = %u,\n", spec->nmaps);
	emit_text(t, "\t.progs = progs,\n\t.nprogs = %u,\n", spec->nprogs);
	emit_text(t, "\t.code = code,\n\t.code_len = sizeof(code),\n\t.ninsns = %u,\n",
		  spec->ninsns);
	emit_text(t, "\t.streams = { %u, %u, %u, %u },\n", spec->streams[0], spec->streams[1],
		  spec->streams[2], spec->streams[3]);
	emit_text(t, "\t.names = names,\n");
	if (spec->btf)
		emit_text(t, "\t.btf = btf,\n\t.btf_len = %u,\n", spec->btf_len);
	emit_text(t, "\t.conf_map = %u,\n\t.conf_off = %u,\n\t.conf_len = %u,\n};\n",
		  spec->conf_map, spec->conf_off, spec->conf_len);
}

int gen_emit_source(const struct gen_obj *obj, struct gen_text *t)
{
	const char *order = obj->big ? "big" : "little";
	struct spec spec = obj->spec;

	emit_head(t, &obj->spec);
	emit_text(t, "#include \"%s.gen.h\"\n\n", obj->spec.name);
	emit_text(t, "#if __BYTE_ORDER__ != __ORDER_%s_ENDIAN__\n", obj->big ? "BIG" : "LITTLE");
	emit_text(t, "#error \"made from a %s-endian object\"\n#endif\n\n", order);
	emit_images(t, obj);
	emit_maps(t, obj);
	emit_progs(t, obj);
	emit_code(t, obj, &spec);
	if (obj->spec.btf)
		emit_bytes(t, "btf", obj->spec.btf, obj->spec.btf_len);
	emit_spec(t, &spec);
	return t->error ? -EINVAL : 0;
}

static void emit_enum(struct gen_text *t, const struct spec *spec, const char *what,
		      const char *name)
{
	emit_text(t, "\t");
	emit_upper(t, spec->name);
	emit_text(t, "_%s_", what);
	emit_upper(t, name);
	emit_text(t, ",\n");
}

static void emit_count(struct gen_text *t, const struct spec *spec, const char *what)
{
	emit_text(t, "\t");
	emit_upper(t, spec->name);
	emit_text(t, "_%s,\n};\n\n", what);
}

int gen_emit_header(const struct gen_obj *obj, struct gen_text *t)
{
	const struct spec *spec = &obj->spec;

	emit_head(t, spec);
	emit_text(t, "#ifndef ");
	emit_upper(t, spec->name);
	emit_text(t, "_GEN_H\n#define ");
	emit_upper(t, spec->name);
	emit_text(t,
		  "_GEN_H\n\n#include \"obj/spec.h\"\n\n/* Indices in %s_spec.maps. */\nenum {\n",
		  spec->name);
	for (uint32_t i = 0; i < spec->nmaps; i++)
		emit_enum(t, spec, "MAP", obj->map_labels[i]);
	emit_count(t, spec, "NMAPS");
	emit_text(t, "/* Indices in %s_spec.progs. */\nenum {\n", spec->name);
	for (uint32_t i = 0; i < spec->nprogs; i++)
		emit_enum(t, spec, "PROG", spec->progs[i].name);
	emit_count(t, spec, "NPROGS");
	emit_text(t, "extern const struct spec %s_spec;\n\n#endif\n", spec->name);
	return t->error ? -EINVAL : 0;
}

void gen_text_close(struct gen_text *t)
{
	free(t->at);
	*t = (struct gen_text){ 0 };
}
