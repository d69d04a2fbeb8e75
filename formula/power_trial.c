/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/power_trial.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/rng.h"

#define SCHEMA "fedwatts.power-score/1"

static const char *const kind_names[] = { "model", "leave-one-out", "halves" };

/* ---- documents ----------------------------------------------------------------------*/

static struct doc *tally_to_doc(const struct power_tally *tally)
{
	struct doc *doc = doc_new_object();

	doc_set_int(doc, "rows", (int64_t)tally->rows);
	doc_set_real(doc, "mape", power_tally_mape(tally));
	doc_set_real(doc, "mae_w", power_tally_mae(tally));
	doc_set_real(doc, "pi95_coverage", power_tally_coverage(tally));
	doc_set_int(doc, "beyond_rows", (int64_t)tally->beyond);
	return doc;
}

static struct doc *groups_to_doc(const struct power_score *score,
				 const struct power_table *table)
{
	struct doc *array = doc_new_array();

	for (size_t g = 0; g < score->groups; g++) {
		struct doc *doc;

		if (!score->group[g].rows)
			continue;
		doc = tally_to_doc(&score->group[g]);
		doc_set_text(doc, "group", table->group_name[g]);
		doc_add_take(array, doc);
	}
	return array;
}

static struct doc *strata_to_doc(const struct power_score *score,
				 const struct power_trial *means)
{
	struct doc *array = doc_new_array();

	for (size_t i = 0; i < score->strata; i++) {
		struct doc *doc;

		if (!score->stratum[i].rows)
			continue;
		doc = tally_to_doc(&score->stratum[i]);
		doc_set_real(doc, "frequency_hz", score->hertz[i]);
		if (means) {
			doc_set_real(doc, "mean_mape", means->stratum_mape[i]);
			doc_set_real(doc, "mean_pi95_coverage",
				     means->stratum_coverage[i]);
		}
		doc_add_take(array, doc);
	}
	return array;
}

static struct doc *score_to_doc(const struct power_trial *trial,
				const struct power_score *score,
				const struct power_table *table, bool means)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "schema", SCHEMA);
	doc_set_text(doc, "method", kind_names[trial->kind]);
	if (trial->kind == POWER_TRIAL_HALVES)
		doc_set_int(doc, "seed", (int64_t)trial->seed);
	doc_set_take(doc, "all", tally_to_doc(&score->all));
	doc_set_take(doc, "groups", groups_to_doc(score, table));
	if (score->strata)
		doc_set_take(doc, "frequencies",
			     strata_to_doc(score, means ? trial : NULL));
	return doc;
}

struct doc *power_trial_to_doc(const struct power_trial *trial,
			       const struct power_table *table)
{
	struct doc *doc = score_to_doc(trial, &trial->total, table, true);

	doc_set_int(doc, "splits", (int64_t)trial->splits);
	doc_set_real(doc, "mean_mape", trial->mape);
	doc_set_real(doc, "mean_pi95_coverage", trial->coverage);
	return doc;
}

/* ---- splits ---------------------------------------------------------------------------*/

/* Which groups of split `index` are tested. */
static void split_groups(const struct power_trial *trial, size_t index,
			 size_t groups, bool *tested)
{
	struct rng rng;
	size_t *order;

	for (size_t g = 0; g < groups; g++)
		tested[g] = trial->kind == POWER_TRIAL_MODEL || g == index;
	if (trial->kind != POWER_TRIAL_HALVES)
		return;
	order = xcalloc(groups, sizeof(*order));
	for (size_t g = 0; g < groups; g++)
		order[g] = g;
	rng = rng_stream(trial->seed, "formula score", index, 0);
	rng_shuffle(&rng, order, groups);
	for (size_t i = 0; i < groups; i++)
		tested[order[i]] = i >= (groups + 1) / 2;
	free(order);
}

static void merge(struct power_tally *into, const struct power_tally *from)
{
	into->rows += from->rows;
	into->relative += from->relative;
	into->watts += from->watts;
	into->inside += from->inside;
	into->beyond += from->beyond;
}

/* `counted`: how many splits had rows of a stratum. */
static void trial_add(struct power_trial *trial,
		      const struct power_score *score, size_t *counted)
{
	merge(&trial->total.all, &score->all);
	for (size_t g = 0; g < score->groups; g++)
		merge(&trial->total.group[g], &score->group[g]);
	trial->mape += power_tally_mape(&score->all);
	trial->coverage += power_tally_coverage(&score->all);
	for (size_t i = 0; i < score->strata; i++) {
		if (!score->stratum[i].rows)
			continue;
		merge(&trial->total.stratum[i], &score->stratum[i]);
		trial->stratum_mape[i] += power_tally_mape(&score->stratum[i]);
		trial->stratum_coverage[i] +=
			power_tally_coverage(&score->stratum[i]);
		counted[i]++;
	}
}

