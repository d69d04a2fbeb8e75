/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * container -- what people call a cgroup: the names of its container, pod and
 * unit.
 *
 *	struct container names;
 *
 *	container_read("/", "/system.slice/docker-4f…e1.scope", &names);
 *	printf("%s in %s\n", names.container, names.pod);
 *
 * From the path alone come the runtime, the container's id, the pod's uid and
 * the unit; the names from files that the runtimes keep on this machine
 * (docker's config.v2.json, the OCI bundle of containerd, CRI-O and podman, the
 * links of kubelet in /var/log/containers).  Nobody is asked over a socket.
 * What is not known is "".
 */
#ifndef SENSOR_CONTAINER_H
#define SENSOR_CONTAINER_H

#include <stddef.h>

#include "lib/text.h"

#define CONTAINER_NAME_MAX 256

struct container {
	const char *runtime; /* "docker", "podman", "containerd", "cri-o" */
	char id[65];         /* 64 hexadecimal digits */
	char container[CONTAINER_NAME_MAX];
	char pod[CONTAINER_NAME_MAX], pod_namespace[CONTAINER_NAME_MAX];
	char pod_uid[40];
	char unit[CONTAINER_NAME_MAX]; /* "cron.service" */
};

/* The path alone. */
void container_parse(const char *path, struct container *names);
/* And the files below `root` ("" for the machine itself). */
void container_read(const char *root, const char *path,
		    struct container *names);

/* ,"container":"web","container_id":"4f…": members for a report's metadata;
 * nothing where nothing is known. */
void container_put(const struct container *names, struct text *out);

#endif
