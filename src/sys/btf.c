/* SPDX-License-Identifier: MIT */
/* BTF reader (Documentation/bpf/btf.rst). Every offset is checked: the blob may be damaged. */
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
#include "base/array.h"
#include "sys/bpf.h"
#include "sys/mnt.h"

#ifndef BTF_KIND_ENUM64 /* linux/btf.h of 6.0 */
#define BTF_KIND_ENUM64 19
#endif

enum {
	BLOB_MAX = 64 << 20,   /* kernels have 4 to 8 MB */
	DEPTH_MAX = 32,        /* of modifiers, and of nested anonymous members */
	MEMBERS_MAX = 1 << 14, /* per search: damaged types may contain each other */
};

/* Bytes that follow a struct btf_type, or -1 for an unknown kind. */
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

/* Returns the length of the type at off, or 0 if the walk must end. */
static uint32_t type_len(const struct btf *b, uint32_t off)
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
	/* Allocates for the largest possible number of types: untouched pages cost no memory. */
	size_t max_types = b->types_len / sizeof(struct btf_type) + 1;
	uint32_t *shrunk;

	b->index = malloc(max_types * sizeof(*b->index));
	if (!b->index)
		return -ENOMEM;
	b->index[0] = 0;
	b->n = 0;
	for (uint32_t off = 0, len; (len = type_len(b, off)); off += len)
		b->index[++b->n] = off;
	shrunk = realloc(b->index, (b->n + 1) * sizeof(*b->index));
	b->index = shrunk ? shrunk : b->index;
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

/* Pointers have the size of the kernel's long: a 32-bit program may run on a 64-bit kernel. The
 * name of that type depends on the compiler. */
static uint32_t find_pointer_size(const struct btf *b)
{
	static const char *const longs[] = { "long unsigned int", "unsigned long" };

	for (uint32_t id = 1; id <= b->n; id++) {
		struct btf_type t;

		type_at(b, id, &t);
		if (BTF_INFO_KIND(t.info) != BTF_KIND_INT)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(longs); i++)
			if (!strcmp(string_at(b, t.name_off), longs[i]))
				return t.size;
	}
	return sizeof(void *);
}

int btf_open_blob(struct btf *b, const void *data, size_t len)
{
	struct btf_header h;
	struct btf opened = { .data = data, .len = len };
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
	opened.types = opened.data + h.hdr_len + h.type_off;
	opened.types_len = h.type_len;
	opened.strings = (const char *)opened.data + h.hdr_len + h.str_off;
	opened.strings_len = h.str_len;
	if (opened.strings[0] || opened.strings[h.str_len - 1])
		return -EINVAL;
	rc = build_index(&opened);
	if (rc)
		return rc;
	opened.pointer_size = find_pointer_size(&opened);
	*b = opened;
	return 0;
}

static void free_names(struct btf_name_cache *names)
{
	free(names->at);
	free(names->text);
}

void btf_close(struct btf *b)
{
	free(b->index);
	free_names(&b->name_cache);
	if (b->mapped)
		munmap((void *)(uintptr_t)b->data, b->len);
	else if (b->source)
		free((void *)(uintptr_t)b->data);
	*b = (struct btf){ 0 };
}

/* Linux 6.15 and later can map the file, which saves the copy. */
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

/* Reads the BTF object named vmlinux, which has an id since Linux 5.11. */
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

/* Returns the data after the type's header; build_index() checked that it is inside the blob. */
static const uint8_t *tail_of(const struct btf *b, uint32_t id)
{
	return b->types + b->index[id] + sizeof(struct btf_type);
}

const char *btf_type_name(const struct btf *b, uint32_t id)
{
	struct btf_type t;

	return type_at(b, id, &t) ? string_at(b, t.name_off) : "";
}

/* Returns the index plus 1 of an entry with the same name and kinds, or 0. */
static uint32_t find_in_chain(const struct btf_lookup *all, uint32_t chain,
			      const struct btf_lookup *lookup)
{
	while (chain &&
	       (all[chain - 1].kinds != lookup->kinds || strcmp(all[chain - 1].name, lookup->name)))
		chain = all[chain - 1].next;
	return chain;
}

