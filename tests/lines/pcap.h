/* SPDX-License-Identifier: MIT */
/* Reads frames of a well-formed little-endian pcap file, as the tests have them. */
#ifndef TESTS_LINES_PCAP_H
#define TESTS_LINES_PCAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "net/frame.h"

struct pcap_file {
	uint8_t *data;
	size_t size, at;
	uint32_t scale; /* nanoseconds per unit of the fraction */
	uint16_t link;
};

static inline uint32_t le32_at(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Loads a file. False: cannot be read. */
static inline bool pcap_load(struct pcap_file *p, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	*p = (struct pcap_file){ 0 };
	if (!f)
		return false;
	if (!fseek(f, 0, SEEK_END) && (size = ftell(f)) >= 24 && !fseek(f, 0, SEEK_SET) &&
	    (p->data = malloc((size_t)size)))
		p->size = fread(p->data, 1, (size_t)size, f);
	fclose(f);
	if (p->size < 24)
		return false;
	p->scale = le32_at(p->data) == 0xa1b23c4d ? 1 : 1000;
	p->link = (uint16_t)le32_at(p->data + 20);
	p->at = 24;
	return true;
}

static inline bool pcap_next(struct pcap_file *p, struct frame *f)
{
	const uint8_t *h = p->data + p->at;

	if (p->size - p->at < 16 || p->size - p->at - 16 < le32_at(h + 8))
		return false;
	*f = (struct frame){
		.data = h + 16,
		.caplen = le32_at(h + 8),
		.len = le32_at(h + 12),
		.time_ns = le32_at(h) * UINT64_C(1000000000) + (uint64_t)le32_at(h + 4) * p->scale,
		.link = p->link,
	};
	p->at += 16 + f->caplen;
	return true;
}

#endif
