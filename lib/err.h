/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * err -- one sentence about what went wrong, built on the way up.
 *
 *	int config_read(struct config *config, const char *path,
 *			struct err *err)
 *	{
 *		int fd = open(path, O_RDONLY | O_CLOEXEC);
 *
 *		if (fd < 0)
 *			return err_sys(err, "open %s", path);
 *		...
 *		if (parse(config, text, err) < 0)
 *			return err_wrap(err, "config %s", path);
 *	}
 *
 * gives "config fl.json: rounds: expected a number".  A program prints the
 * sentence once; library code never prints.
 *
 * Laws: a function that can fail returns -1 (or NULL) and takes `struct err *`
 * last; it may be NULL.  Success never touches it, failure leaves every other
 * output as it was.  `code` is an errno value, for branching only.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include <stdarg.h>

#define ERR_TEXT_MAX 768

struct err {
	int code;
	char text[ERR_TEXT_MAX];
};

/* Say what happened.  `code` is an errno value (EINVAL for bad input). */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of errno behind it. */
int err_sys(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "context: " in front of what a callee said. */
int err_wrap(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put " (remedy)" behind what was said. */
int err_remedy(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
