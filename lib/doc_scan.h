/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * doc_scan -- a look over JSON text before it is parsed (for doc.c alone).
 *
 * json-c can be strict or take comments, but not both; and even when strict it
 * takes NaN, Infinity, 'single quotes', "1." and "-01".  So comments are made
 * blank in place (line and column of everything else stay), and the rest is
 * refused here.
 */
#ifndef LIB_DOC_SCAN_H
#define LIB_DOC_SCAN_H

#include <stddef.h>

#include "lib/err.h"

/* Arrays and objects within each other. */
#define DOC_DEPTH_MAX 32

/* `text` ends with a NUL that `length` does not count. */
int doc_scan(char *text, size_t length, struct err *err);

/* "line 3, column 14: why"; -1, EINVAL. Columns count characters. */
int doc_scan_fail(const char *text, size_t length, size_t offset,
		  const char *why, struct err *err);

#endif
