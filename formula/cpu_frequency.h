/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cpu_frequency -- the frequency at which TSC and MPERF count.
 *
 *	int64_t mhz = cpu_base_frequency("");   // 2100; 0: nobody says
 *
 * From cpufreq's base_frequency (kHz), else from the name of the CPU in
 * /proc/cpuinfo ("… @ 2.10GHz").  `root` stands before /sys and /proc.
 */
#ifndef FORMULA_CPU_FREQUENCY_H
#define FORMULA_CPU_FREQUENCY_H

#include <stdint.h>

int64_t cpu_base_frequency(const char *root);

#endif
