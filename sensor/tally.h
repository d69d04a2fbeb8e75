/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally -- what processes and cgroups used, added up in the kernel at each
 * context switch.
 *
 *	struct tally *tally = tally_open(groups, count, plan, &err);
 *	int slot = tally_add_process(tally, pid, false, &err);
 *	size_t cpu;
 *
 *	tally_begin(tally, &err);           // running slices are added
 *	while ((slot = tally_next(tally, &cpu)) > 0)
 *		use(tally_words(tally, slot, cpu));
 *	tally_remove(tally, slot);
 *	tally_close(tally);
 *
 * One group of counters per CPU counts everything; a BPF program (tally.bpf.c)
 * charges what they counted to the slots of the task that leaves the CPU.  A
 * slot has words per CPU that only grow: word 0 is ns on the CPU, tally_word()
 * and tally_running_word() say where the rest is.  They are read from shared
 * memory: no system call, and only those that changed (tally_next()).  The
 * slice of a task that is running is added by tally_begin(), one system call
 * for each CPU on which a target runs.
 *
 * A cgroup's slot has what no slot of a cgroup below it has; whoever wants the
 * sum adds them up.  A slot keeps its words when its target is gone.
 *
 * This is the only door to libbpf.  Needs Linux 5.12 with BTF, and CAP_BPF with
 * CAP_PERFMON; built with clang and bpftool, or not at all (make BPF=0).
 */
#ifndef SENSOR_TALLY_H
#define SENSOR_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "sensor/engine_sites.h"

struct tally;

/* With counters at the sites of a plan.  `code` EPERM, EACCES: not permitted;
 * ENOTSUP: not with these events, or not with this kernel. */
struct tally *tally_open(const struct event_group *group, size_t groups,
			 const struct site_plan *plan, struct err *err);
/* CPUs came or went. */
int tally_follow(struct tally *tally, const struct site_plan *plan,
		 struct err *err);
/* Possible CPUs: positions are CPU numbers. */
size_t tally_cpus(const struct tally *tally);
size_t tally_word(const struct tally *tally, size_t group, size_t event);
/* 0: as long as the task ran. */
size_t tally_running_word(const struct tally *tally, size_t group);

/* A slot (> 0), or -1.  `tree`: and what it starts from now on, and what it
 * started if tally_adopt() names it.  `code` ENOTSUP: no slot is free, or the
 * process has one of this sort. */
int tally_add_process(struct tally *tally, pid_t pid, bool tree,
		      struct err *err);
int tally_adopt(struct tally *tally, int slot, pid_t pid, struct err *err);
/* The folder of a cgroup in any mounted hierarchy; all of one tally are in
 * the same one. */
int tally_add_cgroup(struct tally *tally, const char *folder, struct err *err);
void tally_remove(struct tally *tally, int slot);

int tally_begin(struct tally *tally, struct err *err);
/* A slot whose words for `cpu` changed since it was named last, or 0. */
int tally_next(struct tally *tally, size_t *cpu);
/* A slot whose process began to exit, from `slot` on, or 0: it may be there
 * as a zombie for a while. */
int tally_next_exit(const struct tally *tally, int slot);
const uint64_t *tally_words(const struct tally *tally, int slot, size_t cpu);

void tally_close(struct tally *tally); /* accepts NULL */

#endif
