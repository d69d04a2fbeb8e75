/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * tally_map -- what the BPF program (tally.bpf.c) and its reader (tally.c) have
 * in common: the contents of the maps.
 *
 * A slot is what one target used; slot 0 is nobody's.  Each slot has a cell per
 * CPU that only this CPU writes, one cache line long, so that nobody waits for
 * anybody.  `fresh` has a bit per slot and CPU, set after a cell was written
 * and taken by the reader before he reads it: what he does not see now, he is
 * told of again.
 */
#ifndef SENSOR_TALLY_MAP_H
#define SENSOR_TALLY_MAP_H

#include <linux/types.h>

/* Word 0: ns on the CPU.  Then the values of the events, then the time that
 * each group of them that has to take turns really counted. */
#define TALLY_WORDS      8
#define TALLY_EVENTS_MAX (TALLY_WORDS - 1)

struct tally_cell {
	__u64 word[TALLY_WORDS];
};

/* A task counts for up to this many slots: its cgroup's, its process's, and
 * that of the tree of processes it belongs to. */
#define TALLY_ROLES 3

/* The nearest cgroup with a slot, as it was at a generation. */
struct tally_near {
	__u32 slot, generation;
};

/* Few cgroups take turns on a CPU. */
#define TALLY_RECENT 4

/* Who runs on a CPU, since when; and the cgroups that ran there lately. */
struct tally_cpu {
	__u32 slot[TALLY_ROLES];
	__s32 pid;
	__u64 since_ns;
	__u64 read_ns; /* when the events were read */
	__u64 value[TALLY_EVENTS_MAX];
	__u64 running_ns[TALLY_EVENTS_MAX];
	struct tally_recent {
		__u64 id;
		struct tally_near near;
	} recent[TALLY_RECENT];
} __attribute__((aligned(64)));

struct tally_owner {
	__u32 slot, tree;
};

enum tally_hierarchy { TALLY_UNIFIED, TALLY_PERF_EVENT, TALLY_CPUACCT };

#endif
