/* SPDX-License-Identifier: MIT */
/* Reading BTF (Documentation/bpf/btf.rst); every offset is checked, for the blob may be damaged. */
#include "sys/btf.h"
#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys/bpf.h"
#include "sys/mnt.h"

#ifndef BTF_KIND_ENUM64 /* linux/btf.h of 6.0 */
#define BTF_KIND_ENUM64 19
#endif

enum {
	BLOB_MAX = 64 << 20,   /* of a kernel's BTF: today's are 4 to 8 MB */
	DEPTH_MAX = 32,        /* of modifiers, and of anonymous members in each other */
	MEMBERS_MAX = 1 << 14, /* looked at for one name: damaged types may contain each other */
};

/* Bytes behind a struct btf_type, or -1 for a kind that is not known. */
static int64_t tail_len(uint32_t kind, uint32_t vlen)
{
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (int64_t)vlen * (int64_t)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return (int64_t)vlen * 8;
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return (int64_t)vlen * 12;
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

/* The step from a type to the next, or 0 where the walk has to end. */
static uint32_t step(const struct btf *b, uint32_t off)
{
	struct btf_type t;
	int64_t tail;

	if (b->types_len - off < sizeof(t))
		return 0;
	memcpy(&t, b->types + off, sizeof(t));
	tail = tail_len(BTF_INFO_KIND(t.info), BTF_INFO_VLEN(t.info));
	if (tail < 0 || (uint64_t)tail > b->types_len - off - sizeof(t))
		return 0;
	return (uint32_t)(sizeof(t) + (size_t)tail);
}

static int build_index(struct btf *b)
{
	/* As many as there could be: what is not written to is no memory yet. */
	size_t most = b->types_len / sizeof(struct btf_type) + 1;
	uint32_t *fit;

	b->index = malloc(most * sizeof(*b->index));
	if (!b->index)
		return -ENOMEM;
	b->index[0] = 0;
	b->n = 0;
	for (uint32_t off = 0, len; (len = step(b, off)); off += len)
		b->index[++b->n] = off;
	fit = realloc(b->index, (b->n + 1) * sizeof(*b->index));
	b->index = fit ? fit : b->index;
	return 0;
}

static bool type_at(const struct btf *b, uint32_t id, struct btf_type *t)
{
	if (!id || id > b->n)
		return false;
	memcpy(t, b->types + b->index[id], sizeof(*t));
	return true;
}

static const char *string_at(const struct btf *b, uint32_t off)
{
	return off < b->strings_len ? b->strings + off : "";
}

/* As many as its long has: a 32-bit program may run on a 64-bit kernel. Compilers differ in that
 * type's name. */
static uint32_t pointer_size(const struct btf *b)
{
	static const char *const longs[] = { "long unsigned int", "unsigned long" };

	for (uint32_t id = 1; id <= b->n; id++) {
		struct btf_type t;

		type_at(b, id, &t);
		if (BTF_INFO_KIND(t.info) != BTF_KIND_INT)
			continue;
		for (size_t i = 0; i < sizeof(longs) / sizeof(*longs); i++)
			if (!strcmp(string_at(b, t.name_off), longs[i]))
				return t.size;
	}
	return sizeof(void *);
}

int btf_open_blob(struct btf *b, const void *data, size_t len)
{
	struct btf_header h;
	struct btf got = { .data = data, .len = len };
	int rc;

	if (len < sizeof(h) || len > BLOB_MAX)
		return -EINVAL;
	memcpy(&h, data, sizeof(h));
	if (h.magic != BTF_MAGIC || h.hdr_len < sizeof(h) || h.hdr_len > len)
		return -EINVAL;
	len -= h.hdr_len;
	if (h.type_off > len || h.type_len > len - h.type_off || h.type_off % 4)
		return -EINVAL;
	if (h.str_off > len || h.str_len > len - h.str_off || !h.str_len)
		return -EINVAL;
	got.types = got.data + h.hdr_len + h.type_off;
	got.types_len = h.type_len;
	got.strings = (const char *)got.data + h.hdr_len + h.str_off;
	got.strings_len = h.str_len;
	if (got.strings[0] || got.strings[h.str_len - 1])
		return -EINVAL;
	rc = build_index(&got);
	if (rc)
		return rc;
	got.pointer = pointer_size(&got);
	*b = got;
	return 0;
}

static void free_names(struct btf_names *names)
{
	free(names->at);
	free(names->text);
}

void btf_close(struct btf *b)
{
	free(b->index);
	free_names(&b->known);
	if (b->mapped)
		munmap((void *)(uintptr_t)b->data, b->len);
	else if (b->source)
		free((void *)(uintptr_t)b->data);
	*b = (struct btf){ 0 };
}

/* Kernels since 6.15 let the file be mapped, which spares the copy. */
static int read_file(int fd, void **data, size_t *len, bool *mapped)
{
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > BLOB_MAX)
		return -EINVAL;
	*len = (size_t)st.st_size;
	*data = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	*mapped = *data != MAP_FAILED;
	if (*mapped)
		return 0;
	*data = malloc(*len);
	if (!*data)
		return -ENOMEM;
	while (at < *len && n > 0) {
		n = read(fd, (char *)*data + at, *len - at);
		at += n > 0 ? (size_t)n : 0;
	}
	*len = at;
	return n < 0 ? -errno : 0;
}

