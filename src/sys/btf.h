/* SPDX-License-Identifier: MIT */
/* The running kernel's own type information (BTF): types, members and enumerators by name. */
#ifndef SYS_BTF_H
#define SYS_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BTF_KIND_BIT(kind) (1u << (BTF_KIND_##kind))

/* A name to look for among types of some kinds; id is set to the first that fits, or 0. */
struct btf_lookup {
	const char *name;
	uint32_t kinds; /* BTF_KIND_BIT(STRUCT) | ... */
	uint32_t id;
	/* btf_resolve()'s own; both are places from 1 on, 0 is none: */
	uint32_t next; /* in a row of those with one first letter */
	uint32_t same; /* an earlier one that asks for the same */
};

/* Names that were looked for, in rows of one first letter each. */
struct btf_names {
	struct btf_lookup *at;
	char *text; /* of all of them */
	uint32_t rows[256], n;
};

/* Type information in memory. Zeroed: closed. */
struct btf {
	const uint8_t *data; /* the whole blob */
	size_t len;
	bool mapped;        /* munmap() instead of free() */
	const char *source; /* where it was found, for people */
	const uint8_t *types;
	uint32_t types_len;
	const char *strings; /* ends with a NUL */
	uint32_t strings_len;
	uint32_t *index;  /* offset in types of each id, [0] unused */
	uint32_t n;       /* ids are 1 to n */
	uint32_t pointer; /* bytes of a pointer there */
	struct btf_names known;
};

/* The kernel's BTF: sysfs, a detached sysfs, or by id, in this order. -ENOENT: it has none. */
int btf_open_kernel(struct btf *b);
/* Index a blob that the caller keeps for as long as *b is used. Stops at a kind it does not know:
 * what stands before it is usable. -EINVAL: not BTF of this machine's byte order. */
int btf_open_blob(struct btf *b, const void *data, size_t len);
void btf_close(struct btf *b);

/* All of them in one pass over the types. */
void btf_resolve(const struct btf *b, struct btf_lookup *want, size_t n);
/* The same, and from then on they are known: who asks for one of them waits for no pass. 0 or
 * -ENOMEM: they are not. */
int btf_cache_names(struct btf *b, struct btf_lookup *want, size_t n);

struct btf_field {
	uint32_t off, size; /* bytes */
	uint32_t type;      /* id */
};
/* Follow a path ("a.b[2].c") from a struct or union; anonymous members are looked into. -ENOENT: no
 * such member; -EOPNOTSUPP: a bit field; -EINVAL: damaged BTF. */
int btf_find_field(const struct btf *b, uint32_t id, const char *path, struct btf_field *field);
/* Size in bytes of any type with one; -EINVAL. */
int64_t btf_type_size(const struct btf *b, uint32_t id);
/* The value of an enumerator of enum id. -ENOENT. */
int btf_enum_value(const struct btf *b, uint32_t id, const char *name, uint64_t *value);
/* The name of an enumerator of enum id; NULL: there is none of that value. */
const char *btf_enum_name(const struct btf *b, uint32_t id, uint64_t value);
/* How many arguments a function has; 0: there is no such function, or it has none. */
uint32_t btf_count_function_args(const struct btf *b, const char *name);
/* What a tracepoint's programs are looked up by; type: room for its name. */
enum { BTF_TRACEPOINT_NAME_MAX = 128 };
struct btf_lookup btf_lookup_tracepoint(const char *name, char type[BTF_TRACEPOINT_NAME_MAX]);
/* How many arguments a tracepoint's programs get; 0: there is no such tracepoint. */
uint32_t btf_count_tracepoint_args(const struct btf *b, const char *name);
/* What a value of a type is, as far as a register holds it. */
enum btf_value_kind {
	BTF_VALUE_UNSIGNED,
	BTF_VALUE_SIGNED,
	BTF_VALUE_POINTER,
	BTF_VALUE_STRING,
	BTF_VALUE_VOID
};
struct btf_value {
	const char *name; /* a parameter's, in the blob; "": it has none */
	uint8_t is;       /* enum btf_value_kind */
	uint8_t size;     /* bytes */
};
/* What a function takes and returns (returns may be NULL), as far as each value has a register of
 * its own; of a tracepoint what its programs get. Their number, at most max. -ENOENT. */
int btf_describe_function(const struct btf *b, const char *name, struct btf_value *takes,
			  uint32_t max, struct btf_value *returns);
int btf_describe_tracepoint(const struct btf *b, const char *name, struct btf_value *takes,
			    uint32_t max);
/* Called with each of the kernel's tracepoints. A value other than 0 ends it and is returned. */
typedef int btf_each_name(const char *name, void *arg);
int btf_walk_tracepoints(const struct btf *b, btf_each_name *each, void *arg);
/* A type's own name; "" if it has none. */
const char *btf_type_name(const struct btf *b, uint32_t id);

#endif
