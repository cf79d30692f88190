/* SPDX-License-Identifier: MIT */
/* Sends frames at a fixed rate, with each size in turn, for tests/peers/live.sh. usage: flood IFACE
 * ETHERTYPE COUNT RATE SIZE... COUNT 0: until it is killed */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"

enum { FRAME_MAX = 1514, HEAD = 14 };

static int open_iface(const char *name)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	to.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	return fd;
}

static size_t make_frame(uint8_t *frame, uint16_t type, uint64_t number, size_t size)
{
	uint16_t type_be = htons(type);

	size = size < HEAD ? HEAD : size > FRAME_MAX ? FRAME_MAX : size;
	memset(frame, 0xff, 6);
	memset(frame + 6, 2, 6);
	memcpy(frame + 12, &type_be, sizeof(type_be));
	memset(frame + HEAD, (int)(number & 0xff), size - HEAD);
	return size;
}

/* Waits until a frame is due. Does not sleep for less than 100 us, since sleeping takes longer than
 * requested. */
static void wait_until(uint64_t due)
{
	uint64_t now = clock_mono(), left = now < due ? due - now : 0;

	if (left > 100000)
		nanosleep(&(struct timespec){ .tv_sec = (time_t)(left / NS_PER_S),
					      .tv_nsec = (long)(left % NS_PER_S) },
			  NULL);
}

int main(int argc, char **argv)
{
	uint8_t frame[FRAME_MAX];
	uint64_t count, step, due;
	int fd;

	if (argc < 6)
		return 2;
	fd = open_iface(argv[1]);
	count = strtoull(argv[3], NULL, 0);
	step = NS_PER_S / strtoull(argv[4], NULL, 0);
	due = clock_mono();
	for (uint64_t i = 0; fd >= 0 && (!count || i < count); i++, due += step) {
		size_t len = strtoul(argv[5 + i % (uint64_t)(argc - 5)], NULL, 0);

		len = make_frame(frame, (uint16_t)strtoul(argv[2], NULL, 0), i, len);
		wait_until(due);
		while (send(fd, frame, len, 0) < 0)
			if (errno != ENOBUFS && errno != EINTR)
				return perror(argv[1]), 1;
	}
	return fd < 0 ? fprintf(stderr, "%s: %s\n", argv[1], strerror(-fd)), 1 : 0;
}
