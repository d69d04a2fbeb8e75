/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/product_kind.h"
const struct product_kind product_kind_fake = { .name = "fake-int",
						.bytes = 4.0 };
