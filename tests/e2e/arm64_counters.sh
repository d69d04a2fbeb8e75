#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Hardware counters that count: on an emulated 64-bit ARM machine, whose
# counters are exact, the sensor (cross-compiled) reads cycles and instructions
# of cgroups that share a CPU, and corrects what multiplexing hides within 2 %.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$SRC/tests/e2e/lib.sh"

case $BIN in
*/release/bin) ;;
*) skip "the program for arm64 is the same in every flavour: it is tried with build/release" ;;
esac
command -v qemu-system-aarch64 >/dev/null || skip "there is no qemu-system-aarch64 here (scripts/install-packages test)"
status=0
"$SRC/scripts/arm64-image" >image.log 2>&1 || status=$?
[ $status -ne 77 ] || skip "$(tail -n 1 image.log)"
[ $status -eq 0 ] || die "$(tail -n 20 image.log)"

# One instruction is one nanosecond of the machine's time, and waiting takes
# none of ours: what it counts does not depend on how busy this one is.
timeout 400 qemu-system-aarch64 -M virt -cpu neoverse-n1 -accel tcg -icount shift=0,sleep=off -smp 2 -m 512 \
	-display none -nic none -no-reboot -serial file:console -kernel "$SRC/build/arm64-image/vmlinuz" \
	-initrd "$SRC/build/arm64-image/initrd" -append "console=ttyAMA0 panic=-1 quiet" || die "qemu: status $?"
has console '^@end'
has console '^@status plain 0'
has console '^@status shared 0'
# What is listed there: a PMU with names, tracepoints, cgroups of v2.
has console '^@events .*"event":"armv8_pmuv3/cpu_cycles/","pmu":"armv8_pmuv3"'
has console '^@sched:[*] +tracepoint +[0-9]+ of them'
has console '^@targets .*"cpu_s":[1-9][0-9.]*,"target":"/busy"'

python3 - <<'PY'
import json

counts, rounds = {}, {}
for line in open("console", errors="replace"):
    tag, _, rest = line.partition(" ")
    if tag == "@rounds":
        rounds = dict(zip(("/busy", "/calm", "/far", "/idle"), map(int, rest.split())))
    elif tag == "@report":
        run, _, text = rest.partition(" ")
        report = json.loads(text)
        for group, sockets in report["groups"].items():
            for cpus in sockets.values():
                for cpu, events in cpus.items():
                    for event, count in events.items():
                        key = run, report["target"], group, event
                        counts.setdefault(key, {}).setdefault(cpu, 0)
                        counts[key][cpu] += count

def total(*key):
    return sum(counts[key].values())

def close(a, b, part):
    return abs(a - b) <= part * b

assert len(rounds) == 4, rounds
cycles, instructions = "armv8_pmuv3/cpu_cycles/", "armv8_pmuv3/inst_retired/"
for target, n in rounds.items():
    plain = "plain", target, "core"
    found = total(*plain, instructions)
    # Two instructions a round, and this emulator takes a cycle for each.
    assert close(found, 2 * n, 0.02), (target, found, n)
    assert close(total(*plain, cycles), found, 0.01), (target, counts)
    assert total(*plain, "time_running") == total(*plain, "time_enabled"), target
    if n:
        where = counts[(*plain, instructions)]
        assert where["1" if target == "/far" else "0"] > 0.98 * found, (target, where)
    print(f"{target:6} {2 * n:10} instructions: {found} counted", end="")
    for group in "core", "second", "third":
        shared = "shared", target, group
        events = [key[3] for key in counts if key[:3] == shared and not key[3].startswith("time_")]
        assert len(events) == 5, events
        for event in events:
            assert close(total(*shared, event), found, 0.02), (shared, event, total(*shared, event), found)
        if n:
            part = total(*shared, "time_running") / total(*shared, "time_enabled")
            assert 0.1 < part < 0.6, (shared, part)
            print(f", {total(*shared, instructions)} from {part:.0%} of the time", end="")
    print()
PY
