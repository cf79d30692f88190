/* SPDX-License-Identifier: MIT */
/* The Prometheus metrics that commands print. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/array.h"
#include "tests/net/file.h"
#include "tests/net/prom.h"
#include "tests/net/rules.h"
#include "tests/net/trace.h"

static struct sonde a;

/* Every command with counters prints valid metrics. */
SCENARIO(metrics_of_commands, 60)
{
	static const char *const commands[][6] = {
		{ "count", "--read" },
		{ "filter", "list" },
		{ "filter", "set", "list", "-i", "sonde0" },
		{ "guard", "status" },
		{ "guard", "list" },
		{ "status" },
		{ "status", "--stats", "-d", "10ms" },
	};
	const char *set = rules_file("set", "203.0.113.0/24\n"), *path = file_path("count.prom");
	char rule[300], *text;
	struct lab lab = { 0 };

	lab_ready(&lab);
	snprintf(rule, sizeof(rule), "drop src set %s", set);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	FILTER(&a, "add", "-i", "sonde0", "--no-ssh", rule);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde0", "-l", "src 9 packets/s"), "%s",
	      a.err);
	CHECK(!SONDE_RUN(&a, "guard", "ban", "192.0.2.77", "1h"), "%s", a.err);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const char *argv[10] = { "sonde" };
		size_t n = 1;

		for (size_t j = 0; j < ARRAY_LEN(commands[i]) && commands[i][j]; j++)
			argv[n++] = commands[i][j];
		argv[n++] = "-o";
		argv[n] = "prom";
		sonde_start(&a, NULL, argv);
		CHECK(!sonde_wait(&a) && *a.out, "%s %s: %s", argv[1], argv[2], a.err);
		expect_prom(a.out);
	}
	SONDE_START(&a, "count", "--textfile", path, "-I", "100ms", "-i", "sonde0");
	sonde_await_err(&a, "sonde0");
	CHECK(!lab_udp(&lab, AF_INET, 12, 100, true), "cannot send");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	text = trace_read_file(path);
	expect_prom(text);
	free(text);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
}
