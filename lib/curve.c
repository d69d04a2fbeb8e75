/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/curve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

#define FILE_MAX ((size_t)64 << 10)
#define RAW_KEY  32

/* ---- keys ----------------------------------------------------------------- */

int curve_generate(struct curve_keys *keys, struct err *err)
{
	if (zmq_curve_keypair(keys->public_key, keys->secret_key) == 0)
		return 0;
	if (errno == ENOTSUP)
		return err_set(err, ENOTSUP,
			       "this libzmq was built without CURVE");
	return err_sys(err, "make a key");
}

static char *path_of(const char *name, const char *ending)
{
	return xasprintf("%s.%s", name, ending);
}

static void put_file(const struct curve_keys *keys, bool secret,
		     struct text *out)
{
	text_put(out, secret ? "# A key for ZeroMQ.  Secret: it stays here.\n"
			     : "# A public key for ZeroMQ.  For those who are "
			       "to know its owner.\n");
	text_printf(out, "curve\n    public-key = \"%s\"\n", keys->public_key);
	if (secret)
		text_printf(out, "    secret-key = \"%s\"\n", keys->secret_key);
}

static int write_file(const struct curve_keys *keys, const char *path,
		      bool secret, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      secret ? 0600 : 0644);
	struct text text = TEXT_INIT;
	int failed = 0;

	if (fd < 0)
		return err_sys(err, "%s: open", path);
	put_file(keys, secret, &text);
	if (write(fd, text.data, text.length) != (ssize_t)text.length ||
	    fsync(fd) < 0)
		failed = err_sys(err, "%s: write", path);
	explicit_bzero(text.data, text.length);
	text_done(&text);
	if (close(fd) < 0 && !failed)
		failed = err_sys(err, "%s: close", path);
	if (failed)
		unlink(path);
	return failed;
}

static int refuse_existing(const char *path, bool force, struct err *err)
{
	if (force) {
		unlink(path);
		return 0;
	}
	if (access(path, F_OK) < 0)
		return 0;
	err_set(err, EEXIST, "%s exists", path);
	return err_remedy(err, "who knows it could not be reached any more: "
			       "another name, or --force");
}

int curve_write_pair(const struct curve_keys *keys, const char *name,
		     bool force, struct err *err)
{
	char *secret = path_of(name, "key"), *public = path_of(name, "pub");
	int failed = refuse_existing(secret, force, err);

	if (!failed)
		failed = refuse_existing(public, force, err);
	if (!failed)
		failed = write_file(keys, secret, true, err);
	if (!failed && write_file(keys, public, false, err) < 0) {
		unlink(secret);
		failed = -1;
	}
	free(secret);
	free(public);
	return failed;
}

/* The 40 characters behind `name = "`; false where there are none. */
static bool find_key(const char *text, const char *name,
		     char key[CURVE_KEY_MAX])
{
	uint8_t raw[RAW_KEY];
	const char *at = text;

	while ((at = strstr(at, name))) {
		at += strlen(name);
		at += strspn(at, " \t");
		if (*at != '=')
			continue;
		at++;
		at += strspn(at, " \t");
		if (*at != '"' || strcspn(at + 1, "\"\n") != CURVE_KEY_MAX - 1)
			continue;
		memcpy(key, at + 1, CURVE_KEY_MAX - 1);
		key[CURVE_KEY_MAX - 1] = '\0';
		return zmq_z85_decode(raw, key) != NULL;
	}
	return false;
}

static int refuse_open_secret(const char *path, struct err *err)
{
	struct stat status;

	if (stat(path, &status) < 0 || !(status.st_mode & 077))
		return 0;
	err_set(err, EPERM, "%s: others may read this secret key", path);
	return err_remedy(err, "chmod 600 %s", path);
}

int curve_read(const char *path, bool need_secret, struct curve_keys *keys,
	       struct err *err)
{
	struct curve_keys found = { { 0 }, { 0 } };
	struct text text = TEXT_INIT;
	bool has_public, has_secret;
	int failed = text_read_file(&text, path, FILE_MAX, err);

	if (failed) {
		text_done(&text);
		return -1;
	}
	text_put_char(&text, '\0');
	has_public = find_key(text.data, "public-key", found.public_key);
	has_secret = find_key(text.data, "secret-key", found.secret_key);
	explicit_bzero(text.data, text.length);
	text_done(&text);
	if (!has_public)
		failed = err_set(err, EINVAL,
				 "%s: no public key in it (sensor keygen makes "
				 "one)",
				 path);
	else if (need_secret && !has_secret)
		failed = err_set(err, EINVAL,
				 "%s: no secret key in it (the .key file has "
				 "it)",
				 path);
	else if (has_secret)
		failed = refuse_open_secret(path, err);
	if (!failed)
		*keys = found;
	explicit_bzero(&found, sizeof(found));
	return failed;
}

/* ---- sockets -------------------------------------------------------------- */

static int set_own(void *socket, const struct curve_keys *keys, struct err *err)
{
	if (zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key,
			   CURVE_KEY_MAX) < 0 ||
	    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key,
			   CURVE_KEY_MAX) < 0)
		return err_sys(err, "set the key");
	return 0;
}

int curve_set_client(void *socket, const char *key_file,
		     const char *server_file, struct err *err)
{
	struct curve_keys own, server;
	int failed;

	if (!key_file && !server_file)
		return 0;
	if (!key_file || !server_file)
		return err_set(err, EINVAL,
			       "key= and server= go together (our own key, and "
			       "the public key of the other side)");
	if (curve_read(server_file, false, &server, err) < 0 ||
	    curve_read(key_file, true, &own, err) < 0)
		return -1;
	failed = set_own(socket, &own, err);
	if (!failed && zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY,
				      server.public_key, CURVE_KEY_MAX) < 0)
		failed = err_sys(err, "set the server's key");
	explicit_bzero(&own, sizeof(own));
	return failed;
}

