# SPDX-License-Identifier: BSD-3-Clause
"""Reports to try PowerAPI with, and how to compare them.

    python3 reports.py hwpc|own|power TICKS TARGETS >reports.jsonl

hwpc: as hwpc-sensor's groups are (system groups hold "all" alone); own: as our
sensor's ("all" counts in group core, too, and has metadata); power: watts.
"""
import json
import random
import sys

START_MS = 1783600000123


def targets(count):
    names = ["all", "/system.slice/a.service", 'process:7:say "ho", ähm',
             "process:12:back\\slash"]
    names += [f"/machine.slice/vm{i}.scope" for i in range(count)]
    return names[:count]


def cpus(rng, events, most):
    return {str(cpu): {**{event: rng.randrange(most) for event in events},
                       "time_enabled": 100000000 + cpu, "time_running": 99999999}
            for cpu in range(2)}


def groups_of(rng, kind, target):
    groups = {}
    if target == "all":
        groups["rapl"] = {"0": {"0": {"RAPL_ENERGY_PKG": rng.randrange(2 ** 62),
                                      "time_enabled": 1, "time_running": 1}}}
        groups["msr"] = {"0": cpus(rng, ["TSC", "APERF", "MPERF"], 2 ** 32)}
    if target != "all" or kind == "own":
        groups["core"] = {"0": cpus(rng, ["INSTRUCTIONS_RETIRED", "LLC_MISSES"], 2 ** 40)}
    return groups


def report(rng, kind, tick, target):
    doc = {"timestamp": START_MS + 500 * tick, "sensor": "node1", "target": target}
    if kind == "power":
        doc["power"] = rng.random() * 100
        doc["metadata"] = {"scope": "cpu", "socket": "0", "formula": "x", "ratio": rng.random()}
        return doc
    doc["groups"] = groups_of(rng, kind, target)
    if kind == "own":
        doc["metadata"] = {"elapsed_ns": 500000000 + tick, "engine": "perf"}
    return doc


def key(doc):
    return doc["timestamp"], doc["target"]


def milliseconds(moment):
    """PowerAPI 2.10 makes naive local times of timestamps."""
    return round(moment.timestamp() * 1000)


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main():
    kind, ticks, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(1)
    for tick in range(ticks):
        for target in targets(count):
            print(json.dumps(report(rng, kind, tick, target), ensure_ascii=False))


if __name__ == "__main__":
    main()
