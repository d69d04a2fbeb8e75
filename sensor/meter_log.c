/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log of an external meter: what the wall socket gave (class 0).
 *
 *	time,watts
 *	2026-07-09T12:26:40.5Z,103.2
 *
 * CSV to which somebody appends while we run: Unix times (seconds, or
 * milliseconds) or dates, and watts (or milliwatts), in columns that the header
 * names.  Power between two samples is the trapezoid's; behind the last one,
 * until the next comes, that of the last.
 *
 * The log's clock is the wall's, ours is monotonic: each reading takes the time
 * that passed, so a clock that is set does not make joules.  `offset` is how far
 * the log's clock is ahead of ours.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/field.h"
#include "lib/instant.h"
#include "lib/mem.h"
#include "lib/place.h"
#include "sensor/domain.h"
#include "sensor/meter_kind.h"
#include "sensor/power.h"

#define COUNT_J   1e-6
#define LINE_SIZE 1024
/* Half of them are forgotten when it is full: at 1 kHz, more than a guard's
 * time. */
#define SAMPLES_MAX 65536
/* So many periods, and seconds, without a sample: the logger has ended. */
#define STALE_PERIODS 10
#define STALE_S       10.0
/* A clock that differs by more than that from one reading to the next was
 * set. */
#define STEP_S 0.5
/* No date of this century is less in milliseconds, or more in seconds. */
#define UNIX_MS 1e11

struct log_options {
	double offset_s;
	char *time, *watts;
};

#define AT(member) offsetof(struct log_options, member)
static const struct field fields[] = {
	{ "offset", FIELD_REAL, AT(offset_s), .min = -1e9, .max = 1e9,
	  .help = "seconds by which the log's clock is ahead of ours" },
	{ "time", FIELD_TEXT, AT(time), .help = "the column of times" },
	{ "watts", FIELD_TEXT, AT(watts), .help = "the column of watts" },
	FIELD_END
};

struct sample {
	double time_s, watts;
	double joules, variance; /* up to here */
};

struct wall_log {
	int fd;
	char *path;
	struct log_options options;
	struct meter_parts *parts;
	struct clock *clock;
	off_t read_at;
	char line[LINE_SIZE];
	size_t length, number; /* of the line */
	char delimiter;
	int time_column, watts_column; /* -1: no header yet */
	double watts_scale, step_w;
	size_t bad;
	struct sample *sample;
	size_t samples;
	double position_s; /* in the log, of the last reading */
	int64_t last_ns;   /* and in monotonic time, sleep included */
	double start_j, start_variance;
	double used_j, shown_j, variance;
	bool gone;
};

/* ---- lines ------------------------------------------------------------------ */

/* The next cell of `*at`, without blanks and quotes; NULL at the end. */
static char *next_cell(char **at, char delimiter)
{
	char *cell = *at, *end;

	if (!cell)
		return NULL;
	end = strchr(cell, delimiter);
	*at = end ? end + 1 : NULL;
	if (!end)
		end = cell + strlen(cell);
	while (end > cell &&
	       (isspace((unsigned char)end[-1]) || end[-1] == '"'))
		end--;
	*end = '\0';
	while (isspace((unsigned char)*cell) || *cell == '"')
		cell++;
	return cell;
}

static bool parse_time(const char *text, double *seconds)
{
	char *end;
	int64_t ms;

	if (instant_is_date(text, &ms)) {
		*seconds = 1e-3 * (double)ms;
		return true;
	}
	*seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(*seconds))
		return false;
	if (fabs(*seconds) > UNIX_MS)
		*seconds *= 1e-3;
	return fabs(*seconds) <= UNIX_MS;
}

static bool is_named(const char *cell, const char *wanted,
		     const char *const *usual)
{
	if (wanted)
		return !strcasecmp(cell, wanted);
	for (; *usual; usual++)
		if (!strcasecmp(cell, *usual))
			return true;
	return false;
}

/* "W", "power_mW": the unit stands at the end. */
static double scale_of(const char *name)
{
	size_t length = strlen(name);

	return length >= 2 && !strcasecmp(name + length - 2, "mw") ? 1e-3 : 1;
}

static void read_header(struct wall_log *log, char *line)
{
	static const char *const times[] = { "time",     "timestamp", "date",
					     "datetime", "time_s",    "time_ms",
					     "unix",     "epoch",     NULL };
	static const char *const watts[] = {
		"watts",      "watt",     "power", "w", "power_w",
		"powerwatts", "power_mw", "mw",    NULL
	};
	int column = 0;
	char *cell;

	log->delimiter = strchr(line, ';')    ? ';'
			 : strchr(line, '\t') ? '\t'
					      : ',';
	while ((cell = next_cell(&line, log->delimiter))) {
		if (log->time_column < 0 &&
		    is_named(cell, log->options.time, times))
			log->time_column = column;
		else if (log->watts_column < 0 &&
			 is_named(cell, log->options.watts, watts)) {
			log->watts_column = column;
			log->watts_scale = scale_of(cell);
		}
		column++;
	}
	if (log->watts_column < 0)
		log->time_column = -1;
}

