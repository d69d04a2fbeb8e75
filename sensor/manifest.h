/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * manifest -- everything that may differ between two machines or two days.
 *
 * Records and results contain only what follows from configuration, seed and
 * measurement, so that equal runs have equal bytes.  Host, CPU, kernel,
 * governor, threads, paths, versions and the time of day go into one
 * fedwatts.manifest/1 document:
 *
 *	struct doc *manifest = manifest_new("bench sweep", run);
 *
 *	doc_set_int(manifest, "threads", threads);
 *	manifest_lay(manifest, sink, &err);  // FILE.manifest.json, or into it
 *	doc_free(manifest);
 */
#ifndef SENSOR_MANIFEST_H
#define SENSOR_MANIFEST_H

#include "lib/doc.h"
#include "lib/err.h"
#include "lib/sink.h"

/* `run` is the digest of the records it belongs to. */
struct doc *manifest_new(const char *command, const char *run);

/* Beside the sink's file, where it has one (replacing an older manifest of
 * the same run), else as a document into the sink. */
int manifest_lay(const struct doc *manifest, struct sink *sink,
		 struct err *err);

/* The device's name in records: the host's name unless
 * FEDWATTS_DEVICE says otherwise.  Borrowed, valid until the end. */
const char *manifest_device(void);

#endif
