/* SPDX-License-Identifier: MIT */
/* Shared by the files of net/capfile: constants of the formats, error messages, comments on
 * packets. */
#ifndef NET_CAPFILE_INTERNAL_H
#define NET_CAPFILE_INTERNAL_H

#include "base/array.h"
#include "base/cursor.h"
#include "net/capfile/capfile.h"

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html; magic numbers in the writer's
 * byte order. */
#define PCAP_MAGIC      0xa1b2c3d4U
#define PCAP_MAGIC_NANO 0xa1b23c4dU

enum {
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
	PCAP_SNAPLEN = 262144, /* no limit, in libpcap */
};

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html */
enum {
	NG_IFACE = 1,
	NG_OLD_PACKET = 2,
	NG_SIMPLE_PACKET = 3,
	NG_STATS = 5,
	NG_PACKET = 6,
	NG_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
	NG_BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	NG_BLOCK_OVERHEAD = 12, /* bytes around each block's body: type and two lengths */
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_TSOFFSET = 14,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_VERDICT = 7,
	EPB_PROCESS = 8,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
};

enum {
	TSRESOL_US = 6, /* default */
	TSRESOL_NS = 9,
	TSRESOL_BINARY = 0x80,
};

enum { COMMENT_MAX = 96 }; /* "process: ", 15 bytes as \xNN, and a number in brackets */

static inline uint16_t decode_u16(bool big, uint16_t be)
{
	return big ? be : __builtin_bswap16(be);
}

static inline uint32_t decode_u32(bool big, uint32_t be)
{
	return big ? be : __builtin_bswap32(be);
}

static inline uint64_t decode_u64(bool big, uint64_t be)
{
	return big ? be : __builtin_bswap64(be);
}

static inline uint16_t read_u16(const struct capfile *c, struct cursor *at)
{
	return decode_u16(c->big, cursor_be16(at));
}

static inline uint32_t read_u32(const struct capfile *c, struct cursor *at)
{
	return decode_u32(c->big, cursor_be32(at));
}

static inline uint64_t read_u64(const struct capfile *c, struct cursor *at)
{
	return decode_u64(c->big, cursor_be64(at));
}

/* Sets diag to "damaged at byte N: MESSAGE", where N is the start of the current unit. Returns
 * -EBADMSG. */
int capfile_damaged(struct capfile *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets diag to the message. Returns -EBADMSG. */
int capfile_fail(struct capfile *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds a zeroed interface. NULL: out of memory or too many interfaces; *rc and diag are set. */
struct capfile_iface *capfile_add_iface(struct capfile *c, int *rc);

/* pcapng: gets the length of the block that starts with these n bytes (a value above n if more
 * bytes are needed to tell), and parses a whole block. */
int capfile_ng_measure_block(struct capfile *c, const uint8_t *at, size_t n, size_t *need);
int capfile_ng_parse_block(struct capfile *c, const uint8_t *at, size_t len);
/* Returns the name of a block for messages ("a packet", "a block"), given its first n bytes. */
const char *capfile_ng_block_name(const struct capfile *c, const uint8_t *at, size_t n);

/* Comments on a frame: makes number i as text (at most COMMENT_MAX bytes, no NUL) and returns its
 * length, 0 if the frame has none. */
enum { COMMENT_PROCESS, COMMENT_VERDICT, NCOMMENTS };
size_t capfile_make_comment(const struct frame *f, unsigned int i, char *text);
/* If text is such a comment, sets the frame's members and returns true. */
bool capfile_parse_comment(struct frame *f, const char *text, size_t len);

#endif
