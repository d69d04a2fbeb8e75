/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/cpu_frequency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "sensor/sysfs.h"

#define CPUINFO_MAX ((size_t)16 << 20)

static int64_t of_cpufreq(const char *root)
{
	char text[32];

	if (sysfs_read(text, sizeof(text),
		       "%s/sys/devices/system/cpu/cpu0/cpufreq/base_frequency",
		       root) < 0)
		return 0;
	return strtoll(text, NULL, 10) / 1000;
}

static int64_t of_name(const char *root)
{
	char *path = xasprintf("%s/proc/cpuinfo", root);
	struct text text = TEXT_INIT;
	int64_t mhz = 0;
	const char *at = NULL;

	if (text_read_file(&text, path, CPUINFO_MAX, NULL) == 0 && text.length)
		at = strstr(text.data, "model name");
	if (at) {
		size_t length = strcspn(at, "\n");
		const char *sign = memchr(at, '@', length);
		char *unit = NULL;
		double value = sign ? strtod(sign + 1, &unit) : 0;

		if (value > 0 && unit && !strncmp(unit, "GHz", 3))
			mhz = llround(1000 * value);
		else if (value > 0 && unit && !strncmp(unit, "MHz", 3))
			mhz = llround(value);
	}
	text_done(&text);
	free(path);
	return mhz;
}

int64_t cpu_base_frequency(const char *root)
{
	int64_t mhz = of_cpufreq(root);

	return mhz > 0 ? mhz : of_name(root);
}