int curve_set_server(void *socket, const char *key_file, struct err *err)
{
	struct curve_keys own;
	int yes = 1, failed;

	if (curve_read(key_file, true, &own, err) < 0)
		return -1;
	failed = set_own(socket, &own, err);
	if (!failed &&
	    (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof(yes)) < 0 ||
	     zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "fedwatts", 8) < 0))
		failed = err_sys(err, "make it a CURVE server");
	explicit_bzero(&own, sizeof(own));
	return failed;
}

/* ---- the guard ------------------------------------------------------------ */

#define FRAMES \
	7 /* version, request, domain, address, identity, mechanism, key */

struct curve_guard {
	pthread_t thread;
	void *socket;
	char *folder;
	_Atomic uint64_t refused;
};

struct question {
	char frame[FRAMES][256];
	int length[FRAMES];
	int frames;
};

/* false: the context is being shut down. */
static bool ask(void *socket, struct question *question)
{
	int more = 1;
	size_t size = sizeof(more);

	question->frames = 0;
	while (more) {
		char rest[256];
		bool room = question->frames < FRAMES;
		char *to = room ? question->frame[question->frames] : rest;
		int n = zmq_recv(socket, to, sizeof(rest), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (room)
			question->length[question->frames++] =
				n < (int)sizeof(rest) ? n : (int)sizeof(rest);
		if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) < 0)
			return false;
	}
	return true;
}

static bool is_public_key_of(const char *folder, const char *file,
			     const char *key)
{
	size_t length = strlen(file);
	struct curve_keys keys;
	char *path;
	bool same;

	if (length < 5 || strcmp(file + length - 4, ".pub") != 0)
		return false;
	path = xasprintf("%s/%s", folder, file);
	same = curve_read(path, false, &keys, NULL) == 0 &&
	       !strcmp(keys.public_key, key);
	free(path);
	return same;
}

static bool is_allowed(const char *folder, const uint8_t raw[RAW_KEY])
{
	DIR *dir = opendir(folder);
	char key[CURVE_KEY_MAX];
	const struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	zmq_z85_encode(key, raw, RAW_KEY);
	while (!found && (entry = readdir(dir)))
		found = is_public_key_of(folder, entry->d_name, key);
	closedir(dir);
	return found;
}

static bool is_welcome(const struct curve_guard *guard,
		       const struct question *question)
{
	return question->frames == FRAMES && question->length[5] == 5 &&
	       !memcmp(question->frame[5], "CURVE", 5) &&
	       question->length[6] == RAW_KEY &&
	       is_allowed(guard->folder, (const uint8_t *)question->frame[6]);
}

static void answer(void *socket, const struct question *question, bool welcome)
{
	const char *code = welcome ? "200" : "400";
	const char *why = welcome ? "OK" : "unknown key";

	zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
	zmq_send(socket, question->frame[1],
		 question->frames > 1 ? (size_t)question->length[1] : 0,
		 ZMQ_SNDMORE);
	zmq_send(socket, code, 3, ZMQ_SNDMORE);
	zmq_send(socket, why, strlen(why), ZMQ_SNDMORE);
	zmq_send(socket, "", 0, ZMQ_SNDMORE);
	zmq_send(socket, "", 0, 0);
}

static void tell_refused(struct curve_guard *guard,
			 const struct question *question)
{
	if (guard->refused++ > 0)
		return; /* it will try again and again */
	log_warn("zmq",
		 "an unknown key from %.*s was turned away (a sensor of yours? "
		 "put its .pub file into %s)",
		 question->frames > 3 ? question->length[3] : 0,
		 question->frame[3], guard->folder);
}

static void *guard_run(void *arg)
{
	struct curve_guard *guard = arg;
	struct question question;
	sigset_t all;

	sigfillset(&all); /* they are for the program's own thread */
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while (ask(guard->socket, &question)) {
		bool welcome = is_welcome(guard, &question);

		if (!welcome)
			tell_refused(guard, &question);
		answer(guard->socket, &question, welcome);
	}
	zmq_close(guard->socket);
	return NULL;
}

struct curve_guard *curve_guard_open(void *context, const char *folder,
				     struct err *err)
{
	struct curve_guard *guard;
	DIR *dir = opendir(folder);
	int zero = 0;

	if (!dir) {
		err_sys(err, "allow=%s: open folder", folder);
		return NULL;
	}
	closedir(dir);
	guard = xcalloc(1, sizeof(*guard));
	guard->folder = xstrdup(folder);
	guard->socket = zmq_socket(context, ZMQ_REP);
	if (!guard->socket ||
	    zmq_setsockopt(guard->socket, ZMQ_LINGER, &zero, sizeof(zero)) <
		    0 ||
	    zmq_bind(guard->socket, "inproc://zeromq.zap.01") < 0 ||
	    (errno = pthread_create(&guard->thread, NULL, guard_run, guard))) {
		err_sys(err, "start the guard of keys");
		if (guard->socket)
			zmq_close(guard->socket);
		free(guard->folder);
		free(guard);
		return NULL;
	}
	return guard;
}

uint64_t curve_guard_refused(const struct curve_guard *guard)
{
	return guard->refused;
}

void curve_guard_close(struct curve_guard *guard)
{
	if (!guard)
		return;
	pthread_join(guard->thread, NULL);
	free(guard->folder);
	free(guard);
}