static void add_to_chain(struct btf_lookup *all, uint32_t i, uint32_t heads[256])
{
	uint32_t *chain = &heads[(uint8_t)*all[i].name];

	all[i].next = *chain;
	*chain = i + 1;
}

void btf_resolve(const struct btf *b, struct btf_lookup *lookups, size_t n)
{
	uint32_t heads[256] = { 0 }, kinds = 0;
	size_t unresolved = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t letter = (uint8_t)*lookups[i].name;
		uint32_t cached =
			find_in_chain(b->name_cache.at, b->name_cache.heads[letter], &lookups[i]);

		lookups[i].id = cached ? b->name_cache.at[cached - 1].id : 0;
		lookups[i].duplicate_of =
			cached ? 0 : find_in_chain(lookups, heads[letter], &lookups[i]);
		if (!letter || cached || lookups[i].duplicate_of)
			continue;
		add_to_chain(lookups, i, heads);
		unresolved++;
		kinds |= lookups[i].kinds;
	}
	for (uint32_t id = 1; id <= b->n && unresolved; id++) {
		struct btf_type t;
		const char *name;
		uint32_t kind;

		type_at(b, id, &t);
		kind = 1u << BTF_INFO_KIND(t.info);
		if (!(kinds & kind))
			continue;
		name = string_at(b, t.name_off);
		for (uint32_t at = heads[(uint8_t)*name]; at; at = lookups[at - 1].next) {
			struct btf_lookup *lookup = &lookups[at - 1];

			if (lookup->id || !(lookup->kinds & kind) || strcmp(lookup->name, name))
				continue;
			lookup->id = id;
			unresolved--;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (lookups[i].duplicate_of)
			lookups[i].id = lookups[lookups[i].duplicate_of - 1].id;
}

int btf_cache_names(struct btf *b, struct btf_lookup *lookups, size_t n)
{
	struct btf_name_cache names = { 0 };
	size_t len = 1;
	char *text;

	btf_resolve(b, lookups, n);
	for (size_t i = 0; i < n; i++)
		len += strlen(lookups[i].name) + 1;
	names.at = calloc(n + 1, sizeof(*names.at));
	names.text = text = malloc(len);
	if (!names.at || !text) {
		free_names(&names);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (!*lookups[i].name || lookups[i].duplicate_of)
			continue;
		names.at[names.n] = lookups[i];
		names.at[names.n].name = strcpy(text, lookups[i].name);
		text += strlen(text) + 1;
		add_to_chain(names.at, names.n++, names.heads);
	}
	free_names(&b->name_cache);
	b->name_cache = names;
	return 0;
}

/* Skips typedefs and qualifiers. Returns the id of the type below them, or 0 if the chain is too
 * long. */
static uint32_t skip_modifiers(const struct btf *b, uint32_t id, struct btf_type *t)
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

/* Limits sizes: no real type is larger, only damaged ones are. */
static int64_t multiply_size(uint64_t times, uint32_t size)
{
	return times * size <= UINT32_MAX ? (int64_t)(times * size) : -EINVAL;
}

int64_t btf_type_size(const struct btf *b, uint32_t id)
{
	uint64_t times = 1; /* stays below 1 << 32, so that no product overflows */

	for (int i = 0; i < DEPTH_MAX; i++) {
		struct btf_array a;
		struct btf_type t;

		id = skip_modifiers(b, id, &t);
		if (!id)
			return -EINVAL;
		switch (BTF_INFO_KIND(t.info)) {
		case BTF_KIND_PTR:
			return multiply_size(times, b->pointer_size);
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
			return multiply_size(times, t.size);
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}

/* A member to find by name: len bytes of a path. */
struct member_search {
	const char *name;
	size_t len;
	uint32_t left; /* members that may still be visited */
};

/* Searches also in anonymous structs and unions. Adds the member's offset in bits to *bits. */
static int find_member(const struct btf *b, uint32_t id, struct member_search *h, int depth,
		       uint64_t *bits, uint32_t *type)
{
	struct btf_type t;
	const uint8_t *at;

	id = skip_modifiers(b, id, &t);
	if (!id ||
	    (BTF_INFO_KIND(t.info) != BTF_KIND_STRUCT && BTF_INFO_KIND(t.info) != BTF_KIND_UNION))
		return -ENOENT;
	at = tail_of(b, id);
	for (uint32_t i = 0; i < BTF_INFO_VLEN(t.info) && h->left; i++) {
		bool has_bitfields = BTF_INFO_KFLAG(t.info);
		struct btf_member m;
		const char *member_name;
		uint64_t off;

		h->left--;
		memcpy(&m, at + i * sizeof(m), sizeof(m));
		member_name = string_at(b, m.name_off);
		off = *bits + (has_bitfields ? BTF_MEMBER_BIT_OFFSET(m.offset) : m.offset);
		if (!*member_name && depth < DEPTH_MAX) {
			int rc = find_member(b, m.type, h, depth + 1, &off, type);

			if (!rc)
				*bits = off;
			if (rc != -ENOENT)
				return rc;
		}
		if (strncmp(member_name, h->name, h->len) || member_name[h->len])
			continue;
		if ((has_bitfields && BTF_MEMBER_BITFIELD_SIZE(m.offset)) || off % 8)
			return -EOPNOTSUPP;
		*bits = off;
		*type = m.type;
		return 0;
	}
	return -ENOENT;
}

/* Parses "[N]" at *path and moves to that element. */
static int index_array(const struct btf *b, const char **path, uint64_t *bits, uint32_t *type)
{
	uint64_t n = 0;
	struct btf_array a;
	struct btf_type t;
	int64_t size;
	uint32_t id = skip_modifiers(b, *type, &t);

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
	/* nelems 0: a flexible array of unknown length. */
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
			rc = find_member(b, type, &(struct member_search){ path, len, MEMBERS_MAX },
					 0, &bits, &type);
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

/* Reads enumerator number i of an enum. Returns false if it does not exist or id is no enum. */
static bool read_enumerator(const struct btf *b, uint32_t id, uint32_t i, const char **name,
			    uint64_t *value)
{
	uint32_t e[3] = { 0 }; /* name, low half, high half */
	struct btf_type t;
	size_t width;

	id = skip_modifiers(b, id, &t);
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

	for (uint32_t i = 0; read_enumerator(b, id, i, &at, &v); i++) {
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

	for (uint32_t i = 0; read_enumerator(b, id, i, &at, &v); i++)
		if (v == value)
			return at;
	return NULL;
}

static struct btf_value describe_value(const struct btf *b, uint32_t type, uint32_t name)
{
	struct btf_value v = { .name = string_at(b, name), .kind = BTF_VALUE_UNSIGNED };
	struct btf_type t;
	uint32_t id = skip_modifiers(b, type, &t), info;
	int64_t size = btf_type_size(b, id);

	v.size = size > 0 && size < 256 ? (uint8_t)size : 0;
	if (!type) {
		v.kind = BTF_VALUE_VOID;
	} else if (id && BTF_INFO_KIND(t.info) == BTF_KIND_INT) {
		memcpy(&info, tail_of(b, id), sizeof(info));
		v.kind = BTF_INT_ENCODING(info) & BTF_INT_SIGNED ? BTF_VALUE_SIGNED
								 : BTF_VALUE_UNSIGNED;
	} else if (id && BTF_INFO_KIND(t.info) == BTF_KIND_PTR) {
		id = skip_modifiers(b, t.type, &t);
		v.kind = id && BTF_INFO_KIND(t.info) == BTF_KIND_INT &&
					 !strcmp(string_at(b, t.name_off), "char")
				 ? BTF_VALUE_STRING
				 : BTF_VALUE_POINTER;
	}
	return v;
}

/* Describes the parameters of a prototype from index `from` on. */
static int describe_params(const struct btf *b, uint32_t proto, uint32_t from,
			   struct btf_value *args, uint32_t max, struct btf_value *returns)
{
	struct btf_type t;
	uint32_t n = 0;

	if (!type_at(b, proto, &t) || BTF_INFO_KIND(t.info) != BTF_KIND_FUNC_PROTO)
		return -ENOENT;
	for (uint32_t i = from; i < BTF_INFO_VLEN(t.info) && n < max; i++, n++) {
		struct btf_param p;

		memcpy(&p, tail_of(b, proto) + i * sizeof(p), sizeof(p));
		args[n] = describe_value(b, p.type, p.name_off);
		if (!args[n].size || args[n].size > b->pointer_size)
			break;
	}
	if (returns)
		*returns = describe_value(b, t.type, 0);
	return (int)n;
}

int btf_describe_function(const struct btf *b, const char *name, struct btf_value *args,
			  uint32_t max, struct btf_value *returns)
{
	struct btf_lookup lookup = { .name = name, .kinds = BTF_KIND_BIT(FUNC) };
	struct btf_type t;

	btf_resolve(b, &lookup, 1);
	return type_at(b, lookup.id, &t) ? describe_params(b, t.type, 0, args, max, returns)
					 : -ENOENT;
}

/* The type of a tracepoint: typedef void (*btf_trace_NAME)(void *, ...). Programs do not get the
 * first argument. */
static const char tracepoint_prefix[] = "btf_trace_";

/* Takes argument names from the function that calls the programs, since the tracepoint's type has
 * none. */
static void set_arg_names(const struct btf *b, uint32_t caller, struct btf_value *args, int n)
{
	struct btf_type t;

	if (!type_at(b, caller, &t) || !type_at(b, t.type, &t) ||
	    BTF_INFO_KIND(t.info) != BTF_KIND_FUNC_PROTO || BTF_INFO_VLEN(t.info) <= (uint32_t)n)
		return;
	type_at(b, caller, &t);
	for (int i = 0; i < n; i++) {
		struct btf_param p;

		memcpy(&p, tail_of(b, t.type) + (uint32_t)(i + 1) * sizeof(p), sizeof(p));
		args[i].name = string_at(b, p.name_off);
	}
}

struct btf_lookup btf_lookup_tracepoint(const char *name, char type[BTF_TRACEPOINT_NAME_MAX])
{
	snprintf(type, BTF_TRACEPOINT_NAME_MAX, "%s%s", tracepoint_prefix, name);
	return (struct btf_lookup){ .name = type, .kinds = BTF_KIND_BIT(TYPEDEF) };
}

static int describe_tracepoint(const struct btf *b, uint32_t id, struct btf_value *args,
			       uint32_t max)
{
	struct btf_type t;

	id = skip_modifiers(b, id, &t);
	if (!id || BTF_INFO_KIND(t.info) != BTF_KIND_PTR)
		return -ENOENT;
	return describe_params(b, t.type, 1, args, max, NULL);
}

int btf_describe_tracepoint(const struct btf *b, const char *name, struct btf_value *args,
			    uint32_t max)
{
	char type[BTF_TRACEPOINT_NAME_MAX], caller[BTF_TRACEPOINT_NAME_MAX];
	struct btf_lookup lookups[] = { btf_lookup_tracepoint(name, type),
					{ .name = caller, .kinds = BTF_KIND_BIT(FUNC) } };
	int n;

	snprintf(caller, sizeof(caller), "__traceiter_%s", name);
	btf_resolve(b, lookups, 2);
	n = describe_tracepoint(b, lookups->id, args, max);
	if (n > 0)
		set_arg_names(b, lookups[1].id, args, n);
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
		if (!strncmp(name, tracepoint_prefix, sizeof(tracepoint_prefix) - 1))
			rc = each(name + sizeof(tracepoint_prefix) - 1, arg);
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
	struct btf_lookup lookup = btf_lookup_tracepoint(name, type);
	struct btf_value values[16];
	int n;

	btf_resolve(b, &lookup, 1);
	n = describe_tracepoint(b, lookup.id, values, 16);
	return n < 0 ? 0 : (uint32_t)n;
}
