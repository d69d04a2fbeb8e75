/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/formula_summary.h"

#include <math.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "formula/machine_energy.h"
#include "lib/mem.h"
#include "lib/quantity.h"
#include "lib/table.h"

/* Lines of the table on a terminal; --json has them all. */
#define SHOWN_MAX 20

struct total {
	char *target;
	const char *policy; /* static */
	bool within;
	double joules;
	struct total *next; /* the one that came behind */
};

struct power_summary {
	void *tree; /* of struct total, by target and policy */
	struct total **total;
	size_t totals, capacity;
	struct total *last;
	size_t ticks;
	double seconds;
	struct energy energy;
	double worst_residual, worst_excess; /* relative */
	char meter[MACHINE_ENERGY_METER_MAX];
	const char *first_policy;
};

struct power_summary *power_summary_new(void)
{
	struct power_summary *summary = xcalloc(1, sizeof(*summary));
	const struct energy none = ENERGY_NONE;

	summary->energy = none;
	return summary;
}

static int compare_keys(const void *a, const void *b)
{
	const struct total *x = a, *y = b;
	int by_name = strcmp(x->target, y->target);

	return by_name ? by_name : strcmp(x->policy, y->policy);
}

/* Mostly the one that came behind the last one before. */
static struct total *total_find(struct power_summary *summary,
				const char *policy,
				const struct tick_target *of,
				const char *target)
{
	struct total *guess = summary->last ? summary->last->next : NULL;
	struct total *fresh, **at;

	if (guess && guess->policy == policy && !strcmp(guess->target, target))
		return guess;
	fresh = xcalloc(1, sizeof(*fresh));
	fresh->target = xstrdup(target);
	fresh->policy = policy;
	fresh->within = of && of->parent >= 0;
	at = tsearch(fresh, &summary->tree, compare_keys);
	if (!at)
		abort(); /* out of memory, as in lib/mem.h */
	if (*at == fresh) {
		summary->total =
			mem_grow(summary->total, &summary->capacity,
				 summary->totals + 1, sizeof(*summary->total));
		summary->total[summary->totals++] = fresh;
	} else {
		free(fresh->target);
		free(fresh);
	}
	return *at;
}

static void total_add(struct power_summary *summary,
		      const struct tick_watts *watts,
		      const struct tick_target *of, const char *target,
		      double joules)
{
	struct total *total;

	/* A policy that has no idle target is not to show one. */
	if (!of && joules == 0)
		return;
	total = total_find(summary, watts->policy, of, target);
	total->joules += joules;
	if (summary->last)
		summary->last->next = total;
	summary->last = total;
}

/* Of the meter: once a tick, whatever the number of policies. */
static void tick_add(struct power_summary *summary,
		     const struct tick_watts *watts)
{
	const struct tick *tick = watts->tick;

	if (!summary->first_policy)
		summary->first_policy = watts->policy;
	if (strcmp(summary->first_policy, watts->policy) != 0)
		return;
	summary->ticks++;
	summary->seconds += tick->elapsed_s;
	energy_add(&summary->energy, &tick->energy);
	snprintf(summary->meter, sizeof(summary->meter), "%s", tick->meter);
}

void power_summary_add(struct power_summary *summary,
		       const struct tick_watts *watts)
{
	const struct tick *tick = watts->tick;
	const struct attribution *of = watts->watts;
	double kernel = fmax(power_kernel_watts(watts), 0); /* 0 for NaN */

	tick_add(summary, watts);
	for (size_t i = 0; i < tick->targets; i++)
		total_add(summary, watts, &tick->target[i],
			  tick->target[i].name,
			  of->target_w[i] * tick->elapsed_s);
	total_add(summary, watts, NULL, POWER_TARGET_IDLE,
		  of->idle_w * tick->elapsed_s);
	total_add(summary, watts, NULL, POWER_TARGET_KERNEL,
		  kernel * tick->elapsed_s);
	total_add(summary, watts, NULL, POWER_TARGET_UNATTRIBUTED,
		  (of->unattributed_w - kernel) * tick->elapsed_s);
	if (watts->meter_w > 0)
		summary->worst_residual =
			fmax(summary->worst_residual,
			     fabs(of->residual_w) / watts->meter_w);
	summary->worst_excess = fmax(summary->worst_excess, watts->excess);
}

size_t power_summary_ticks(const struct power_summary *summary)
{
	return summary->ticks;
}

/* ---- for people ----------------------------------------------------------- */

static int compare_joules(const void *a, const void *b)
{
	const struct total *x = *(struct total *const *)a;
	const struct total *y = *(struct total *const *)b;
	int by_policy = strcmp(x->policy, y->policy);

	if (by_policy)
		return by_policy;
	if (x->joules != y->joules)
		return x->joules < y->joules ? 1 : -1;
	return strcmp(x->target, y->target);
}

