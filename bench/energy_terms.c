/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/energy_terms.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "lib/err.h"

enum {
	TERM_OPERATIONS,
	TERM_STEP,
	TERM_BYTES,
	TERM_INPUTS,
	TERM_NARROW,
	TERM_KERNELS,
	TERM_EXPONENTIALS,
	TERMS
};

static const struct {
	const char *name, *unit;
} terms[TERMS] = {
	[TERM_OPERATIONS] = { "operations", "operation" },
	[TERM_STEP] = { "step", "step" },
	[TERM_BYTES] = { "bytes", "B" },
	[TERM_INPUTS] = { "inputs", "B" },
	[TERM_NARROW] = { "narrow", "row" },
	[TERM_KERNELS] = { "kernels", "kernel" },
	[TERM_EXPONENTIALS] = { "exponentials", "exponential" },
};

_Static_assert(TERMS <= ENERGY_TERMS_MAX, "too many terms");

size_t energy_terms(void)
{
	return TERMS;
}

const char *energy_term_name(size_t term)
{
	return terms[term].name;
}

const char *energy_term_unit(size_t term)
{
	return terms[term].unit;
}

size_t energy_term_find(const char *name)
{
	size_t i = 0;

	while (i < TERMS && strcmp(name, terms[i].name) != 0)
		i++;
	return i;
}

void energy_terms_of(const struct step_config *config, double *x)
{
	bool momentum = step_config_sgd(config).momentum != 0.0f;
	struct net_cost cost;

	net_spec_cost(&config->model, config->batch, config->loss, momentum,
		      &cost);
	x[TERM_OPERATIONS] = cost.operations;
	x[TERM_STEP] = 1;
	x[TERM_BYTES] = cost.bytes;
	x[TERM_INPUTS] =
		4.0 * (double)config->batch * (double)config->model.width[0];
	x[TERM_NARROW] = cost.narrow;
	x[TERM_KERNELS] = cost.layers;
	x[TERM_EXPONENTIALS] = cost.exponentials;
}

/* ---- the domain -----------------------------------------------------------*/

static const char *const axis_name[ENERGY_AXES] = {
	[AXIS_BATCH] = "batch",
	[AXIS_PARAMETERS] = "parameters",
	[AXIS_LAYERS] = "layers",
};

static void place_of(const struct step_config *config, double *place)
{
	place[AXIS_BATCH] = (double)config->batch;
	place[AXIS_PARAMETERS] = (double)net_spec_parameters(&config->model);
	place[AXIS_LAYERS] = (double)config->model.layers;
}

void energy_domain_add(struct energy_domain *domain,
		       const struct step_config *config)
{
	double place[ENERGY_AXES];
	bool first = !domain->losses;

	place_of(config, place);
	for (size_t i = 0; i < ENERGY_AXES; i++) {
		if (first || place[i] < domain->lo[i])
			domain->lo[i] = place[i];
		if (first || place[i] > domain->hi[i])
			domain->hi[i] = place[i];
	}
	domain->losses |= 1u << config->loss;
}

double energy_domain_distance(const struct energy_domain *domain,
			      const struct step_config *config)
{
	double place[ENERGY_AXES], distance = 0;

	place_of(config, place);
	for (size_t i = 0; i < ENERGY_AXES; i++) {
		if (place[i] < domain->lo[i])
			distance += log2(domain->lo[i] / place[i]);
		if (place[i] > domain->hi[i])
			distance += log2(place[i] / domain->hi[i]);
	}
	if (!(domain->losses & 1u << config->loss))
		distance += 1;
	return distance;
}

struct doc *energy_domain_to_doc(const struct energy_domain *domain)
{
	struct doc *doc = doc_new_object();
	struct doc *losses = doc_new_array();

	for (size_t i = 0; i < ENERGY_AXES; i++)
		doc_set_bounds(doc, axis_name[i], domain->lo[i], domain->hi[i]);
	for (unsigned int i = 0; i < 32; i++)
		if (domain->losses & 1u << i)
			doc_add_take(losses,
				     doc_new_text(loss_name((enum loss)i)));
	doc_set_take(doc, "losses", losses);
	return doc;
}

static int read_losses(const struct doc *doc, struct energy_domain *domain,
		       struct err *err)
{
	const struct doc *losses;
	enum loss loss;

	if (doc_need_array(doc, "losses", &losses, err) < 0)
		return -1;
	for (size_t i = 0; i < doc_count(losses); i++) {
		if (loss_parse(doc_string(doc_at(losses, i), ""), &loss, err) <
		    0)
			return -1;
		domain->losses |= 1u << loss;
	}
	return 0;
}

int energy_domain_read(const struct doc *doc, struct energy_domain *domain,
		       struct err *err)
{
	struct energy_domain made = ENERGY_DOMAIN_EMPTY;
	const struct doc *bounds;

	for (size_t i = 0; i < ENERGY_AXES; i++) {
		if (doc_need_array(doc, axis_name[i], &bounds, err) < 0)
			return -1;
		made.lo[i] = doc_real(doc_at(bounds, 0), (double)NAN);
		made.hi[i] = doc_real(doc_at(bounds, 1), (double)NAN);
		if (!(made.lo[i] > 0 && made.hi[i] >= made.lo[i]))
			return err_set(err, EINVAL,
				       "%s: expected two numbers above 0, the "
				       "smaller first",
				       axis_name[i]);
	}
	if (read_losses(doc, &made, err) < 0)
		return -1;
	*domain = made;
	return 0;
}
