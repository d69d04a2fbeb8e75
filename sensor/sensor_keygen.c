/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "lib/curve.h"
#include "lib/log.h"
#include "sensor/sensor.h"

/* clang-format off */
const struct field sensor_keygen_fields[] = {
	CLI_FORCE(sensor_keygen_config, force),
	CLI_SHARED(sensor_keygen_config),
	FIELD_END
};
/* clang-format on */

const char sensor_keygen_about[] =
	"Makes a pair of keys for ZeroMQ's CURVE: NAME.key, which stays on "
	"this machine and which nobody else may read, and NAME.pub, which the "
	"other side needs. Files that exist are not replaced.\n"
	"\n"
	"Example: a hub that takes documents from one sensor\n"
	"  hub$   sensor keygen hub; mkdir allowed\n"
	"  node$  sensor keygen node1         # node1.pub to hub:allowed/,\n"
	"                                     # hub.pub from there\n"
	"  hub$   sensor replay --from 'zmq:tcp://0.0.0.0:9100?"
	"key=hub.key&allow=allowed' --to all.jsonl\n"
	"  node$  sensor --to 'zmq:tcp://hub:9100?"
	"key=node1.key&server=hub.pub'\n";

int sensor_keygen(struct cli *cli, void *values, struct err *err)
{
	const struct sensor_keygen_config *config =
		(const struct sensor_keygen_config *)values;
	struct curve_keys keys;
	int failed;

	if (cli->arguments != 1) {
		err_set(err, EINVAL, "one NAME is expected (keygen node1)");
		return CLI_USAGE;
	}
	failed = curve_generate(&keys, err);
	if (!failed)
		failed = curve_write_pair(&keys, cli->argument[0],
					  config->force, err);
	explicit_bzero(&keys, sizeof(keys));
	if (failed)
		return -1;
	log_note("wrote    %s.key (secret, mode 0600) and %s.pub",
		 cli->argument[0], cli->argument[0]);
	log_note("next     the other side needs %s.pub: in its allow= folder, "
		 "or as server=",
		 cli->argument[0]);
	return 0;
}