static void table_fill(const struct power_summary *summary, struct table *table)
{
	char joules[QUANTITY_TEXT_MAX], watts[QUANTITY_TEXT_MAX], share[16];
	size_t shown =
		summary->totals < SHOWN_MAX ? summary->totals : SHOWN_MAX;

	for (size_t i = 0; i < shown; i++) {
		const struct total *total = summary->total[i];

		quantity_text(total->joules, QUANTITY_JOULES, joules);
		quantity_text(total->joules / summary->seconds, QUANTITY_WATTS,
			      watts);
		snprintf(share, sizeof(share), "%.1f %%",
			 summary->energy.joules > 0
				 ? 100 * total->joules / summary->energy.joules
				 : 0);
		table_row(table, total->target, joules, watts, share,
			  total->within ? "within another" : "", total->policy,
			  NULL);
	}
}

void power_summary_print(const struct power_summary *summary, FILE *out)
{
	char joules[QUANTITY_TEXT_MAX], sigma[QUANTITY_TEXT_MAX];
	char seconds[QUANTITY_TEXT_MAX], label[ENERGY_LABEL_MAX];
	const struct energy *energy = &summary->energy;
	struct table *table;

	fprintf(out, "ticks    %zu in %s\n", summary->ticks,
		quantity_duration(summary->seconds, seconds));
	if (!summary->ticks)
		return;
	quantity_text(energy->sigma_j, QUANTITY_JOULES, sigma);
	fprintf(out, "meter    %s, %s%s%s, %s\n", summary->meter,
		quantity_text(energy->joules, QUANTITY_JOULES, joules),
		isfinite(energy->sigma_j) ? " ± " : "",
		isfinite(energy->sigma_j) ? sigma : "",
		energy_label(energy->source, energy->scale_lo, energy->scale_hi,
			     label));
	qsort(summary->total, summary->totals, sizeof(*summary->total),
	      compare_joules);
	table = table_new("target",
			  energy_is_estimate(energy->source) ? ">estimated"
							     : ">joules",
			  ">watts", ">share", "", "idle policy", NULL);
	table_fill(summary, table);
	table_print(table, out);
	table_free(table);
	if (summary->totals > SHOWN_MAX)
		fprintf(out, "… and %zu more (--json lists them all)\n",
			summary->totals - SHOWN_MAX);
	fprintf(out,
		"check    targets + idle + unattributed = meter, worst "
		"residual %.1e of it\n",
		summary->worst_residual);
	if (summary->worst_excess > 0.01)
		fprintf(out,
			"note     targets explained up to %.1f %% more "
			"than the machine did; their shares were scaled "
			"to the meter\n",
			100 * summary->worst_excess);
}

/* ---- for programs ---------------------------------------------------------- */

static struct doc *total_doc(const struct power_summary *summary,
			     const struct total *total)
{
	struct doc *doc = doc_new_object();

	doc_set_text(doc, "target", total->target);
	doc_set_text(doc, "idle_policy", total->policy);
	doc_set_real(doc, "energy_j", total->joules);
	doc_set_real(doc, "power_w", total->joules / summary->seconds);
	doc_set_bool(doc, "within_another", total->within);
	return doc;
}

struct doc *power_summary_to_doc(const struct power_summary *summary)
{
	struct doc *doc = doc_new_object(), *targets = doc_new_array();

	doc_set_int(doc, "ticks", (int64_t)summary->ticks);
	doc_set_real(doc, "seconds", summary->seconds);
	doc_set_text(doc, "meter", summary->meter);
	doc_set_int(doc, "source", summary->energy.source);
	doc_set_real(doc, "energy_j", summary->energy.joules);
	doc_set_real(doc, "energy_sigma_j", summary->energy.sigma_j);
	doc_set_real(doc, "worst_residual", summary->worst_residual);
	doc_set_real(doc, "worst_excess", summary->worst_excess);
	qsort(summary->total, summary->totals, sizeof(*summary->total),
	      compare_joules);
	for (size_t i = 0; i < summary->totals; i++)
		doc_add_take(targets, total_doc(summary, summary->total[i]));
	doc_set_take(doc, "targets", targets);
	return doc;
}

void power_summary_free(struct power_summary *summary)
{
	if (!summary)
		return;
	for (size_t i = 0; i < summary->totals; i++) {
		tdelete(summary->total[i], &summary->tree, compare_keys);
		free(summary->total[i]->target);
		free(summary->total[i]);
	}
	free(summary->total);
	free(summary);
}
