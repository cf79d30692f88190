/* SPDX-License-Identifier: MIT */
/* Reads BTF, the running kernel's type information: types, members and enumerators by name. */
#ifndef SYS_BTF_H
#define SYS_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BTF_KIND_BIT(kind) (1u << (BTF_KIND_##kind))

/* A name to look up among types of some kinds. id is set to the first match, or 0. */
struct btf_lookup {
	const char *name;
	uint32_t kinds; /* BTF_KIND_BIT(STRUCT) | ... */
	uint32_t id;
	/* Used by btf_resolve(). Both are indexes into the caller's array plus 1; 0: none. */
	uint32_t next;         /* the next one with the same first letter */
	uint32_t duplicate_of; /* an earlier entry with the same name and kinds */
};

/* Cached lookups, in one list for each first letter. */
struct btf_name_cache {
	struct btf_lookup *at;
	char *text; /* holds the names */
	uint32_t heads[256], n;
};

/* BTF in memory. Zeroed: closed. */
struct btf {
	const uint8_t *data; /* the whole BTF blob */
	size_t len;
	bool mapped;        /* data was mapped: munmap() it instead of free() */
	const char *source; /* where it was read from, for messages */
	const uint8_t *types;
	uint32_t types_len;
	const char *strings; /* ends with a NUL */
	uint32_t strings_len;
	uint32_t *index;       /* offset in types of each type id; [0] is unused */
	uint32_t n;            /* ids are 1 to n */
	uint32_t pointer_size; /* bytes of a pointer in the kernel */
	struct btf_name_cache name_cache;
};

/* Opens the kernel's BTF: from sysfs, from a detached mount of sysfs, or by id, in this order.
 * -ENOENT: the kernel has no BTF. */
int btf_open_kernel(struct btf *b);
/* Opens a blob that the caller keeps while *b is in use. Indexing stops at an unknown kind; the
 * types before it remain usable. -EINVAL: not BTF in this machine's byte order. */
int btf_open_blob(struct btf *b, const void *data, size_t len);
void btf_close(struct btf *b);

/* Looks up n names in a single pass over all types of the kernel. */
void btf_resolve(const struct btf *b, struct btf_lookup *lookups, size_t n);
/* Like btf_resolve(), and caches the results: later lookups of these names need no pass. Returns 0,
 * or -ENOMEM: not cached. */
int btf_cache_names(struct btf *b, struct btf_lookup *lookups, size_t n);

struct btf_field {
	uint32_t off, size; /* bytes */
	uint32_t type;      /* id */
};
/* Finds a member of a struct or union by its path ("a.b[2].c"), also inside anonymous members.
 * -ENOENT: no such member; -EOPNOTSUPP: a bit field; -EINVAL: damaged BTF. */
int btf_find_field(const struct btf *b, uint32_t id, const char *path, struct btf_field *field);
/* Returns the size of a type in bytes; -EINVAL: the type has none. */
int64_t btf_type_size(const struct btf *b, uint32_t id);
/* Finds the value of an enumerator of enum id by name, or returns -ENOENT. */
int btf_enum_value(const struct btf *b, uint32_t id, const char *name, uint64_t *value);
/* Returns the name of an enumerator of enum id by value; NULL: no such value. */
const char *btf_enum_name(const struct btf *b, uint32_t id, uint64_t value);
/* Returns the number of arguments of a function; 0: no such function, or no arguments. */
uint32_t btf_count_function_args(const struct btf *b, const char *name);
/* Returns the lookup for a tracepoint's prototype, whose name is written to type. */
enum { BTF_TRACEPOINT_NAME_MAX = 128 };
struct btf_lookup btf_lookup_tracepoint(const char *name, char type[BTF_TRACEPOINT_NAME_MAX]);
/* Returns the number of arguments that programs get at a tracepoint; 0: no such tracepoint. */
uint32_t btf_count_tracepoint_args(const struct btf *b, const char *name);
/* How to print a register's value. UNSIGNED includes types that are no numbers. */
enum btf_value_kind {
	BTF_VALUE_UNSIGNED,
	BTF_VALUE_SIGNED,
	BTF_VALUE_POINTER,
	BTF_VALUE_STRING,
	BTF_VALUE_VOID
};
struct btf_value {
	const char *name; /* name of the parameter, in the blob; "": none */
	uint8_t kind;     /* enum btf_value_kind */
	uint8_t size;     /* bytes */
};
/* Describe the parameters of a function and its return value (returns may be NULL), or the
 * arguments that programs get at a tracepoint. Stop at the first parameter that does not fit in a
 * register. Return the number of values, at most max, or -ENOENT. */
int btf_describe_function(const struct btf *b, const char *name, struct btf_value *args,
			  uint32_t max, struct btf_value *returns);
int btf_describe_tracepoint(const struct btf *b, const char *name, struct btf_value *args,
			    uint32_t max);
/* Called with the name of each tracepoint; a value other than 0 ends the walk and is returned. */
typedef int btf_each_name(const char *name, void *arg);
int btf_walk_tracepoints(const struct btf *b, btf_each_name *each, void *arg);
/* Returns the name of a type; "" if it has none. */
const char *btf_type_name(const struct btf *b, uint32_t id);

#endif
