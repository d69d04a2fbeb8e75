/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/powerapi_component.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/text.h"

#define COMPONENTS (sizeof(component) / sizeof(component[0]))

/* clang-format off */
#define HWPC  { 'm', "model", "HWPCReport" }
#define POWER { 'm', "model", "PowerReport" }
#define NAME  { 'n', "name", NULL }
static const struct powerapi_component component[] = {
	{ POWERAPI_INPUT, "mongodb", {
		{ 'u', "uri", NULL }, { 'd', "db", NULL },
		{ 'c', "collection", NULL }, HWPC, NAME } },
	{ POWERAPI_INPUT, "socket", {
		{ 'h', "host", "127.0.0.1" }, { 'p', "port", "9080" },
		HWPC, NAME } },
	{ POWERAPI_INPUT, "csv", { { 'f', "files", NULL }, HWPC, NAME } },
	{ POWERAPI_INPUT, "filedb", { { 'f', "filename", NULL }, HWPC, NAME } },
	{ POWERAPI_INPUT, "json", {
		{ 'f', "filepath", NULL }, { 'c', "compression", "auto" },
		HWPC, NAME } },
	{ POWERAPI_OUTPUT, "mongodb", {
		{ 'u', "uri", NULL }, { 'd', "db", NULL },
		{ 'c', "collection", NULL }, POWER, NAME } },
	{ POWERAPI_OUTPUT, "csv", {
		{ 'd', "directory", NULL }, { 't', "tags", NULL },
		POWER, NAME } },
	{ POWERAPI_OUTPUT, "influxdb2", {
		{ 'u', "uri", NULL }, { 'd', "db", NULL }, { 'p', "port", NULL },
		{ 'k', "token", NULL }, { 'g', "org", NULL },
		{ 't', "tags", NULL }, POWER, NAME } },
	{ POWERAPI_OUTPUT, "prometheus", {
		{ 'u', "uri", "127.0.0.1" }, { 'p', "port", NULL },
		{ 'M', "metric-name", NULL },
		{ 'd', "metric-description", "energy consumption" },
		{ 't', "tags", NULL }, POWER, NAME } },
	{ POWERAPI_OUTPUT, "json", {
		{ 'f', "filepath", NULL }, { 'c', "compression", "auto" },
		POWER, NAME } },
	{ POWERAPI_PRE_PROCESSOR, "k8s", {
		{ 'a', "api-mode", "cluster" }, { 'k', "api-key", NULL },
		{ 'h', "api-host", NULL }, { 'p', "puller", NULL }, NAME } },
};
/* clang-format on */

const char *powerapi_group_name(int group)
{
	static const char *const name[POWERAPI_GROUPS] = { "input", "output",
							   "pre-processor" };

	return group < POWERAPI_GROUPS ? name[group] : NULL;
}

const struct powerapi_component *powerapi_component_find(
	enum powerapi_group group, const char *type, struct err *err)
{
	struct text known = TEXT_INIT;

	for (size_t i = 0; i < COMPONENTS; i++) {
		if (component[i].group != group)
			continue;
		if (!strcmp(component[i].type, type)) {
			text_done(&known);
			return &component[i];
		}
		text_printf(&known, "%s%s", known.length ? ", " : "",
			    component[i].type);
	}
	err_set(err, EINVAL, "--%s: no type '%.100s' (there are: %s)",
		powerapi_group_name((int)group), type, known.data);
	text_done(&known);
	return NULL;
}

const struct powerapi_parameter *powerapi_component_parameter(
	const struct powerapi_component *of, const char *name)
{
	for (const struct powerapi_parameter *p = of->parameter; p->name; p++)
		if (!strcmp(p->name, name) ||
		    (p->letter && name[0] == p->letter && !name[1]))
			return p;
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	if (length <= tail || strcmp(text + length - tail, end) != 0)
		return false;
	return text[length - tail - 1] == '-';
}

const char *powerapi_parameter_behind(enum powerapi_group group,
				      const char *text, size_t *before)
{
	const char *best = ends_with(text, "type") ? "type" : NULL;

	for (size_t i = 0; i < COMPONENTS; i++) {
		const struct powerapi_parameter *p = component[i].parameter;

		for (; component[i].group == group && p->name; p++)
			if (ends_with(text, p->name) &&
			    (!best || strlen(p->name) > strlen(best)))
				best = p->name;
	}
	if (best)
		*before = strlen(text) - strlen(best) - 1;
	return best;
}
