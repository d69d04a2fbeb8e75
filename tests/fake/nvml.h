/* SPDX-License-Identifier: BSD-3-Clause */
/* nvml -- what the fake library shows, for a test to change while it is open:
 * dlsym(handle, "fake_nvml"). */
#ifndef TESTS_FAKE_NVML_H
#define TESTS_FAKE_NVML_H

struct fake_nvml {
	unsigned int gpus;
	int init_result, energy_result, field_result, power_result;
	unsigned long long millijoules, step; /* the second added each time */
	unsigned int milliwatts, average_milliwatts;
};

#endif
