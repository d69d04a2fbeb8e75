/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/container.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "lib/doc.h"

#define ID_LENGTH 64

/* ---- the path -------------------------------------------------------------- */

static bool is_id(const char *text)
{
	return strspn(text, "0123456789abcdef") == ID_LENGTH;
}

static void copy(char *out, size_t size, const char *text, size_t length)
{
	snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1),
		 text);
}

/* "docker-ID.scope" as systemd has it, "ID" in a folder of the runtime's. */
static void parse_container(const char *part, size_t length, const char *folder,
			    struct container *names)
{
	static const struct {
		const char *prefix, *runtime;
	} known[] = {
		{ "docker-", "docker" },
		{ "libpod-", "podman" },
		{ "cri-containerd-", "containerd" },
		{ "nerdctl-", "containerd" },
		{ "crio-", "cri-o" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t prefix = strlen(known[i].prefix);

		if (length >= prefix + ID_LENGTH &&
		    !strncmp(part, known[i].prefix, prefix) &&
		    is_id(part + prefix)) {
			names->runtime = known[i].runtime;
			copy(names->id, sizeof(names->id), part + prefix,
			     ID_LENGTH);
			return;
		}
	}
	if (length != ID_LENGTH || !is_id(part))
		return;
	copy(names->id, sizeof(names->id), part, ID_LENGTH);
	if (!strcmp(folder, "docker"))
		names->runtime = "docker";
	else if (!strcmp(folder, "libpod_parent"))
		names->runtime = "podman";
	else if (!strcmp(folder, "default") || !strcmp(folder, "k8s.io"))
		names->runtime = "containerd";
}

/* "kubepods-besteffort-podUID.slice" with '_' for '-', or "podUID". */
static void parse_pod(const char *part, size_t length, struct container *names)
{
	const char *uid = NULL;

	if (length == 39 && !strncmp(part, "pod", 3))
		uid = part + 3;
	else if (length > 46 && !strncmp(part, "kubepods", 8) &&
		 !strncmp(part + length - 6, ".slice", 6) &&
		 !strncmp(part + length - 46, "-pod", 4))
		uid = part + length - 42;
	if (!uid || strspn(uid, "0123456789abcdef-_") < 36)
		return;
	copy(names->pod_uid, sizeof(names->pod_uid), uid, 36);
	for (char *c = names->pod_uid; *c; c++)
		if (*c == '_')
			*c = '-';
}

/* The innermost service, or scope that no container runtime made. */
static void parse_unit(const char *part, size_t length, struct container *names)
{
	bool service = length > 8 && !strncmp(part + length - 8, ".service", 8);
	bool scope = length > 6 && !strncmp(part + length - 6, ".scope", 6);

	if (service || (scope && !names->id[0]))
		copy(names->unit, sizeof(names->unit), part, length);
}

void container_parse(const char *path, struct container *names)
{
	char folder[32] = "";

	*names = (struct container){ .runtime = "" };
	while (*path) {
		size_t length = strcspn(path, "/");

		parse_container(path, length, folder, names);
		parse_pod(path, length, names);
		parse_unit(path, length, names);
		copy(folder, sizeof(folder), path, length);
		path += length;
		path += *path == '/';
	}
}

/* ---- files ----------------------------------------------------------------- */

static void take(const struct doc *value, char *out)
{
	const char *text = doc_string(value, NULL);

	if (text && *text && !out[0])
		copy(out, CONTAINER_NAME_MAX, text, strlen(text));
}

static void take_labels(const struct doc *labels, struct container *names)
{
	static const char *const keys[][3] = {
		{ "io.kubernetes.container.name", "io.kubernetes.pod.name",
		  "io.kubernetes.pod.namespace" },
		{ "io.kubernetes.cri.container-name",
		  "io.kubernetes.cri.sandbox-name",
		  "io.kubernetes.cri.sandbox-namespace" },
	};

	for (int i = 0; i < 2; i++) {
		take(doc_get(labels, keys[i][0]), names->container);
		take(doc_get(labels, keys[i][1]), names->pod);
		take(doc_get(labels, keys[i][2]), names->pod_namespace);
	}
	take(doc_get(labels, "nerdctl/name"), names->container);
}

static void read_docker(const char *root, struct container *names)
{
	char path[512];
	struct doc *doc;
	const char *name;

	snprintf(path, sizeof(path),
		 "%s/var/lib/docker/containers/%s/config.v2.json", root,
		 names->id);
	doc = doc_read(path, NULL);
	if (!doc)
		return;
	if (!names->runtime[0])
		names->runtime = "docker";
	take_labels(doc_get(doc_get(doc, "Config"), "Labels"), names);
	name = doc_string(doc_get(doc, "Name"), "");
	if (!names->container[0])
		copy(names->container, sizeof(names->container),
		     name + (*name == '/'), strlen(name));
	doc_free(doc);
}

/* An OCI bundle's annotations. */
static void read_bundle(const char *path, struct container *names)
{
	struct doc *doc = doc_read(path, NULL);

	take_labels(doc_get(doc, "annotations"), names);
	doc_free(doc);
}

static void read_bundles(const char *root, struct container *names)
{
	static const char *const places[] = {
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
		"/run/containerd/io.containerd.runtime.v2.task/default/",
		"/run/containers/storage/overlay-containers/",
		"/var/lib/containers/storage/overlay-containers/",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[512];

		if (names->container[0])
			return;
		snprintf(path, sizeof(path), "%s%s%s%s/config.json", root,
			 places[i], names->id, i < 2 ? "" : "/userdata");
		read_bundle(path, names);
	}
}

/* podman keeps names in a list of all containers. */
static void read_podman(const char *root, struct container *names)
{
	char path[512];
	struct doc *list;

	snprintf(path, sizeof(path),
		 "%s/var/lib/containers/storage/overlay-containers/"
		 "containers.json",
		 root);
	list = doc_read(path, NULL);
	for (size_t i = 0; i < doc_count(list); i++) {
		const struct doc *item = doc_at(list, i);

		if (!strcmp(doc_string(doc_get(item, "id"), ""), names->id))
			take(doc_at(doc_get(item, "names"), 0),
			     names->container);
	}
	doc_free(list);
}

/* kubelet's link: POD_NAMESPACE_CONTAINER-ID.log */
static void parse_link(const char *link, struct container *names)
{
	const char *space = strchr(link, '_');
	const char *container = space ? strchr(space + 1, '_') : NULL;
	size_t length = strlen(link);

	if (!container || length < ID_LENGTH + 6 ||
	    container + 1 >= link + length - ID_LENGTH - 5)
		return;
	copy(names->pod, sizeof(names->pod), link, (size_t)(space - link));
	copy(names->pod_namespace, sizeof(names->pod_namespace), space + 1,
	     (size_t)(container - space - 1));
	copy(names->container, sizeof(names->container), container + 1,
	     (size_t)(link + length - ID_LENGTH - 5 - container - 1));
}

static void read_links(const char *root, struct container *names)
{
	char path[512];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/var/log/containers", root);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		size_t length = strlen(entry->d_name);

		if (length > ID_LENGTH + 4 &&
		    !strncmp(entry->d_name + length - ID_LENGTH - 4, names->id,
			     ID_LENGTH))
			parse_link(entry->d_name, names);
	}
	if (folder)
		closedir(folder);
}

void container_read(const char *root, const char *path, struct container *names)
{
	container_parse(path, names);
	if (!names->id[0])
		return;
	if (!names->runtime[0] || !strcmp(names->runtime, "docker"))
		read_docker(root, names);
	if (!names->container[0])
		read_bundles(root, names);
	if (!names->container[0])
		read_podman(root, names);
	if (!names->container[0])
		read_links(root, names);
}

static void put(struct text *out, const char *key, const char *value)
{
	if (!*value)
		return;
	text_printf(out, ",\"%s\":", key);
	text_put_json(out, value);
}

void container_put(const struct container *names, struct text *out)
{
	put(out, "container", names->container);
	put(out, "container_id", names->id);
	put(out, "runtime", names->runtime);
	put(out, "pod", names->pod);
	put(out, "pod_namespace", names->pod_namespace);
	put(out, "pod_uid", names->pod_uid);
	put(out, "unit", names->unit);
}
