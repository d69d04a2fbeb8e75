/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * tally_kernel -- the members of the kernel's structures that tally.bpf.c looks
 * at, and nothing more: where they really are, the running kernel's BTF says
 * when the program is loaded.
 */
#ifndef SENSOR_TALLY_KERNEL_H
#define SENSOR_TALLY_KERNEL_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1]; /* by cgroup_subsys_id */
	struct cgroup *dfl_cgrp;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct sched_entity {
	/* In all, and when it came to the CPU. */
	__u64 sum_exec_runtime, prev_sum_exec_runtime;
};

struct task_struct {
	int pid, tgid;
	struct sched_entity se;
	struct css_set *cgroups;
	struct signal_struct *signal;
};

#pragma clang attribute pop

/* The numbers are the running kernel's too. */
enum cgroup_subsys_id { cpuacct_cgrp_id, perf_event_cgrp_id };

#endif