/* Digits behind the point tell how fine the meter shows. */
static double step_of(const char *watts)
{
	const char *point = strchr(watts, '.');

	return point ? pow(10, -(double)strspn(point + 1, "0123456789")) : 1;
}

static void sample_add(struct wall_log *log, double time_s, double watts)
{
	struct sample *last, *next;

	if (log->samples == SAMPLES_MAX) {
		log->samples /= 2;
		memmove(log->sample, log->sample + log->samples,
			log->samples * sizeof(*log->sample));
	}
	last = log->samples ? &log->sample[log->samples - 1] : NULL;
	next = &log->sample[log->samples];
	*next = (struct sample){ .time_s = time_s, .watts = fmax(0, watts) };
	if (last) {
		/* Again, or a clock that was set back. */
		if (time_s <= last->time_s)
			return;
		next->variance = last->variance;
		next->joules = last->joules +
			       power_trapezoid(last->watts, next->watts,
					       time_s - last->time_s,
					       log->step_w, &next->variance);
	}
	log->samples++;
}

static void read_sample(struct wall_log *log, char *line)
{
	double time_s = 0, watts = 0;
	bool timed = false, shown = false;
	char *cell, *end;

	for (int column = 0; (cell = next_cell(&line, log->delimiter));
	     column++)
		if (column == log->time_column) {
			timed = parse_time(cell, &time_s);
		} else if (column == log->watts_column) {
			watts = log->watts_scale * strtod(cell, &end);
			shown = end != cell && !*end && isfinite(watts) &&
				fabs(watts) < POWER_MAX_W;
			if (shown && !log->samples)
				log->step_w = log->watts_scale * step_of(cell);
		}
	if (timed && shown)
		sample_add(log, time_s, watts);
	else
		log->bad++;
}

static void take_line(struct wall_log *log)
{
	log->line[log->length] = '\0';
	log->number++;
	if (log->line[strspn(log->line, " \t\r")] && log->line[0] != '#') {
		if (log->time_column < 0)
			read_header(log, log->line);
		else
			read_sample(log, log->line);
	}
	log->length = 0;
}

/* What was appended since; a file that is shorter now was begun anew. */
static void read_more(struct wall_log *log)
{
	char chunk[8192];
	struct stat status;
	ssize_t got;

	if (fstat(log->fd, &status) == 0 && status.st_size < log->read_at)
		log->read_at = 0;
	for (;;) {
		got = pread(log->fd, chunk, sizeof(chunk), log->read_at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		log->read_at += got;
		for (ssize_t i = 0; i < got; i++)
			if (chunk[i] == '\n')
				take_line(log);
			else if (log->length + 1 < LINE_SIZE)
				log->line[log->length++] = chunk[i];
	}
}

/* ---- the integral ------------------------------------------------------------ */

static double period_s(const struct wall_log *log)
{
	const struct sample *first = log->sample;

	return log->samples > 1
		       ? (first[log->samples - 1].time_s - first[0].time_s) /
				 (double)(log->samples - 1)
		       : 0;
}

static double stale_s(const struct wall_log *log)
{
	return fmax(STALE_S, STALE_PERIODS * period_s(log));
}

/* Joules of the log up to that time. */
static double joules_at(const struct wall_log *log, double time_s,
			double *variance)
{
	size_t lo = 0, hi = log->samples;
	const struct sample *at;
	double past_s, watts;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;

		if (log->sample[middle].time_s <= time_s)
			lo = middle;
		else
			hi = middle;
	}
	at = &log->sample[lo];
	past_s = fmax(0, time_s - at->time_s);
	*variance = at->variance;
	watts = at->watts;
	if (lo + 1 < log->samples)
		watts += (at[1].watts - at->watts) * past_s /
			 (at[1].time_s - at->time_s);
	return at->joules +
	       power_trapezoid(at->watts, watts, past_s, log->step_w, variance);
}

static double time_in_log(const struct wall_log *log)
{
	return 1e-3 * (double)clock_wall_ms(log->clock) + log->options.offset_s;
}

static int64_t time_passed_ns(const struct wall_log *log)
{
	return clock_now_ns(log->clock) + clock_asleep_ns(log->clock);
}

/* Where counting starts, in the log. */
static void start_at(struct wall_log *log, double time_s)
{
	log->start_j =
		joules_at(log, time_s, &log->start_variance) - log->used_j;
	log->start_variance -= log->variance;
	log->position_s = time_s;
}

/* All since the start, each time: watts behind the last sample were a guess,
 * which the next one corrects. */
