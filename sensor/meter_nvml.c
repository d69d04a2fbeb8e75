/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NVIDIA's GPUs, by the management library that comes with their driver.
 *
 * It is opened at run time: who builds this needs nothing of NVIDIA's, and who
 * has no such GPU nothing either.  Declared here is the part of its documented
 * interface ("NVML API Reference Guide") that is used.
 *
 * From Volta on the GPU counts millijoules; older ones show power, of which
 * the instant field is asked for first: nvmlDeviceGetPowerUsage() is an average
 * over a second on many (arXiv 2312.02741).
 */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sensor/domain.h"
#include "sensor/meter_kind.h"
#include "sensor/power.h"

#define LIBRARY "libnvidia-ml.so.1"

/* nvmlReturn_t */
#define NVML_SUCCESS           0
#define NVML_ERROR_GPU_IS_LOST 15
/* A field of nvmlDeviceGetFieldValues(): milliwatts, now. */
#define NVML_FI_DEV_POWER_INSTANT 186

/* The counter moves every 20 to 100 ms, depending on the GPU. */
#define PERIOD_S 0.1
/* More than any one board is rated (GB200: 1.2 kW), twice. */
#define PLAUSIBLE_W 2400.0
#define COUNT_J     1e-3

/* nvmlFieldValue_t */
struct field_value {
	unsigned int field, scope;
	long long timestamp_us, latency_us;
	int value_type, result;
	union {
		double real;
		unsigned int integer;
		unsigned long long_integer;
		unsigned long long long_long;
	} value;
};

struct library {
	void *handle;
	int (*init)(void);
	int (*shutdown)(void);
	int (*count)(unsigned int *count);
	int (*device)(unsigned int index, void **device);
	int (*energy)(void *device, unsigned long long *millijoules);
	int (*fields)(void *device, int count, struct field_value *value);
	int (*power)(void *device, unsigned int *milliwatts);
	const char *(*why)(int result);
};

struct gpu {
	void *device;
	bool counts;
	uint64_t last;
};

struct nvml {
	struct library library;
	struct gpu gpu[METER_DOMAINS_MAX];
	size_t gpus;
	struct power *power; /* where one has no counter */
	double variance[METER_DOMAINS_MAX];
};

/* ---- the library ------------------------------------------------------------ */

static int library_load(struct library *library, const char *path,
			struct err *err)
{
	const struct {
		const char *name;
		void *to;
	} symbols[] = {
		{ "nvmlInit_v2", &library->init },
		{ "nvmlShutdown", &library->shutdown },
		{ "nvmlDeviceGetCount_v2", &library->count },
		{ "nvmlDeviceGetHandleByIndex_v2", &library->device },
		{ "nvmlDeviceGetTotalEnergyConsumption", &library->energy },
		{ "nvmlDeviceGetFieldValues", &library->fields },
		{ "nvmlDeviceGetPowerUsage", &library->power },
		{ "nvmlErrorString", &library->why },
	};

	library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle)
		return err_set(err, ENOENT, "no NVIDIA driver (%s)", dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(library->handle, symbols[i].name);

		if (!symbol)
			return err_set(err, ENOSYS, "%s has no %s", path,
				       symbols[i].name);
		/* POSIX's way from a data pointer to a function's. */
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return 0;
}

static int failed(const struct library *library, int result, const char *what,
		  struct err *err)
{
	return err_set(err, EIO, "%s: %s", what, library->why(result));
}

static void nvml_close(void *self)
{
	struct nvml *nvml = self;

	power_stop(nvml->power);
	if (nvml->gpus)
		nvml->library.shutdown();
	if (nvml->library.handle)
		dlclose(nvml->library.handle);
	free(nvml);
}

/* ---- opening ---------------------------------------------------------------- */

static double gpu_watts(const struct nvml *nvml, const struct gpu *gpu)
{
	const struct library *library = &nvml->library;
	struct field_value instant = { .field = NVML_FI_DEV_POWER_INSTANT };
	unsigned int milliwatts = 0;
	int result;

	if (library->fields(gpu->device, 1, &instant) == NVML_SUCCESS &&
	    instant.result == NVML_SUCCESS)
		return 1e-3 * (double)instant.value.integer;
	result = library->power(gpu->device, &milliwatts);
	if (result == NVML_SUCCESS)
		return 1e-3 * (double)milliwatts;
	return result == NVML_ERROR_GPU_IS_LOST ? (double)INFINITY
						: (double)NAN;
}

