/* SPDX-License-Identifier: MIT */
/* What the files of net/capfile share: the formats' numbers, damage said once, notes on packets. */
#ifndef NET_CAPFILE_INTERNAL_H
#define NET_CAPFILE_INTERNAL_H

#include "base/array.h"
#include "base/cursor.h"
#include "net/capfile/capfile.h"

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, as the writer's byte order has
 * them. */
#define PCAP_MAGIC      0xa1b2c3d4U
#define PCAP_MAGIC_NANO 0xa1b23c4dU

enum {
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
	PCAP_SNAPLEN = 262144, /* what libpcap takes for no limit */
};

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html */
enum {
	NG_IFACE = 1,
	NG_OLD_PACKET = 2,
	NG_SIMPLE_PACKET = 3,
	NG_STATS = 5,
	NG_PACKET = 6,
	NG_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
	NG_ORDER = 0x1a2b3c4d,
	NG_FRAME = 12, /* of every block: type, length, length again */
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
	TSRESOL_US = 6, /* where the file does not say */
	TSRESOL_NS = 9,
	TSRESOL_BINARY = 0x80,
};

enum { NOTE_MAX = 96 }; /* "process: " and 15 bytes as \xNN and a number in brackets */

static inline uint16_t order16(bool big, uint16_t be)
{
	return big ? be : __builtin_bswap16(be);
}

static inline uint32_t order32(bool big, uint32_t be)
{
	return big ? be : __builtin_bswap32(be);
}

static inline uint64_t order64(bool big, uint64_t be)
{
	return big ? be : __builtin_bswap64(be);
}

static inline uint16_t take16(const struct capfile *c, struct cursor *at)
{
	return order16(c->big, cursor_be16(at));
}

static inline uint32_t take32(const struct capfile *c, struct cursor *at)
{
	return order32(c->big, cursor_be32(at));
}

static inline uint64_t take64(const struct capfile *c, struct cursor *at)
{
	return order64(c->big, cursor_be64(at));
}

/* "damaged at byte N: ", N being where the current unit starts, and the words. -EBADMSG. */
int capfile_damaged(struct capfile *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Only the words. -EBADMSG. */
int capfile_refuse(struct capfile *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One more interface, zeroed; NULL: there is no memory or no number for it, and rc says which. */
struct capfile_iface *capfile_add(struct capfile *c, int *rc);

/* pcapng: the length of the block that starts with these n bytes, more than n if it takes more of
 * them to tell; and a whole block. */
int capfile_ng_measure(struct capfile *c, const uint8_t *at, size_t n, size_t *need);
int capfile_ng_take(struct capfile *c, const uint8_t *at, size_t len);
/* What a block is, of whose first n bytes something is known: "a packet", "a block". */
const char *capfile_ng_kind(const struct capfile *c, const uint8_t *at, size_t n);

/* The notes on a frame as comments: the i-th one as text (NOTE_MAX bytes, no NUL), its length, 0
 * where there is none. */
enum { NOTE_PROCESS, NOTE_VERDICT, NOTES };
size_t capfile_note(const struct frame *f, unsigned int i, char *text);
/* Whether the comment is such a note; if so the frame knows it now. */
bool capfile_note_read(struct frame *f, const char *text, size_t len);

#endif
