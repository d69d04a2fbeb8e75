/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Looks for work before a worker sleeps: 25 ns each on an EPYC (family 25), so
 * 150 µs, longer than what a step does alone between two things to share. */
#define LOOKS 6000

struct worker {
	struct pool *pool;
	size_t number;
	pthread_t thread;
};

/* How many tasks there are, and the next one, in one word: a worker takes a
 * task by exchanging it.  Who has taken one may read `task` and `context`,
 * which do not change before it is finished. */
static uint64_t ticket_of(uint64_t tasks, uint64_t next)
{
	return tasks << 32 | next;
}

struct pool {
	struct worker *worker; /* [0] is the caller */
	size_t threads;
	int looks;
	pool_task *task;
	void *context;
	_Atomic uint64_t ticket;
	_Atomic size_t left; /* tasks that are not finished */
	_Atomic bool stop;
	/* Who sleeps, or is about to: under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	_Atomic size_t sleepers;
	_Atomic bool caller_sleeps;
};

static void look_away(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

static bool has_work(const struct pool *pool)
{
	uint64_t ticket = atomic_load(&pool->ticket);

	return (uint32_t)ticket < ticket >> 32;
}

static bool take(struct pool *pool, size_t *task)
{
	uint64_t ticket = atomic_load(&pool->ticket);

	do {
		*task = (uint32_t)ticket;
		if (*task >= ticket >> 32)
			return false;
	} while (!atomic_compare_exchange_weak(&pool->ticket, &ticket,
					       ticket + 1));
	return true;
}

static void work_off(struct pool *pool, size_t worker)
{
	size_t task;

	while (take(pool, &task)) {
		pool->task(pool->context, worker, task);
		if (atomic_fetch_sub(&pool->left, 1) > 1 ||
		    !atomic_load(&pool->caller_sleeps))
			continue;
		pthread_mutex_lock(&pool->lock);
		pthread_cond_signal(&pool->done);
		pthread_mutex_unlock(&pool->lock);
	}
}

/* Announced before the last look: who brings work looks for sleepers after it
 * is there, so one of the two sees the other. */
static void sleep_for_work(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->sleepers, 1);
	while (!has_work(pool) && !atomic_load(&pool->stop))
		pthread_cond_wait(&pool->work, &pool->lock);
	atomic_fetch_sub(&pool->sleepers, 1);
	pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *context)
{
	struct worker *worker = context;
	struct pool *pool = worker->pool;

	while (!atomic_load(&pool->stop)) {
		work_off(pool, worker->number);
		for (int i = 0; i < pool->looks && !has_work(pool); i++)
			look_away();
		if (!has_work(pool))
			sleep_for_work(pool);
	}
	return NULL;
}

/* The processors that this process may use. */
static size_t processors(cpu_set_t *set)
{
	if (sched_getaffinity(0, sizeof(*set), set))
		CPU_ZERO(set);
	return (size_t)CPU_COUNT(set);
}

struct pool *pool_new(size_t threads)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));
	cpu_set_t set;

	pool->looks = threads <= processors(&set) ? LOOKS : 0;
	pool->worker = xcalloc(threads, sizeof(*pool->worker));
	pool->worker[0].thread = pthread_self();
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->done, NULL);
	for (pool->threads = 1; pool->threads < threads; pool->threads++) {
		struct worker *worker = &pool->worker[pool->threads];

		worker->pool = pool;
		worker->number = pool->threads;
		if (pthread_create(&worker->thread, NULL, worker_main, worker))
			break;
	}
	return pool;
}

size_t pool_threads(const struct pool *pool)
{
	return pool->threads;
}

int pool_pin(struct pool *pool, struct err *err)
{
	cpu_set_t all, one;
	size_t count = processors(&all);
	int cpu = 0, failed;

	if (count < pool->threads)
		return err_set(err, EINVAL,
			       "%zu threads cannot be pinned: this process may "
			       "use %zu processors",
			       pool->threads, count);
	for (size_t i = 0; i < pool->threads; i++, cpu++) {
		while (!CPU_ISSET(cpu, &all))
			cpu++;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		failed = pthread_setaffinity_np(pool->worker[i].thread,
						sizeof(one), &one);
		if (failed)
			return err_set(err, failed,
				       "pin a thread to processor %d: %s", cpu,
				       strerror(failed));
	}
	return 0;
}

static void wait_for_others(struct pool *pool)
{
	for (int i = 0; i < pool->looks; i++) {
		if (!atomic_load(&pool->left))
			return;
		look_away();
	}
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->caller_sleeps, true);
	while (atomic_load(&pool->left))
		pthread_cond_wait(&pool->done, &pool->lock);
	atomic_store(&pool->caller_sleeps, false);
	pthread_mutex_unlock(&pool->lock);
}

void pool_run(struct pool *pool, size_t tasks, pool_task *task, void *context)
{
	if (!pool || pool->threads == 1 || tasks < 2) {
		for (size_t i = 0; i < tasks; i++)
			task(context, 0, i);
		return;
	}
	pool->task = task;
	pool->context = context;
	atomic_store(&pool->left, tasks);
	atomic_store(&pool->ticket, ticket_of(tasks, 0));
	if (atomic_load(&pool->sleepers)) {
		pthread_mutex_lock(&pool->lock);
		pthread_cond_broadcast(&pool->work);
		pthread_mutex_unlock(&pool->lock);
	}
	work_off(pool, 0);
	wait_for_others(pool);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->stop, true);
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 1; i < pool->threads; i++)
		pthread_join(pool->worker[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->worker);
	free(pool);
}