static int gpu_add(struct nvml *nvml, struct meter_parts *parts,
		   unsigned int index, struct err *err)
{
	struct gpu *gpu = &nvml->gpu[nvml->gpus];
	struct meter_counter *counter;
	struct meter_domain *domain;
	unsigned long long millijoules;
	char name[32];
	int result = nvml->library.device(index, &gpu->device);

	snprintf(name, sizeof(name), "gpu-%u", index);
	if (result != NVML_SUCCESS)
		return failed(&nvml->library, result, name, err);
	counter = meter_parts_add(parts);
	if (!counter)
		return 0;
	nvml->gpus++;
	gpu->counts =
		nvml->library.energy(gpu->device, &millijoules) == NVML_SUCCESS;
	if (!gpu->counts && isnan(gpu_watts(nvml, gpu)))
		return err_set(err, ENOTSUP,
			       "%s shows neither energy nor power", name);
	domain = &parts->domain[parts->domains - 1];
	domain_other(domain, "nvml", name);
	domain->resolution_j = COUNT_J;
	domain->period_s = PERIOD_S;
	counter->count_j = COUNT_J;
	counter->plausible_w = PLAUSIBLE_W;
	counter->form = !gpu->counts;
	counter->slow = true;
	counter->still_s = gpu->counts ? METER_STILL_S : 0;
	snprintf(counter->where, sizeof(counter->where), "%s", name);
	return 0;
}

static int gpus_open(struct nvml *nvml, const char *argument,
		     struct meter_parts *parts, struct err *err)
{
	unsigned int count = 0, first = 0, last;
	char *end = NULL;
	int result = nvml->library.count(&count);

	if (result != NVML_SUCCESS)
		return failed(&nvml->library, result, "GPUs", err);
	if (!count)
		return err_set(err, ENODEV, "no GPU");
	last = count - 1;
	if (argument && *argument) {
		unsigned long index = strtoul(argument, &end, 10);

		if (*end || index >= count)
			return err_set(err, EINVAL,
				       "'%s': expected a GPU's number, 0 to %u",
				       argument, last);
		first = last = (unsigned int)index;
	}
	for (unsigned int i = first; i <= last; i++)
		if (gpu_add(nvml, parts, i, err) < 0)
			return -1;
	return 0;
}

static void nvml_poll(void *self, double *watts)
{
	const struct nvml *nvml = self;

	for (size_t i = 0; i < nvml->gpus; i++)
		watts[i] = nvml->gpu[i].counts ? 0
					       : gpu_watts(nvml, &nvml->gpu[i]);
}

static void start_polling(struct nvml *nvml, const struct meter_place *place,
			  struct meter_parts *parts)
{
	double step_w[METER_DOMAINS_MAX] = { 0 };
	bool polled = false;

	for (size_t i = 0; i < nvml->gpus; i++) {
		polled |= !nvml->gpu[i].counts;
		step_w[i] = 1e-3;
	}
	if (!polled)
		return;
	parts->source = ENERGY_POLLED;
	nvml->power = power_start(nvml->gpus, PERIOD_S, nvml_poll, nvml, step_w,
				  place->clock);
}

static void *nvml_open(const char *argument, const struct meter_place *place,
		       struct meter_parts *parts, struct err *err)
{
	struct nvml *nvml = xcalloc(1, sizeof(*nvml));
	int result;

	if (library_load(&nvml->library, place->nvml ? place->nvml : LIBRARY,
			 err) < 0)
		goto fail;
	result = nvml->library.init();
	if (result != NVML_SUCCESS) {
		failed(&nvml->library, result, "NVML does not start", err);
		goto fail;
	}
	if (gpus_open(nvml, argument, parts, err) < 0) {
		/* nvml_close() does it where there is a GPU. */
		if (!nvml->gpus)
			nvml->library.shutdown();
		goto fail;
	}
	start_polling(nvml, place, parts);
	return nvml;
fail:
	nvml_close(nvml);
	return NULL;
}

/* ---- reading ---------------------------------------------------------------- */

/* An error that passes shows the last value once more. */
static uint64_t gpu_energy(const struct library *library, struct gpu *gpu)
{
	unsigned long long millijoules;
	int result = library->energy(gpu->device, &millijoules);

	if (result == NVML_ERROR_GPU_IS_LOST)
		return METER_COUNT_GONE;
	if (result == NVML_SUCCESS)
		gpu->last = millijoules;
	return gpu->last;
}

static int nvml_read(void *self, uint64_t *count, struct err *err)
{
	struct nvml *nvml = self;
	double joules[METER_DOMAINS_MAX] = { 0 };

	(void)err;
	if (nvml->power)
		power_read(nvml->power, joules, nvml->variance);
	for (size_t i = 0; i < nvml->gpus; i++)
		if (nvml->gpu[i].counts)
			count[i] = gpu_energy(&nvml->library, &nvml->gpu[i]);
		else
			count[i] = isnan(joules[i])
					   ? METER_COUNT_GONE
					   : (uint64_t)(joules[i] / COUNT_J);
	return 0;
}

static void nvml_variance(void *self, double *j2)
{
	struct nvml *nvml = self;

	memcpy(j2, nvml->variance, sizeof(nvml->variance));
}

const struct meter_kind meter_kind_nvml = {
	.name = "nvml",
	.argument = "[N]",
	.summary = "NVIDIA GPUs: the energy counter, else polled power",
	.proof = METER_PROOF_LOAD,
	.source = ENERGY_ACCUMULATOR,
	.open = nvml_open,
	.read = nvml_read,
	.variance = nvml_variance,
	.close = nvml_close,
};
