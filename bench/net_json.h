/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_json -- a description in JSON (net_spec.h) as the line that says the same.
 */
#ifndef BENCH_NET_JSON_H
#define BENCH_NET_JSON_H

#include <stddef.h>

#include "lib/err.h"

int net_json_line(const char *json, char *line, size_t size, struct err *err);

#endif
