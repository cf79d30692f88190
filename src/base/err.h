/* SPDX-License-Identifier: MIT */
/* Errors: said once, where the words are known, as one line on stderr. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* What a command returns for a mistake on its command line; outside errno's range.
 * main() exits with 2 for it and with 1 for any other negative value. */
#define E_USAGE 4096

/* Print "sonde: MESSAGE" and return err (a negative errno), for `return fail(-E..., ...)`.
 * Control characters that came in with the arguments are printed as '?'. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, with ": " and the words for err behind the message. */
int fail_errno(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Print the message and the way to the command's help; returns -E_USAGE. */
int fail_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line of information on stderr: which hook was chosen, what was stepped down from. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The words for an errno (err may be negative), in the terms of this program's users. */
const char *err_message(int err);

/* "ENOENT"; NULL: it is no error, or one without a name. err may be negative. */
const char *err_name(int err);

/* Keep messages from stderr until err_capture_end(): the last one's text (cut to len, ended with a
 * NUL) is put into buf instead. For trying what may fail, when the reason is an answer. Holds nest:
 * what err_capture_begin() returns is given to err_capture_end(). */
struct err_capture {
	char *buf;
	size_t len;
};
struct err_capture err_capture_begin(char *buf, size_t len);
void err_capture_end(struct err_capture before);
bool err_is_captured(void);

/* Name the command for the lines above ("count"); NULL for none. The string must stay. */
void err_set_command(const char *name);

#endif
