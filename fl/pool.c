/* SPDX-License-Identifier: BSD-3-Clause */
#include "fl/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/mem.h"

struct worker {
	struct pool *pool;
	size_t number;
	pthread_t thread;
};

struct pool {
	struct worker *worker; /* [0] is the caller */
	size_t threads;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	/* Under the lock: */
	pool_task *task;
	void *context;
	size_t tasks, next, finished;
	bool stop;
};

/* Called with the lock held; takes tasks until there are no more. */
static void work_off(struct pool *pool, size_t worker)
{
	while (pool->next < pool->tasks) {
		size_t task = pool->next++;
		pool_task *run = pool->task;
		void *context = pool->context;

		pthread_mutex_unlock(&pool->lock);
		run(context, worker, task);
		pthread_mutex_lock(&pool->lock);
		if (++pool->finished == pool->tasks)
			pthread_cond_signal(&pool->done);
	}
}

static void *worker_main(void *context)
{
	struct worker *worker = context;
	struct pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stop) {
		work_off(pool, worker->number);
		if (!pool->stop)
			pthread_cond_wait(&pool->work, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

struct pool *pool_new(size_t threads)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	pool->worker = xcalloc(threads, sizeof(*pool->worker));
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

void pool_run(struct pool *pool, size_t tasks, pool_task *task, void *context)
{
	pthread_mutex_lock(&pool->lock);
	pool->task = task;
	pool->context = context;
	pool->tasks = tasks;
	pool->next = 0;
	pool->finished = 0;
	pthread_cond_broadcast(&pool->work);
	work_off(pool, 0);
	while (pool->finished < pool->tasks)
		pthread_cond_wait(&pool->done, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
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
