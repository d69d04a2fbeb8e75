# SPDX-License-Identifier: BSD-3-Clause
"""Machines whose watts per target are known, and how near the models come.

    formula_truth.py FORMULA

Each scenario is a seeded machine: packages, frequencies with a voltage curve,
targets with their own instructions per cycle and misses, churn and gaps.  A
target's truth is its dynamic watts and its proportional part of the idle watts
of the package.  Mean absolute error per target over the first 300 ticks, beside
SmartWatts' (formula's own, which is SmartWatts' to 1e-9) and a plain share of
cycles.  Ends with 1 if fedwatts is not as near as it is to be.
"""
import collections
import json
import random
import subprocess
import sys
import tempfile

CYCLES, INSTRUCTIONS, MISSES = "CPU_CLK_THREAD_UNHALTED:THREAD_P", "INSTRUCTIONS_RETIRED", "LLC_MISSES"
BASE = 2100
TICKS = 300


def voltage(f, curve):
    if curve == "flat":
        return 1.0
    if curve == "piecewise":    # a floor, then steeper and steeper
        return 0.75 if f < 1600 else 0.75 + 0.25 * (f - 1600) / 500 if f < 2100 else 1.0 + 0.35 * (f - 2100) / 1000
    return 0.65 + 0.35 * f / BASE


def scenario(seed, packages, frequencies, targets, churn=0.0, gaps=0.0, curve="linear"):
    rng = random.Random(seed)
    kinds = {}

    def fresh(name):
        kinds[name] = {"ipc": rng.uniform(0.4, 3.0), "mpki": rng.choice([0.1, 0.5, 2, 8]),
                       "duty": rng.uniform(0.05, 0.9) * min(1, 8 / targets), "home": rng.randrange(packages),
                       "level": rng.random()}
        return name

    alive = [fresh("/t%03d" % i) for i in range(targets)]
    born, f = targets, frequencies[0]
    reports, truth, share = [], {}, {}
    idle = [9 + 4 * p for p in range(packages)]
    for t in range(TICKS):
        ms = 1783600000000 + 1000 * t
        if rng.random() < 0.2:
            f = rng.choice(frequencies)
        if churn and rng.random() < churn and len(alive) > 2:
            alive.pop(rng.randrange(len(alive)))
        if churn and rng.random() < churn:
            alive.append(fresh("/n%03d" % born))
            born += 1
        v2 = voltage(f, curve) ** 2 / voltage(BASE, curve) ** 2
        dynamic, cycles_of, docs = collections.defaultdict(dict), collections.defaultdict(dict), []
        for name in alive:
            k = kinds[name]
            if rng.random() < 0.15:
                k["level"] = rng.random()
            groups = {}
            for p in range(packages):
                on = k["level"] * k["duty"] * (1 if p == k["home"] else 0.15)
                cycles = int(4 * f * 1e6 * on * rng.uniform(0.9, 1.1))
                instructions = int(cycles * k["ipc"] * rng.uniform(0.95, 1.05))
                misses = int(instructions * k["mpki"] / 1000 * rng.uniform(0.8, 1.2))
                groups[str(p)] = {str(4 * p): {CYCLES: cycles, INSTRUCTIONS: instructions, MISSES: misses,
                                               "time_enabled": 10 ** 9, "time_running": 10 ** 9}}
                dynamic[p][name] = 1e-9 * v2 * (1.6 * cycles + 1.1 * instructions) + 2.5e-8 * misses
                cycles_of[p][name] = cycles
            docs.append({"timestamp": ms, "sensor": "n", "target": name, "groups": {"core": groups}})
        rapl, msr = {}, {}
        for p in range(packages):
            whole = sum(dynamic[p].values())
            watts = (idle[p] + whole) * (1 + rng.gauss(0, 0.002))
            rapl[str(p)] = {str(4 * p): {"RAPL_ENERGY_PKG": int(watts * 2 ** 32)}}
            msr[str(p)] = {str(4 * p): {"APERF": int(f * 1e5), "MPERF": BASE * 10 ** 5}}
            for name in alive:
                part = dynamic[p][name] / whole if whole else 0
                truth[ms, name] = truth.get((ms, name), 0) + dynamic[p][name] + part * idle[p]
                busy = sum(cycles_of[p].values())
                share[ms, name] = share.get((ms, name), 0) + (watts * cycles_of[p][name] / busy if busy else 0)
        if gaps and rng.random() < gaps:
            continue            # a whole tick is lost; the next one is no longer for that
        reports.append({"timestamp": ms, "sensor": "n", "target": "all", "groups": {"rapl": rapl, "msr": msr},
                        "metadata": {"elapsed_ns": 10 ** 9}})
        reports += [d for d in docs if not (gaps and rng.random() < gaps / 10)]
    return reports, truth, share


def run(formula, model, path, *options):
    out = collections.defaultdict(float)
    text = subprocess.run([formula, "-q", "--model", model, "--from", path, *options], check=True,
                          stdout=subprocess.PIPE).stdout
    for line in text.decode().splitlines():
        d = json.loads(line)
        out[d["timestamp"], d["target"]] += d["power"]
    return out


def error(truth, got, keys):
    return sum(abs(truth[k] - got.get(k, 0)) for k in keys) / max(len(keys), 1)


def main():
    formula, bad = sys.argv[1], 0
    cases = [
        ("6 targets, 1 frequency", (1, 1, [2100], 6)),
        ("9, 2 packages, 3 frequencies", (2, 2, [1200, 2100, 2800], 9, 0.05)),
        ("40, 3 frequencies", (3, 1, [1500, 2100, 2600], 40)),
        ("200, churn, gaps", (4, 1, [2100], 200, 0.3, 0.03)),
        ("8, 8 frequencies, churn", (5, 1, [1200, 1500, 1700, 1900, 2100, 2400, 2700, 3000], 8, 0.05, 0, "piecewise")),
    ]
    print("%-30s %8s %8s %8s %8s   ratios" % ("W per target", "fedwatts", "smart", "missing0", "cycles"))
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in cases:
            reports, truth, share = scenario(*arguments)
            path = folder + "/in.jsonl"
            with open(path, "w") as f:
                f.writelines(json.dumps(d) + "\n" for d in reports)
            ours = run(formula, "fedwatts", path, "--idle", "proportional")
            smart = run(formula, "smartwatts", path, "--disable-dram-formula", "--cpu-base-freq", str(BASE))
            keys = [(d["timestamp"], d["target"]) for d in reports if d["target"] != "all"]
            missing = [k for k in keys if k not in ours]
            assert not missing, missing[:3]
            both = [k for k in keys if k in smart]
            mine = error(truth, ours, keys)
            theirs0, cycles = error(truth, smart, keys), error(truth, share, keys)
            same, theirs = error(truth, ours, both), error(truth, smart, both)
            ratios = same / theirs if both else 0, mine / theirs0, mine / cycles
            good = ratios[0] <= 0.35 and ratios[1] <= 0.2 and ratios[2] <= 0.5
            print("%-30s %8.3f %8.3f %8.3f %8.3f   %.2f %.2f %.2f%s" % (
                (name, mine, theirs, theirs0, cycles) + ratios + ("" if good else "   too far",)))
            bad |= not good
    sys.exit(bad)


main()