/* The BTF object that calls itself vmlinux, among those that have ids (since 5.11). */
static int read_by_id(void **data, size_t *len)
{
	uint32_t id = 0;
	int rc;

	while (!(rc = bpf_next_id(BPF_KIND_BTF, id, &id))) {
		struct bpf_btf_info info = { 0 };
		char name[16] = "";
		int fd = bpf_fd_by_id(BPF_KIND_BTF, id);

		if (fd < 0)
			continue;
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		rc = bpf_get_info(fd, &info, sizeof(info));
		if (!rc && info.kernel_btf && !strcmp(name, "vmlinux")) {
			*len = info.btf_size;
			*data = malloc(*len);
			info = (struct bpf_btf_info){ .btf = (uintptr_t)*data,
						      .btf_size = (uint32_t)*len };
			rc = *data ? bpf_get_info(fd, &info, sizeof(info)) : -ENOMEM;
			close(fd);
			return rc;
		}
		close(fd);
	}
	return rc;
}

int btf_open_kernel(struct btf *b)
{
	const char *source = "/sys/kernel/btf/vmlinux";
	void *data = NULL;
	bool mapped = false;
	size_t len = 0;
	int rc, fd = mnt_open("sysfs", "/sys", "kernel/btf/vmlinux");

	if (fd >= 0) {
		rc = read_file(fd, &data, &len, &mapped);
		close(fd);
	} else {
		source = "bpf(2), by id";
		rc = read_by_id(&data, &len);
	}
	if (!rc)
		rc = btf_open_blob(b, data, len);
	if (!rc) {
		b->source = source;
		b->mapped = mapped;
	} else if (mapped) {
		munmap(data, len);
	} else {
		free(data);
	}
	return rc;
}

/* What stands behind the type's header: checked to be there when the index was built. */
static const uint8_t *tail_of(const struct btf *b, uint32_t id)
{
	return b->types + b->index[id] + sizeof(struct btf_type);
}

const char *btf_type_name(const struct btf *b, uint32_t id)
{
	struct btf_type t;

	return type_at(b, id, &t) ? string_at(b, t.name_off) : "";
}

/* Where a name and its kinds stand in a row; 0: they do not. */
static uint32_t find_in(const struct btf_lookup *all, uint32_t row, const struct btf_lookup *want)
{
	while (row && (all[row - 1].kinds != want->kinds || strcmp(all[row - 1].name, want->name)))
		row = all[row - 1].next;
	return row;
}

static void enter(struct btf_lookup *all, uint32_t i, uint32_t rows[256])
{
	uint32_t *row = &rows[(uint8_t)*all[i].name];

	all[i].next = *row;
	*row = i + 1;
}

