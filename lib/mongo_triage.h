/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mongo_triage -- what a MongoDB error code means for a document.
 *
 *	switch (mongo_triage(code, message)) {
 *	case MONGO_STORED:	it is there
 *	case MONGO_AGAIN:	send it again
 *	case MONGO_REFUSED:	it will never be taken
 *	}
 *
 * Codes are those of MongoDB's src/mongo/base/error_codes.yml.
 */
#ifndef LIB_MONGO_TRIAGE_H
#define LIB_MONGO_TRIAGE_H

enum mongo_fate { MONGO_STORED, MONGO_AGAIN, MONGO_REFUSED };

/* For one document of a bulk.  A duplicate key on _id is our own document, sent
 * a second time; on any other index it is the user's wish. */
enum mongo_fate mongo_triage(int code, const char *message);

/* May we not do that, or not without another password? */
int mongo_is_denial(int code);

#endif
