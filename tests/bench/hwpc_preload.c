/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hwpc_preload -- lets an unmodified hwpc-sensor start where there is no
 * hardware PMU: it insists on counting an event of the hardware once, and gets
 * the CPU clock instead.
 *
 *	LD_PRELOAD=build/release/hwpc_preload.so hwpc-sensor …
 */
#include <dlfcn.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	struct perf_event_attr *attr;
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	attr = (struct perf_event_attr *)a[0];
	if (number == SYS_perf_event_open && attr->type == PERF_TYPE_HARDWARE) {
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = PERF_COUNT_SW_TASK_CLOCK;
	}
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
