/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool -- threads that work off numbered tasks.
 *
 *	struct pool *pool = pool_new(4);
 *
 *	pool_run(pool, clients, train_one, &round);
 *	pool_free(pool);
 *
 * pool_run() returns when every task is done.  Which worker does which task is
 * chance, so a task leaves its result in a place of its own and whoever called
 * puts results together in the order of the tasks: then a run gives the same
 * bytes for any number of threads.
 *
 * The caller is worker 0; a pool of one starts no thread.  Workers that have
 * nothing to do look for work for some 150 µs before they sleep, where
 * there is a processor for each of them: the tasks of a training step come that
 * close together, and waking a thread takes longer than many of them.
 */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <stddef.h>

#include "lib/err.h"

#define POOL_THREADS_MAX 4096
#define POOL_TASKS_MAX   0xffffffff

struct pool;

typedef void pool_task(void *context, size_t worker, size_t task);

/* `threads` in 1 … POOL_THREADS_MAX. Where the system gives fewer, fewer
 * work. */
struct pool *pool_new(size_t threads);
size_t pool_threads(const struct pool *pool);
/* Each worker, the caller too, stays on a processor of its own from now on.
 * EINVAL when this process may use fewer than there are workers. */
int pool_pin(struct pool *pool, struct err *err);
/* At most POOL_TASKS_MAX.  NULL for a pool: the caller does them in order. */
void pool_run(struct pool *pool, size_t tasks, pool_task *task, void *context);
void pool_free(struct pool *pool); /* accepts NULL */

#endif