static void advance(struct wall_log *log)
{
	int64_t now_ns = time_passed_ns(log);
	double elapsed_s = 1e-9 * (double)(now_ns - log->last_ns);
	double now_s = time_in_log(log), variance;
	double step_s = now_s - log->position_s - elapsed_s;

	if (fabs(step_s) > STEP_S) {
		meter_parts_remark(log->parts,
				   "log wall: the clock was set by %+.1f s: "
				   "aligned anew",
				   step_s);
		start_at(log, now_s - elapsed_s);
	}
	log->used_j = joules_at(log, now_s, &variance) - log->start_j;
	log->variance = fmax(log->variance, variance - log->start_variance);
	log->position_s = now_s;
	log->last_ns = now_ns;
}

static void check_stale(struct wall_log *log)
{
	double late_s = log->position_s - log->sample[log->samples - 1].time_s;

	if (log->gone || late_s <= stale_s(log))
		return;
	log->gone = true;
	meter_parts_remark(log->parts,
			   "log wall: no sample for %.0f s: the logger has "
			   "ended, or its clock is not ours",
			   late_s);
}

/* ---- the kind ------------------------------------------------------------------ */

static void log_close(void *self)
{
	struct wall_log *log = self;

	if (log->fd >= 0)
		close(log->fd);
	free(log->options.time);
	free(log->options.watts);
	free(log->sample);
	free(log->path);
	free(log);
}

static int check_samples(const struct wall_log *log, struct err *err)
{
	double late_s;

	if (log->time_column < 0)
		return err_set(err, EINVAL,
			       "%s: no header names a column of times and one "
			       "of watts (time, watts; others: "
			       "?time=NAME&watts=NAME)",
			       log->path);
	if (!log->samples)
		return err_set(err, EINVAL,
			       "%s: no line has a time and watts (%zu could "
			       "not be read)",
			       log->path, log->bad);
	late_s = time_in_log(log) - log->sample[log->samples - 1].time_s;
	if (late_s <= stale_s(log))
		return 0;
	err_set(err, ESTALE, "%s: its last sample is %.0f s old", log->path,
		late_s);
	return err_remedy(err, "is it written now? clocks that differ are "
			       "aligned by ?offset=SECONDS");
}

static void describe(struct wall_log *log)
{
	struct meter_counter *counter = meter_parts_add(log->parts);
	struct meter_domain *domain = &log->parts->domain[0];

	domain_other(domain, "log", "wall");
	domain->resolution_j = COUNT_J;
	domain->period_s = period_s(log);
	domain->period_seen = domain->period_s > 0;
	counter->count_j = COUNT_J;
	snprintf(counter->where, sizeof(counter->where), "wall");
	if (log->bad)
		meter_parts_remark(log->parts,
				   "log wall: %zu lines of %.80s could not be "
				   "read",
				   log->bad, log->path);
	snprintf(log->parts->says, sizeof(log->parts->says),
		 "%.100s, a sample every %.3g s", log->path, domain->period_s);
}

static int open_all(struct wall_log *log, const char *argument, struct err *err)
{
	log->path = place_name(argument, fields, &log->options, err);
	if (!log->path)
		return -1;
	log->fd = open(log->path, O_RDONLY | O_CLOEXEC);
	if (log->fd < 0)
		return err_sys(err, "open %s", log->path);
	log->sample = xcalloc(SAMPLES_MAX, sizeof(*log->sample));
	read_more(log);
	return check_samples(log, err);
}

static void *log_open(const char *argument, const struct meter_place *place,
		      struct meter_parts *parts, struct err *err)
{
	struct wall_log *log = xcalloc(1, sizeof(*log));

	log->fd = log->time_column = log->watts_column = -1;
	log->watts_scale = 1;
	log->parts = parts;
	log->clock = place->clock;
	if (open_all(log, argument, err) < 0) {
		log_close(log);
		return NULL;
	}
	start_at(log, time_in_log(log));
	log->last_ns = time_passed_ns(log);
	describe(log);
	return log;
}

static int log_read(void *self, uint64_t *count, struct err *err)
{
	struct wall_log *log = self;

	(void)err;
	read_more(log);
	log->parts->domain[0].period_s = period_s(log);
	advance(log);
	check_stale(log);
	/* Watts that were taken for lasting, and did not, are not taken back
	 * from who was told of them. */
	log->shown_j = fmax(log->shown_j, log->used_j);
	count[0] = log->gone ? METER_COUNT_GONE
			     : (uint64_t)fmin(log->shown_j / COUNT_J, 0x1p62);
	return 0;
}

static void log_variance(void *self, double *j2)
{
	const struct wall_log *log = self;

	j2[0] = log->variance;
}

const struct meter_kind meter_kind_log = {
	.name = "log",
	.argument = "FILE[?offset=S]",
	.summary = "an external wall meter's CSV of time and watts",
	.proof = METER_PROOF_FORM,
	.source = ENERGY_WALL,
	.open = log_open,
	.read = log_read,
	.variance = log_variance,
	.close = log_close,
};