static void trial_average(struct power_trial *trial, const size_t *counted)
{
	trial->mape /= (double)trial->splits;
	trial->coverage /= (double)trial->splits;
	for (size_t i = 0; i < trial->total.strata; i++) {
		trial->stratum_mape[i] /= (double)counted[i];
		trial->stratum_coverage[i] /= (double)counted[i];
	}
}

/* ---- at work ----------------------------------------------------------------------------*/

/* The rows of the groups that are `wanted`, or of those that are not. */
static void mark_rows(const struct power_table *table, const bool *groups,
		      bool wanted, bool *part)
{
	for (size_t i = 0; i < table->rows; i++)
		part[i] = groups[table->group[i]] == wanted;
}

struct room {
	bool *tested; /* groups */
	bool *part;   /* rows */
	bool *beyond; /* rows */
	double *watts;
	size_t counted[POWER_SCORE_STRATA];
};

static int split_score(const struct power_trial *trial, struct room *room,
		       size_t index, const struct power_table *table,
		       const struct power_map *map,
		       const struct power_model *model,
		       struct power_score *score, struct err *err)
{
	struct power_model mine;

	split_groups(trial, index, table->groups, room->tested);
	if (!model) {
		mark_rows(table, room->tested, false, room->part);
		if (power_model_train(&mine, map, table, room->part, err) < 0)
			return -1;
	}
	power_model_predict(model ? model : &mine, table, room->watts,
			    room->beyond);
	mark_rows(table, room->tested, true, room->part);
	power_score_init(score, table);
	power_score_add(score, table, model ? model : &mine, room->watts,
			room->beyond, room->part);
	if (!model) {
		log_detail("score", "split %zu: lag %g, spread %.3f", index + 1,
			   mine.lag, mine.fit.spread);
		power_model_done(&mine);
	}
	return 0;
}

static int run_split(struct power_trial *trial, struct room *room, size_t index,
		     const struct power_table *table,
		     const struct power_map *map,
		     const struct power_model *model, struct sink *sink,
		     struct err *err)
{
	struct power_score score;
	struct doc *doc;
	int result;

	if (split_score(trial, room, index, table, map, model, &score, err) < 0)
		return -1;
	trial_add(trial, &score, room->counted);
	doc = score_to_doc(trial, &score, table, false);
	doc_set_int(doc, "split", (int64_t)index + 1);
	result = sink_put_doc(sink, doc, err);
	doc_free(doc);
	power_score_done(&score);
	return result;
}

static int enough_groups(const struct power_trial *trial,
			 const struct power_table *table, struct err *err)
{
	/* Two must be left to learn from. */
	if (trial->kind == POWER_TRIAL_MODEL || table->groups >= 3)
		return 0;
	return err_set(err, EINVAL,
		       "%zu groups are too few to leave some out: at least 3 "
		       "are needed",
		       table->groups);
}

static int put_all(const struct power_trial *trial,
		   const struct power_table *table, struct sink *sink,
		   struct err *err)
{
	struct doc *doc = power_trial_to_doc(trial, table);
	int result = sink_put_doc(sink, doc, err);

	doc_free(doc);
	return result;
}

int power_trial_run(struct power_trial *trial, const struct power_table *table,
		    const struct power_map *map,
		    const struct power_model *model, struct sink *sink,
		    struct err *err)
{
	struct room room = { 0 };
	int result = 0;

	power_score_init(&trial->total, table);
	if (enough_groups(trial, table, err) < 0)
		return -1;
	if (trial->kind != POWER_TRIAL_HALVES)
		trial->splits = model ? 1 : table->groups;
	room.tested = xcalloc(table->groups, sizeof(*room.tested));
	room.part = xcalloc(table->rows, sizeof(*room.part));
	room.watts = xcalloc(table->rows, sizeof(*room.watts));
	room.beyond = xcalloc(table->rows, sizeof(*room.beyond));
	for (size_t i = 0; i < trial->splits && result == 0; i++)
		result = run_split(trial, &room, i, table, map, model, sink,
				   err);
	if (result == 0) {
		trial_average(trial, room.counted);
		result = put_all(trial, table, sink, err);
	}
	free(room.tested);
	free(room.part);
	free(room.watts);
	free(room.beyond);
	return result;
}

void power_trial_done(struct power_trial *trial)
{
	power_score_done(&trial->total);
}
