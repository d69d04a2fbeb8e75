/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor/proof.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/doc.h"
#include "lib/folder.h"
#include "lib/mem.h"

#define PROOF_FILE "meters.json"

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

struct proof *proof_open(const char *folder)
{
	struct proof *proof = xcalloc(1, sizeof(*proof));
	char boot[CLOCK_BOOT_MAX];

	clock_boot_id(boot);
	if (!folder)
		proof->folder = folder_state();
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

void proof_close(struct proof *proof)
{
	if (!proof)
		return;
	if (proof->changed && proof->folder) {
		/* What fails shows when the file is written. */
		folder_make(proof->folder, NULL);
		doc_write(proof->doc, proof->file, true, NULL);
	}
	doc_free(proof->doc);
	free(proof->folder);
	free(proof->file);
	free(proof);
}
