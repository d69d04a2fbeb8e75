/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/privilege.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/sysfs.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define KEPT            (BIT(CAP_PERFMON) | BIT(CAP_BPF))

static const struct {
	int capability;
	const char *name;
} names[] = {
	{ CAP_PERFMON, "cap_perfmon" },
	{ CAP_BPF, "cap_bpf" },
	{ CAP_DAC_READ_SEARCH, "cap_dac_read_search" },
	{ CAP_DAC_OVERRIDE, "cap_dac_override" },
	{ CAP_SYS_PTRACE, "cap_sys_ptrace" },
	{ CAP_SYS_RAWIO, "cap_sys_rawio" },
	{ CAP_SYS_ADMIN, "cap_sys_admin" },
};

/* glibc has no wrapper; libcap would be a library for two calls. */
static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(SYS_capget, &header, data);
}

static int set(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};

	return (int)syscall(SYS_capset, &header, data);
}

static int last_known(void)
{
	int64_t last = 0;
	int fd = sysfs_open("/proc/sys/kernel/cap_last_cap");

	if (fd >= 0) {
		if (sysfs_number(fd, &last) < 0)
			last = 0;
		close(fd);
	}
	return (int)last;
}

int privilege_drop(struct err *err)
{
	struct __user_cap_data_struct data[2];

	if (last_known() < CAP_BPF)
		return 0;
	if (get(data) < 0)
		return err_sys(err, "capget");
	for (int i = 0; i < 2; i++) {
		uint32_t kept = (uint32_t)(KEPT >> (32 * i));

		data[i].permitted &= kept;
		data[i].effective = data[i].permitted;
		data[i].inheritable &= kept;
	}
	if (set(data) < 0)
		return err_sys(err, "give up capabilities");
	return 0;
}

uint64_t privilege_now(void)
{
	struct __user_cap_data_struct data[2];

	if (get(data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

const char *privilege_text(uint64_t capabilities, char *out, size_t size)
{
	uint64_t all = BIT(last_known() + 1) - 1;
	size_t length = 0;
	int others;

	if ((capabilities & all) == all || !capabilities) {
		snprintf(out, size, "%s", capabilities ? "all" : "none");
		return out;
	}
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(capabilities & BIT(names[i].capability)))
			continue;
		capabilities &= ~BIT(names[i].capability);
		length += (size_t)snprintf(out + length, size - length, "%s%s",
					   length ? ", " : "", names[i].name);
		if (length >= size)
			return out;
	}
	others = __builtin_popcountll(capabilities);
	if (others)
		snprintf(out + length, size - length, "%s%d more",
			 length ? ", " : "", others);
	return out;
}
