#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: BSD-3-Clause
#
# init -- the first program of the emulated machine that scripts/arm64-image
# makes: has cgroups at work counted, with and without multiplexing, prints what
# was counted, and turns the machine off.
#
# Every line for tests/e2e/arm64_counters.sh is "@NAME TEXT".
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tracefs tracefs /sys/kernel/tracing
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Without a controller in the tree, Linux 6.1 has no perf cgroups but the root.
echo +pids >/sys/fs/cgroup/cgroup.subtree_control
for name in busy calm far idle; do mkdir /sys/fs/cgroup/$name; done
BUSY=400000000 CALM=200000000 FAR=100000000

# work CGROUP CPUS ROUNDS
work() {
	echo 0 >"/sys/fs/cgroup/$1/cgroup.procs"
	exec taskset "$2" spin "$3"
}

# count NAME OPTION...: the same work each time, from before its start until
# after its end.  Two cgroups share a CPU.  The emulator counts what all CPUs
# do in every CPU's counters, so those of the other CPU work by themselves.
count() {
	local name=$1 sensor busy calm
	shift
	taskset 1 sensor -n arm64 --meter null --engine perf --to "jsonl:/run/$name" "$@" 2>"/run/$name.err" &
	sensor=$!
	until [ -s "/run/$name" ]; do
		kill -0 $sensor || break
		sleep 0.1
	done
	(work busy 1 "$BUSY") &
	busy=$!
	(work calm 1 "$CALM") &
	calm=$!
	wait $busy $calm
	(work far 2 "$FAR") &
	wait $!
	sleep 1
	kill -TERM $sensor
	wait $sensor
	echo "@status $name $?"
	sed "s/^/@report $name /" "/run/$name"
	sed "s/^/@stderr $name /" "/run/$name.err"
}

# PMU events that do not fit beside those of another such group.
four() {
	for e in cpu_cycles inst_retired event=8 event=0x8 event=0x08; do
		printf -- '-e armv8_pmuv3/%s/ ' $e
	done
}

echo "@rounds $BUSY $CALM $FAR 0"
count plain -f 500 -c core -e armv8_pmuv3/cpu_cycles/ -e armv8_pmuv3/inst_retired/
# Turns last 4 ms: a group does not see all of what a start or an end leaves of an
# interval.
# shellcheck disable=SC2046
count shared -f 100 --correct-multiplexing -c core $(four) -c second $(four) -c third $(four)
sensor list events --json --match 'armv8_pmuv3*' | sed 's/^/@events /'
sensor list events | sed -n 's/^sched:/@&/p'
sensor list targets --json --match /busy | sed 's/^/@targets /'
echo "@end"
poweroff -f