void btf_resolve(const struct btf *b, struct btf_lookup *want, size_t n)
{
	uint32_t rows[256] = { 0 }, kinds = 0;
	size_t open = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t letter = (uint8_t)*want[i].name;
		uint32_t known = find_in(b->known.at, b->known.rows[letter], &want[i]);

		want[i].id = known ? b->known.at[known - 1].id : 0;
		want[i].same = known ? 0 : find_in(want, rows[letter], &want[i]);
		if (!letter || known || want[i].same)
			continue;
		enter(want, i, rows);
		open++;
		kinds |= want[i].kinds;
	}
	for (uint32_t id = 1; id <= b->n && open; id++) {
		struct btf_type t;
		const char *name;
		uint32_t kind;

		type_at(b, id, &t);
		kind = 1u << BTF_INFO_KIND(t.info);
		if (!(kinds & kind))
			continue;
		name = string_at(b, t.name_off);
		for (uint32_t at = rows[(uint8_t)*name]; at; at = want[at - 1].next) {
			struct btf_lookup *w = &want[at - 1];

			if (w->id || !(w->kinds & kind) || strcmp(w->name, name))
				continue;
			w->id = id;
			open--;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (want[i].same)
			want[i].id = want[want[i].same - 1].id;
}

int btf_cache_names(struct btf *b, struct btf_lookup *want, size_t n)
{
	struct btf_names names = { 0 };
	size_t len = 1;
	char *text;

	btf_resolve(b, want, n);
	for (size_t i = 0; i < n; i++)
		len += strlen(want[i].name) + 1;
	names.at = calloc(n + 1, sizeof(*names.at));
	names.text = text = malloc(len);
	if (!names.at || !text) {
		free_names(&names);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (!*want[i].name || want[i].same)
			continue;
		names.at[names.n] = want[i];
		names.at[names.n].name = strcpy(text, want[i].name);
		text += strlen(text) + 1;
		enter(names.at, names.n++, names.rows);
	}
	free_names(&b->known);
	b->known = names;
	return 0;
}

/* Skip typedefs and qualifiers. 0 if they do not end. */
static uint32_t strip(const struct btf *b, uint32_t id, struct btf_type *t)
{
	for (int i = 0; i < DEPTH_MAX && type_at(b, id, t); i++) {
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = t->type;
			break;
		default:
			return id;
		}
	}
	return 0;
}

/* No real type is larger; damaged ones are. */
static int64_t size_times(uint64_t times, uint32_t size)
{
	return times * size <= UINT32_MAX ? (int64_t)(times * size) : -EINVAL;
}

