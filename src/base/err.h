/* SPDX-License-Identifier: MIT */
/* Error messages: one line on stderr, reported once, where the cause is known. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Returned negated for wrong command lines; outside the range of errno. main() exits with status 2
 * for it and with 1 for any other negative value. */
#define E_USAGE 4096

/* Prints "sonde COMMAND: MESSAGE" to stderr and returns err (a negative errno), for `return
 * fail(-E..., ...)`. Control characters in the message are printed as '?'. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like fail(), with ": " and err_message(err) appended. */
int fail_errno(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like fail(), with a hint to the command's --help. Returns -E_USAGE. */
int fail_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line of information to stderr, such as the hook that is used or a fallback. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns the message for an errno (positive or negative), worded for users of this program. */
const char *err_message(int err);

/* Returns the symbol of an errno (positive or negative), such as "ENOENT". NULL: 0 or unknown. */
const char *err_name(int err);

/* Captures messages instead of printing them until err_capture_end(): buf gets the text of the last
 * one, truncated to len bytes and NUL-terminated. For attempts whose error message is a result.
 * Captures nest: pass the value of err_capture_begin() to err_capture_end(). */
struct err_capture {
	char *buf;
	size_t len;
};
struct err_capture err_capture_begin(char *buf, size_t len);
void err_capture_end(struct err_capture before);
bool err_is_captured(void);

/* Sets the command that messages are prefixed with ("count"); NULL: none. The string is not
 * copied. */
void err_set_command(const char *name);

#endif
