/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/mongo_triage.h"

#include <stddef.h>
#include <string.h>

#define DUPLICATE_KEY 11000

/* The server, not the document, is the reason: it may be taken later. */
static const int transient[] = {
	6,     /* HostUnreachable */
	7,     /* HostNotFound */
	13,    /* Unauthorized: somebody may grant it */
	18,    /* AuthenticationFailed */
	24,    /* LockTimeout */
	46,    /* LockBusy */
	50,    /* MaxTimeMSExpired */
	64,    /* WriteConcernFailed */
	89,    /* NetworkTimeout */
	91,    /* ShutdownInProgress */
	112,   /* WriteConflict */
	133,   /* FailedToSatisfyReadPreference */
	134,   /* ReadConcernMajorityNotAvailableYet */
	146,   /* ExceededMemoryLimit */
	189,   /* PrimarySteppedDown */
	262,   /* ExceededTimeLimit */
	317,   /* ConnectionPoolExpired */
	391,   /* ReauthenticationRequired */
	9001,  /* SocketException */
	10058, /* LegacyNotPrimary */
	10107, /* NotWritablePrimary */
	11600, /* InterruptedAtShutdown */
	11601, /* Interrupted */
	11602, /* InterruptedDueToReplStateChange */
	13435, /* NotPrimaryNoSecondaryOk */
	13436, /* NotPrimaryOrSecondary */
	14031, /* OutOfDiskSpace */
};

enum mongo_fate mongo_triage(int code, const char *message)
{
	if (code == 0)
		return MONGO_STORED;
	if (code == DUPLICATE_KEY)
		return message && strstr(message, "_id_") ? MONGO_STORED
							  : MONGO_REFUSED;
	for (size_t i = 0; i < sizeof(transient) / sizeof(transient[0]); i++)
		if (transient[i] == code)
			return MONGO_AGAIN;
	return MONGO_REFUSED;
}

int mongo_is_denial(int code)
{
	return code == 13 || code == 18;
}
