/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kind -- which kind of a thing a text like "dirichlet:0.5" names.
 *
 *	static const char *const names[] = { "iid", "dirichlet", NULL };
 *	const char *argument;
 *	int kind = kind_find("partition", "dirichlet:0.5", names, &argument,
 *			     &err);
 *
 * Partitions, policies, rules and links are chosen this way: KIND or
 * KIND:ARGUMENT.  An unknown kind is an error that lists those there are.
 */
#ifndef FL_KIND_H
#define FL_KIND_H

#include "lib/err.h"

#define KINDS_MAX 64

/* The index into `names` (NULL-terminated), or -1.  `*argument` is what
 * stands behind the first colon, NULL when there is none; borrowed. */
int kind_find(const char *what, const char *text, const char *const *names,
	      const char **argument, struct err *err);

/* For kinds without an argument: EINVAL when there is one. */
int kind_no_argument(const char *what, const char *name, const char *argument,
		     struct err *err);

/* An argument that is a number in [min, max]; NULL is an error that shows the
 * form ("dirichlet:A"). */
int kind_number(const char *what, const char *form, const char *argument,
		double min, double max, double *value, struct err *err);

#endif
