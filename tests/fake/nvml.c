/* SPDX-License-Identifier: BSD-3-Clause */
/* As much of NVML as meter_nvml.c asks for. */
#include "tests/fake/nvml.h"

struct field_value {
	unsigned int field, scope;
	long long timestamp_us, latency_us;
	int value_type, result;
	union {
		double real;
		unsigned int integer;
	} value;
};

extern struct fake_nvml fake_nvml;
int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned int *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device);
int nvmlDeviceGetTotalEnergyConsumption(void *device,
					unsigned long long *millijoules);
int nvmlDeviceGetFieldValues(void *device, int count,
			     struct field_value *value);
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts);
const char *nvmlErrorString(int result);

struct fake_nvml fake_nvml = { .gpus = 1,
			       .millijoules = 5000000,
			       .step = 10,
			       .milliwatts = 70000,
			       .average_milliwatts = 60000 };

int nvmlInit_v2(void)
{
	return fake_nvml.init_result;
}

int nvmlShutdown(void)
{
	return 0;
}

int nvmlDeviceGetCount_v2(unsigned int *count)
{
	*count = fake_nvml.gpus;
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device)
{
	static int handle[16];

	*device = &handle[index % 16];
	return 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device,
					unsigned long long *millijoules)
{
	(void)device;
	*millijoules = fake_nvml.millijoules += fake_nvml.step;
	return fake_nvml.energy_result;
}

int nvmlDeviceGetFieldValues(void *device, int count, struct field_value *value)
{
	(void)device;
	for (int i = 0; i < count; i++) {
		value[i].result =
			value[i].field == 186 ? fake_nvml.field_result : 2;
		value[i].value.integer = fake_nvml.milliwatts;
	}
	return 0;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts)
{
	(void)device;
	*milliwatts = fake_nvml.average_milliwatts;
	return fake_nvml.power_result;
}

const char *nvmlErrorString(int result)
{
	return result == 3 ? "Not Supported" : "Driver Not Loaded";
}
