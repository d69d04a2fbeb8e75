/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/loss_kind.h"

#include <errno.h>
#include <string.h>

static const struct loss_kind *const kinds[] = {
	[LOSS_CE] = &loss_kind_ce,
	[LOSS_MSE] = &loss_kind_mse,
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct loss_kind *loss_kind_of(enum loss loss)
{
	return kinds[loss];
}

const char *loss_name(enum loss loss)
{
	return kinds[loss]->name;
}

int loss_parse(const char *text, enum loss *loss, struct err *err)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i]->name, text) == 0) {
			*loss = (enum loss)i;
			return 0;
		}
	err_set(err, EINVAL, "loss '%s': unknown", text);
	return err_remedy(err, "there are ce and mse");
}
