/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door to oneDNN: dnnl_sgemm, which is row-major by itself.
 */
#include "bench/mat_kind.h"

#include <dnnl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* oneDNN asks OpenMP how many threads there are, and OpenMP answers for each
 * thread of ours by itself.  mat_prepare() has set the answer to one in the
 * environment; this is for programs that did not call it.  Weak: a oneDNN that
 * was built without OpenMP does not bring the symbol. */
extern void omp_set_num_threads(int threads) __attribute__((weak));

/* What the kernel writes on a signal: about 3 KiB of registers with AVX-512, 11
 * with AMX; and the handlers are small. */
#define SIGNAL_STACK 32768

/* AVX-512 kernels of dnnl_sgemm (2.6.3) keep the stack pointer in a block of
 * the heap while they work.  A signal that comes then has its frame written
 * below that, over whatever lies there, and free() aborts some time later.  So
 * each thread that calls oneDNN sets a stack aside, and handlers ask for it
 * (SA_ONSTACK; lib/cli_stop.c).  A stack that is there already, a sanitizer's,
 * stays. */
static void signal_stack(void)
{
	static _Thread_local char stack[SIGNAL_STACK];
	const stack_t aside = { .ss_sp = stack, .ss_size = sizeof(stack) };
	stack_t now;

	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE))
		(void)sigaltstack(&aside, NULL);
}

void mat_onednn_single_thread(void)
{
	static _Thread_local bool done;

	if (done)
		return;
	done = true;
	signal_stack();
	if (omp_set_num_threads)
		omp_set_num_threads(1);
}

static char op_of(enum mat_op op)
{
	return op == MAT_YES ? 'T' : 'N';
}

static void onednn_gemm(const struct mat_product *p)
{
	mat_onednn_single_thread();
	if (dnnl_sgemm(op_of(p->ta), op_of(p->tb), (dnnl_dim_t)p->m,
		       (dnnl_dim_t)p->n, (dnnl_dim_t)p->k, p->alpha, p->a,
		       (dnnl_dim_t)p->lda, p->b, (dnnl_dim_t)p->ldb, p->beta,
		       p->c, (dnnl_dim_t)p->ldc) != dnnl_success)
		abort(); /* sizes that do not fit together: our mistake */
}

static const char *isa_name(dnnl_cpu_isa_t isa)
{
	switch ((int)isa) {
	case dnnl_cpu_isa_sse41:
		return "SSE4.1";
	case dnnl_cpu_isa_avx:
		return "AVX";
	case dnnl_cpu_isa_avx2:
		return "AVX2";
	case dnnl_cpu_isa_avx512_core:
		return "AVX-512";
	case dnnl_cpu_isa_avx512_core_vnni:
		return "AVX-512, VNNI";
	case dnnl_cpu_isa_avx512_core_bf16:
		return "AVX-512, VNNI, BF16";
	case dnnl_cpu_isa_avx512_core_amx:
		return "AVX-512, AMX";
	default:
		return "generic";
	}
}

const char *mat_onednn_isa(void)
{
	return isa_name(dnnl_get_effective_cpu_isa());
}

static void onednn_describe(char *out, size_t size)
{
	const dnnl_version_t *version = dnnl_version();

	snprintf(out, size, "oneDNN %d.%d.%d (%s)", version->major,
		 version->minor, version->patch, mat_onednn_isa());
}

const struct mat_kind mat_kind_onednn = {
	.name = "onednn",
	.gemm = onednn_gemm,
	.describe = onednn_describe,
};
