/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * energy_terms -- what the cost of a training step is made of, and where a
 * fit may be asked.
 *
 *	double x[ENERGY_TERMS_MAX];
 *
 *	energy_terms_of(&config, x);
 *	y = t[0] * x[0] + t[1] * x[1] + …        (all t >= 0)
 *
 * Each term is a quantity that follows from the description of the net alone
 * (net_spec_cost) and that costs time and energy in proportion:
 *
 *	operations    multiplications and additions of the matrix products
 *	step          1: what every step costs, whatever it does
 *	bytes         read and written by the products: weights and activations
 *	inputs        bytes of the samples that are gathered for the batch
 *	narrow        rows of products whose result is at most NET_NARROW
 *		      wide: each pays for a vector register that it does not
 *		      fill
 *	kernels       products started: each has a price of its own
 *	exponentials  of the loss ce
 *
 * (Values passed over outside of products, bias and ReLU, are no term: they
 * follow `inputs` and `narrow` so closely that a fit cannot tell them apart,
 * and models that were left out were predicted worse with them than without.)
 *
 * They stand in the order in which a fit takes them when it has too few
 * configurations for all.  To add one: a line in the table in energy_terms.c
 * and its value in energy_terms_of(); tables written before know nothing of it
 * and still read.
 *
 * A domain is the box of what was measured, in batch, parameters and layers,
 * with the losses seen.  energy_domain_distance() is how far outside of it a
 * configuration lies: 0 inside, 1 for each doubling beyond an edge, summed over
 * the three, and 1 for a loss that was not measured.
 */
#ifndef BENCH_ENERGY_TERMS_H
#define BENCH_ENERGY_TERMS_H

#include <stddef.h>

#include "bench/step_config.h"
#include "lib/doc.h"
#include "lib/err.h"

#define ENERGY_TERMS_MAX 16

size_t energy_terms(void);
/* "operations", and the unit of its coefficient behind "s/" or "J/". */
const char *energy_term_name(size_t term);
const char *energy_term_unit(size_t term);
/* The index of a name; energy_terms() where there is none. */
size_t energy_term_find(const char *name);

void energy_terms_of(const struct step_config *config, double *x);

enum energy_axis { AXIS_BATCH, AXIS_PARAMETERS, AXIS_LAYERS, ENERGY_AXES };

struct energy_domain {
	double lo[ENERGY_AXES], hi[ENERGY_AXES];
	unsigned int losses; /* 1 << enum loss */
};

/* clang-format off */
#define ENERGY_DOMAIN_EMPTY { { 0 }, { 0 }, 0 }
/* clang-format on */

void energy_domain_add(struct energy_domain *domain,
		       const struct step_config *config);
double energy_domain_distance(const struct energy_domain *domain,
			      const struct step_config *config);

/* {"batch": [8, 256], "parameters": […], "layers": […], "losses": ["ce"]} */
struct doc *energy_domain_to_doc(const struct energy_domain *domain);
int energy_domain_read(const struct doc *doc, struct energy_domain *domain,
		       struct err *err);

#endif
