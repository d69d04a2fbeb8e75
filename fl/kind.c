/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/kind.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/text.h"

static int unknown_kind(const char *what, const char *text,
			const char *const *names, struct err *err)
{
	const char *near = field_nearest(text, names);
	struct text all = TEXT_INIT;

	for (size_t i = 0; names[i]; i++)
		text_printf(&all, "%s%s", i ? ", " : "", names[i]);
	if (near)
		err_set(err, EINVAL,
			"%s '%s': unknown; did you mean '%s'? (there are: %s)",
			what, text, near, all.data);
	else
		err_set(err, EINVAL, "%s '%s': unknown (there are: %s)", what,
			text, all.data);
	text_done(&all);
	return -1;
}

int kind_find(const char *what, const char *text, const char *const *names,
	      const char **argument, struct err *err)
{
	size_t length = strcspn(text, ":");

	for (size_t i = 0; names[i]; i++)
		if (strlen(names[i]) == length &&
		    !memcmp(names[i], text, length)) {
			*argument = text[length] ? text + length + 1 : NULL;
			return (int)i;
		}
	return unknown_kind(what, text, names, err);
}

int kind_no_argument(const char *what, const char *name, const char *argument,
		     struct err *err)
{
	if (!argument)
		return 0;
	return err_set(err, EINVAL, "%s '%s' takes nothing behind it, not '%s'",
		       what, name, argument);
}

int kind_number(const char *what, const char *form, const char *argument,
		double min, double max, double *value, struct err *err)
{
	char *end;
	double number;

	if (!argument || !*argument)
		return err_set(err, EINVAL, "%s '%s': the number is missing",
			       what, form);
	errno = 0;
	number = strtod(argument, &end);
	if (*end || errno || !isfinite(number))
		return err_set(err, EINVAL, "%s '%s': '%s' is not a number",
			       what, form, argument);
	if (number < min || number > max)
		return err_set(err, EINVAL, "%s '%s': %g is not within %g … %g",
			       what, form, number, min, max);
	*value = number;
	return 0;
}