int64_t btf_type_size(const struct btf *b, uint32_t id)
{
	uint64_t times = 1; /* below 1 << 32, so that no product overflows */

	for (int i = 0; i < DEPTH_MAX; i++) {
		struct btf_array a;
		struct btf_type t;

		id = strip(b, id, &t);
		if (!id)
			return -EINVAL;
		switch (BTF_INFO_KIND(t.info)) {
		case BTF_KIND_PTR:
			return size_times(times, b->pointer);
		case BTF_KIND_ARRAY:
			memcpy(&a, tail_of(b, id), sizeof(a));
			times *= a.nelems;
			id = a.type;
			if (times > UINT32_MAX)
				return -EINVAL;
			break;
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return size_times(times, t.size);
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}

/* A member that is looked for, by len bytes of a path. */
struct hunt {
	const char *name;
	size_t len;
	uint32_t left; /* members that may still be looked at */
};

/* Find it through anonymous structs and unions; *bits counts on. */
static int find_member(const struct btf *b, uint32_t id, struct hunt *h, int depth, uint64_t *bits,
		       uint32_t *type)
{
	struct btf_type t;
	const uint8_t *at;

	id = strip(b, id, &t);
	if (!id ||
	    (BTF_INFO_KIND(t.info) != BTF_KIND_STRUCT && BTF_INFO_KIND(t.info) != BTF_KIND_UNION))
		return -ENOENT;
	at = tail_of(b, id);
	for (uint32_t i = 0; i < BTF_INFO_VLEN(t.info) && h->left; i++) {
		bool sized = BTF_INFO_KFLAG(t.info);
		struct btf_member m;
		const char *own;
		uint64_t off;

		h->left--;
		memcpy(&m, at + i * sizeof(m), sizeof(m));
		own = string_at(b, m.name_off);
		off = *bits + (sized ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset);
		if (!*own && depth < DEPTH_MAX) {
			int rc = find_member(b, m.type, h, depth + 1, &off, type);

			if (!rc)
				*bits = off;
			if (rc != -ENOENT)
				return rc;
		}
		if (strncmp(own, h->name, h->len) || own[h->len])
			continue;
		if ((sized && BTF_MEMBER_BITFIELD_SIZE(m.offset)) || off % 8)
			return -EOPNOTSUPP;
		*bits = off;
		*type = m.type;
		return 0;
	}
	return -ENOENT;
}

/* "[N]" at *path: on to the element. */
static int index_array(const struct btf *b, const char **path, uint64_t *bits, uint32_t *type)
{
	uint64_t n = 0;
	struct btf_array a;
	struct btf_type t;
	int64_t size;
	uint32_t id = strip(b, *type, &t);

	if (!id || BTF_INFO_KIND(t.info) != BTF_KIND_ARRAY)
		return -ENOENT;
	memcpy(&a, tail_of(b, id), sizeof(a));
	for ((*path)++; isdigit((unsigned char)**path) && n <= UINT32_MAX; (*path)++)
		n = n * 10 + (uint64_t)(**path - '0');
	if (**path != ']' || n > UINT32_MAX)
		return -EINVAL;
	(*path)++;
	size = btf_type_size(b, a.type);
	if (size < 0)
		return -EINVAL;
	/* A flexible array has no length to keep to. */
	if (a.nelems && n >= a.nelems)
		return -ENOENT;
	if (n * (uint64_t)size > UINT32_MAX)
		return -EINVAL;
	*bits += n * (uint64_t)size * 8;
	*type = a.type;
	return 0;
}

int btf_find_field(const struct btf *b, uint32_t id, const char *path, struct btf_field *field)
{
	uint64_t bits = 0;
	uint32_t type = id;
	int64_t size;
	int rc = 0;

	while (*path && !rc) {
		size_t len = strcspn(path, ".[");

		if (*path == '[') {
			rc = index_array(b, &path, &bits, &type);
		} else {
			rc = find_member(b, type, &(struct hunt){ path, len, MEMBERS_MAX }, 0,
					 &bits, &type);
			path += len;
		}
		if (*path == '.')
			path++;
	}
	if (rc)
		return rc;
	size = btf_type_size(b, type);
	if (size < 0 || bits / 8 > UINT32_MAX)
		return -EINVAL;
	*field = (struct btf_field){ (uint32_t)(bits / 8), (uint32_t)size, type };
	return 0;
}

/* Enumerator number i of an enum. False: there are no more, or it is no enum. */
static bool enumerator(const struct btf *b, uint32_t id, uint32_t i, const char **name,
		       uint64_t *value)
{
	uint32_t e[3] = { 0 }; /* name, low half, high half */
	struct btf_type t;
	size_t width;

	id = strip(b, id, &t);
	if (!id || i >= BTF_INFO_VLEN(t.info) ||
	    (BTF_INFO_KIND(t.info) != BTF_KIND_ENUM && BTF_INFO_KIND(t.info) != BTF_KIND_ENUM64))
		return false;
	width = BTF_INFO_KIND(t.info) == BTF_KIND_ENUM ? 8 : 12;
	memcpy(e, tail_of(b, id) + i * width, width);
	*name = string_at(b, e[0]);
	*value = width == 8 ? (uint64_t)(int32_t)e[1] : (uint64_t)e[2] << 32 | e[1];
	return true;
}

int btf_enum_value(const struct btf *b, uint32_t id, const char *name, uint64_t *value)
{
	const char *at;
	uint64_t v;

	for (uint32_t i = 0; enumerator(b, id, i, &at, &v); i++) {
		if (strcmp(at, name))
			continue;
		*value = v;
		return 0;
	}
	return -ENOENT;
}

const char *btf_enum_name(const struct btf *b, uint32_t id, uint64_t value)
{
	const char *at;
	uint64_t v;

	for (uint32_t i = 0; enumerator(b, id, i, &at, &v); i++)
		if (v == value)
			return at;
	return NULL;
}

static struct btf_value value_of(const struct btf *b, uint32_t type, uint32_t name)
{
	struct btf_value v = { .name = string_at(b, name), .is = BTF_VALUE_UNSIGNED };
	struct btf_type t;
	uint32_t id = strip(b, type, &t), info;
	int64_t size = btf_type_size(b, id);

	v.size = size > 0 && size < 256 ? (uint8_t)size : 0;
	if (!type) {
		v.is = BTF_VALUE_VOID;
	} else if (id && BTF_INFO_KIND(t.info) == BTF_KIND_INT) {
		memcpy(&info, tail_of(b, id), sizeof(info));
		v.is = BTF_INT_ENCODING(info) & BTF_INT_SIGNED ? BTF_VALUE_SIGNED
							       : BTF_VALUE_UNSIGNED;
	} else if (id && BTF_INFO_KIND(t.info) == BTF_KIND_PTR) {
		id = strip(b, t.type, &t);
		v.is = id && BTF_INFO_KIND(t.info) == BTF_KIND_INT &&
				       !strcmp(string_at(b, t.name_off), "char")
			       ? BTF_VALUE_STRING
			       : BTF_VALUE_POINTER;
	}
	return v;
}

/* A prototype's parameters from number `from` on. */
static int values_of(const struct btf *b, uint32_t proto, uint32_t from, struct btf_value *takes,
		     uint32_t max, struct btf_value *returns)
{
	struct btf_type t;
	uint32_t n = 0;

	if (!type_at(b, proto, &t) || BTF_INFO_KIND(t.info) != BTF_KIND_FUNC_PROTO)
		return -ENOENT;
	for (uint32_t i = from; i < BTF_INFO_VLEN(t.info) && n < max; i++, n++) {
		struct btf_param p;

		memcpy(&p, tail_of(b, proto) + i * sizeof(p), sizeof(p));
		takes[n] = value_of(b, p.type, p.name_off);
		if (!takes[n].size || takes[n].size > b->pointer)
			break;
	}
	if (returns)
		*returns = value_of(b, t.type, 0);
	return (int)n;
}

int btf_describe_function(const struct btf *b, const char *name, struct btf_value *takes,
			  uint32_t max, struct btf_value *returns)
{
	struct btf_lookup want = { .name = name, .kinds = BTF_KIND_BIT(FUNC) };
	struct btf_type t;

	btf_resolve(b, &want, 1);
	return type_at(b, want.id, &t) ? values_of(b, t.type, 0, takes, max, returns) : -ENOENT;
}

/* typedef void (*btf_trace_NAME)(void *, ...): the first argument is not the programs'. */
static const char tracepoint[] = "btf_trace_";

/* The type has no names for what it gives; the function that calls the programs has. */
static void put_names(const struct btf *b, uint32_t caller, struct btf_value *takes, int n)
{
	struct btf_type t;

	if (!type_at(b, caller, &t) || !type_at(b, t.type, &t) ||
	    BTF_INFO_KIND(t.info) != BTF_KIND_FUNC_PROTO || BTF_INFO_VLEN(t.info) <= (uint32_t)n)
		return;
	type_at(b, caller, &t);
	for (int i = 0; i < n; i++) {
		struct btf_param p;

		memcpy(&p, tail_of(b, t.type) + (uint32_t)(i + 1) * sizeof(p), sizeof(p));
		takes[i].name = string_at(b, p.name_off);
	}
}

struct btf_lookup btf_lookup_tracepoint(const char *name, char type[BTF_TRACEPOINT_NAME_MAX])
{
	snprintf(type, BTF_TRACEPOINT_NAME_MAX, "%s%s", tracepoint, name);
	return (struct btf_lookup){ .name = type, .kinds = BTF_KIND_BIT(TYPEDEF) };
}

static int tracepoint_values(const struct btf *b, uint32_t id, struct btf_value *takes,
			     uint32_t max)
{
	struct btf_type t;

	id = strip(b, id, &t);
	if (!id || BTF_INFO_KIND(t.info) != BTF_KIND_PTR)
		return -ENOENT;
	return values_of(b, t.type, 1, takes, max, NULL);
}

int btf_describe_tracepoint(const struct btf *b, const char *name, struct btf_value *takes,
			    uint32_t max)
{
	char type[BTF_TRACEPOINT_NAME_MAX], caller[BTF_TRACEPOINT_NAME_MAX];
	struct btf_lookup want[] = { btf_lookup_tracepoint(name, type),
				     { .name = caller, .kinds = BTF_KIND_BIT(FUNC) } };
	int n;

	snprintf(caller, sizeof(caller), "__traceiter_%s", name);
	btf_resolve(b, want, 2);
	n = tracepoint_values(b, want->id, takes, max);
	if (n > 0)
		put_names(b, want[1].id, takes, n);
	return n;
}

int btf_walk_tracepoints(const struct btf *b, btf_each_name *each, void *arg)
{
	struct btf_type t;
	int rc = 0;

	for (uint32_t id = 1; id <= b->n && !rc; id++) {
		const char *name;

		if (!type_at(b, id, &t) || BTF_INFO_KIND(t.info) != BTF_KIND_TYPEDEF)
			continue;
		name = string_at(b, t.name_off);
		if (!strncmp(name, tracepoint, sizeof(tracepoint) - 1))
			rc = each(name + sizeof(tracepoint) - 1, arg);
	}
	return rc;
}

uint32_t btf_count_function_args(const struct btf *b, const char *name)
{
	struct btf_value values[16];
	int n = btf_describe_function(b, name, values, 16, NULL);

	return n < 0 ? 0 : (uint32_t)n;
}

uint32_t btf_count_tracepoint_args(const struct btf *b, const char *name)
{
	char type[BTF_TRACEPOINT_NAME_MAX];
	struct btf_lookup want = btf_lookup_tracepoint(name, type);
	struct btf_value values[16];
	int n;

	btf_resolve(b, &want, 1);
	n = tracepoint_values(b, want.id, values, 16);
	return n < 0 ? 0 : (uint32_t)n;
}
