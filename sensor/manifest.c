/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cli.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "sensor/topology.h"

#define MANIFEST_SCHEMA "fedwatts.manifest/1"

const char *manifest_device(void)
{
	static char name[256];
	const char *given = getenv("FEDWATTS_DEVICE");

	if (given && *given)
		return given;
	if (!name[0] && (gethostname(name, sizeof(name) - 1) || !name[0]))
		snprintf(name, sizeof(name), "localhost");
	return name;
}

static struct doc *cpu_doc(const struct topology *topology)
{
	struct doc *cpu = doc_new_object();

	doc_set_text(cpu, "model", topology->model);
	doc_set_text(cpu, "vendor", topology->vendor);
	doc_set_int(cpu, "family", topology->family);
	doc_set_int(cpu, "model_number", topology->model_number);
	doc_set_int(cpu, "stepping", topology->stepping);
	doc_set_int(cpu, "cpus", (int64_t)topology->cpus);
	doc_set_int(cpu, "packages", (int64_t)topology->packages);
	doc_set_bool(cpu, "hypervisor", topology->hypervisor);
	if (topology->governor[0])
		doc_set_text(cpu, "governor", topology->governor);
	return cpu;
}

static struct doc *kernel_doc(void)
{
	struct doc *kernel = doc_new_object();
	struct utsname name;

	if (!uname(&name)) {
		doc_set_text(kernel, "release", name.release);
		doc_set_text(kernel, "version", name.version);
		doc_set_text(kernel, "machine", name.machine);
	}
	return kernel;
}

struct doc *manifest_new(const char *command, const char *run)
{
	struct doc *manifest = doc_new_object();
	struct topology *topology = topology_read("/sys", "/proc", NULL);
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	doc_set_text(manifest, "schema", MANIFEST_SCHEMA);
	doc_set_text(manifest, "command", command);
	doc_set_text(manifest, "run", run);
	doc_set_text(manifest, "version", cli_version());
	doc_set_int(manifest, "time_ms", clock_wall_ms(clock_real()));
	doc_set_text(manifest, "device", manifest_device());
	doc_set_text(manifest, "host", host);
	doc_set_take(manifest, "kernel", kernel_doc());
	if (topology) {
		doc_set_take(manifest, "cpu", cpu_doc(topology));
		doc_set_real(manifest, "memory_bytes", topology->memory_bytes);
	}
	topology_free(topology);
	return manifest;
}

/* A foreign file's `run` is not to be trusted with naming a file. */
static const char *run_name(const struct doc *manifest)
{
	const char *run = doc_string(doc_get(manifest, "run"), "");

	return *run && !run[strspn(run, "0123456789abcdef")] ? run : "old";
}

/* A manifest of another run stays, under that run's name. */
static int move_aside(const struct doc *manifest, const char *file,
		      const char *path, struct err *err)
{
	const char *run = doc_string(doc_get(manifest, "run"), "");
	struct doc *old;
	char *aside;
	int result = 0;

	if (access(path, F_OK))
		return 0;
	old = doc_read(path, NULL);
	if (doc_is_schema(old, MANIFEST_SCHEMA) &&
	    !strcmp(doc_string(doc_get(old, "run"), ""), run)) {
		doc_free(old);
		return 0;
	}
	aside = xasprintf("%s.manifest-%s.json", file, run_name(old));
	if (rename(path, aside))
		result = err_sys(err, "rename %s to %s", path, aside);
	free(aside);
	doc_free(old);
	return result;
}

int manifest_lay(const struct doc *manifest, struct sink *sink, struct err *err)
{
	const char *file = sink_file(sink);
	char *path;
	int result;

	if (!file)
		return sink_put_doc(sink, manifest, err);
	path = xasprintf("%s.manifest.json", file);
	result = move_aside(manifest, file, path, err);
	if (result == 0)
		result = doc_write(manifest, path, true, err);
	free(path);
	return result;
}
