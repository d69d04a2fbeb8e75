/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/doc.h"
#include "lib/mem.h"

#define PROOF_FILE "meters.json"
#define BOOT_FILE  "/proc/sys/kernel/random/boot_id"

struct proof {
	char *folder; /* NULL: remember nothing */
	char *file;
	struct doc *doc; /* {"boot_id": …, "perf psys": "dead", …} */
	bool changed;
};

static const char *const words[] = {
	[METER_ALIVE] = "alive",
	[METER_DEAD] = "dead",
};

static char *state_folder(void)
{
	const char *systemd = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	/* systemd separates several by colons. */
	if (systemd && *systemd)
		return xstrndup(systemd, strcspn(systemd, ":"));
	if (xdg && *xdg)
		return xasprintf("%s/fedwatts", xdg);
	if (home && *home)
		return xasprintf("%s/.local/state/fedwatts", home);
	return NULL;
}

static void boot_id(char *out, size_t size)
{
	FILE *file = fopen(BOOT_FILE, "re");

	out[0] = '\0';
	if (!file)
		return;
	if (!fgets(out, (int)size, file))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

struct proof *proof_open(const char *folder)
{
	struct proof *proof = xcalloc(1, sizeof(*proof));
	char boot[64];

	boot_id(boot, sizeof(boot));
	if (!folder)
		proof->folder = state_folder();
	else if (*folder)
		proof->folder = xstrdup(folder);
	/* Without a boot's name nothing can be remembered for it. */
	if (!boot[0]) {
		free(proof->folder);
		proof->folder = NULL;
	}
	if (proof->folder) {
		proof->file = xasprintf("%s/" PROOF_FILE, proof->folder);
		proof->doc = doc_read(proof->file, NULL);
	}
	if (!proof->doc ||
	    strcmp(doc_string(doc_get(proof->doc, "boot_id"), ""), boot) != 0) {
		doc_free(proof->doc);
		proof->doc = doc_new_object();
		doc_set_text(proof->doc, "boot_id", boot);
	}
	return proof;
}

enum meter_state proof_get(const struct proof *proof, const char *kind,
			   const char *domain)
{
	char *key = xasprintf("%s %s", kind, domain);
	const char *word = doc_string(doc_get(proof->doc, key), "");

	free(key);
	if (!strcmp(word, words[METER_ALIVE]))
		return METER_ALIVE;
	if (!strcmp(word, words[METER_DEAD]))
		return METER_DEAD;
	return METER_UNPROVEN;
}

void proof_set(struct proof *proof, const char *kind, const char *domain,
	       enum meter_state state)
{
	char *key = xasprintf("%s %s", kind, domain);

	if (state == METER_ALIVE || state == METER_DEAD) {
		doc_set_text(proof->doc, key, words[state]);
		proof->changed = true;
	}
	free(key);
}

const char *proof_file(const struct proof *proof)
{
	return proof->file ? proof->file : "";
}

/* mkdir -p; what fails shows when the file is written. */
static void folder_make(char *path)
{
	for (char *at = path + 1; *at; at++)
		if (*at == '/') {
			*at = '\0';
			mkdir(path, 0755);
			*at = '/';
		}
	mkdir(path, 0755);
}

void proof_close(struct proof *proof)
{
	if (!proof)
		return;
	if (proof->changed && proof->folder) {
		folder_make(proof->folder);
		doc_write(proof->doc, proof->file, true, NULL);
	}
	doc_free(proof->doc);
	free(proof->folder);
	free(proof->file);
	free(proof);
}
