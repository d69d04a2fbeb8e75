# SPDX-License-Identifier: BSD-3-Clause
"""Machines whose watts per target are known, as HWPC reports.

A seeded machine: packages, frequencies with a voltage curve, joules per cycle,
instruction and miss of its own, targets with their own instructions per cycle
and misses, churn and gaps.  A target's truth is its dynamic watts and its
proportional part of the idle watts of the package.

Seeds 1 to 99 have been looked at while models were made; 1000 and above have
not, and are what models are judged by.  Keep it so.
"""
import collections
import json
import random
import subprocess

CYCLES, INSTRUCTIONS, MISSES = "CPU_CLK_THREAD_UNHALTED:THREAD_P", "INSTRUCTIONS_RETIRED", "LLC_MISSES"
BASE = 2100
TICKS = 300
START = 1783600000000
CURVES = ("linear", "piecewise", "flat")


def voltage(f, curve):
    if curve == "flat":
        return 1.0
    if curve == "piecewise":    # a floor, then steeper and steeper
        return 0.75 if f < 1600 else 0.75 + 0.25 * (f - 1600) / 500 if f < 2100 else 1.0 + 0.35 * (f - 2100) / 1000
    return 0.65 + 0.35 * f / BASE


class Scenario:
    def __init__(self, seed, packages=1, frequencies=(BASE,), targets=6, churn=0.0, gaps=0.0, curve="linear",
                 noise=0.002, ticks=TICKS, volts=False):
        self.rng = rng = random.Random(seed)
        self.packages, self.frequencies, self.curve = packages, list(frequencies), curve
        self.targets, self.churn, self.gaps, self.noise, self.ticks = targets, churn, gaps, noise, ticks
        self.volts = volts      # reports say the voltage
        # nJ at the base frequency; the idle watts of each package.
        self.cycle, self.instruction = rng.uniform(0.8, 2.4), rng.uniform(0.5, 1.7)
        self.miss = rng.uniform(10, 40)
        self.idle = [rng.uniform(5, 25) for _ in range(packages)]
        self.kinds, self.reports = {}, []
        self.truth, self.share = collections.defaultdict(float), collections.defaultdict(float)
        self.run()

    def fresh(self, name):
        rng = self.rng
        self.kinds[name] = {"ipc": rng.uniform(0.4, 3.0), "mpki": rng.choice([0.1, 0.5, 2, 8]),
                            "duty": rng.uniform(0.05, 0.9) * min(1, 8 / self.targets),
                            "home": rng.randrange(self.packages), "level": rng.random()}
        return name

    def run(self):
        rng = self.rng
        alive = [self.fresh("/t%03d" % i) for i in range(self.targets)]
        born, f = self.targets, self.frequencies[0]
        for t in range(self.ticks):
            if rng.random() < 0.2:
                f = rng.choice(self.frequencies)
            if self.churn and rng.random() < self.churn and len(alive) > 2:
                alive.pop(rng.randrange(len(alive)))
            if self.churn and rng.random() < self.churn:
                alive.append(self.fresh("/n%03d" % born))
                born += 1
            self.tick(START + 1000 * t, f, alive)

    def work(self, name, f):
        """What a target counts in each package in this second."""
        rng, kind = self.rng, self.kinds[name]
        if rng.random() < 0.15:
            kind["level"] = rng.random()
        for p in range(self.packages):
            on = kind["level"] * kind["duty"] * (1 if p == kind["home"] else 0.15)
            cycles = int(4 * f * 1e6 * on * rng.uniform(0.9, 1.1))
            instructions = int(cycles * kind["ipc"] * rng.uniform(0.95, 1.05))
            yield p, cycles, instructions, int(instructions * kind["mpki"] / 1000 * rng.uniform(0.8, 1.2))

    def watts(self, name, f, v2, cycles, instructions, misses):
        return 1e-9 * (v2 * (self.cycle * cycles + self.instruction * instructions) + self.miss * misses)

    def tick(self, ms, f, alive):
        rng, volts = self.rng, voltage(f, self.curve)
        v2 = volts ** 2 / voltage(BASE, self.curve) ** 2
        dynamic, busy, docs = collections.defaultdict(dict), collections.defaultdict(dict), []
        for name in alive:
            groups = {}
            for p, cycles, instructions, misses in self.work(name, f):
                groups[str(p)] = {str(4 * p): {CYCLES: cycles, INSTRUCTIONS: instructions, MISSES: misses,
                                               "time_enabled": 10 ** 9, "time_running": 10 ** 9}}
                dynamic[p][name] = self.watts(name, f, v2, cycles, instructions, misses)
                busy[p][name] = cycles
            docs.append({"timestamp": ms, "sensor": "n", "target": name, "groups": {"core": groups}})
        rapl, msr = {}, {}
        for p in range(self.packages):
            whole, cycles = sum(dynamic[p].values()), sum(busy[p].values())
            watts = (self.idle[p] + whole) * (1 + rng.gauss(0, self.noise))
            rapl[str(p)] = {str(4 * p): {"RAPL_ENERGY_PKG": int(watts * 2 ** 32)}}
            msr[str(p)] = {str(4 * p): {"APERF": int(f * 1e5), "MPERF": BASE * 10 ** 5}}
            for name in alive:
                part = dynamic[p][name] / whole if whole else 0
                self.truth[ms, name] += dynamic[p][name] + part * self.idle[p]
                self.share[ms, name] += watts * busy[p][name] / cycles if cycles else 0
        if self.gaps and rng.random() < self.gaps:
            return              # a whole tick is lost; the next one is no longer for that
        metadata = {"elapsed_ns": 10 ** 9}
        if self.volts:
            metadata["cpu_voltage"] = volts
        self.reports.append({"timestamp": ms, "sensor": "n", "target": "all",
                             "groups": {"rapl": rapl, "msr": msr}, "metadata": metadata})
        self.reports += [d for d in docs if not (self.gaps and rng.random() < self.gaps / 10)]

    def write(self, path):
        with open(path, "w") as f:
            f.writelines(json.dumps(d) + "\n" for d in self.reports)


class Cores(Scenario):
    """Not what the model has terms for: watts of a busy core that grow with frequency squared, fewer of them where
    it waits for memory, and DRAM's part of what was fetched."""

    def fresh(self, name):
        super().fresh(name)
        if self.rng.random() < 0.5:
            self.kinds[name].update(ipc=self.rng.uniform(0.3, 0.7), mpki=self.rng.uniform(8, 15), core=0.75)
        else:
            self.kinds[name].update(ipc=self.rng.uniform(1.8, 3), mpki=0.05, core=1)
        return name

    def watts(self, name, f, v2, cycles, instructions, misses):
        busy = cycles / (f * 1e6)
        return 6 * (f / BASE) ** 2 * busy * self.kinds[name]["core"] + 1e-9 * self.miss * misses


def run(formula, model, path, *options):
    """(timestamp, target) -> [watts, sigma]"""
    out = {}
    text = subprocess.run([formula, "-q", "--model", model, "--from", path, *options], check=True,
                          stdout=subprocess.PIPE).stdout
    for line in text.decode().splitlines():
        d = json.loads(line)
        key = d["timestamp"], d["target"]
        if key in out:          # SmartWatts: a report for each package
            out[key][0] += d["power"]
        else:
            out[key] = [d["power"], d["metadata"].get("sigma_w", 0)]
    return out


def error(truth, got, keys):
    return sum(abs(truth[k] - (got[k][0] if k in got else 0)) for k in keys) / max(len(keys), 1)


Verdict = collections.namedtuple("Verdict", "mine same theirs theirs0 cycles ratios covered early first good")


def judge(formula, scenario, path, smartwatts=True):
    """fedwatts on one scenario, beside SmartWatts (formula's own, SmartWatts' to 1e-9) and a share of cycles."""
    scenario.write(path)
    ours = run(formula, "fedwatts", path, "--idle", "proportional")
    smart = run(formula, "smartwatts", path, "--disable-dram-formula", "--cpu-base-freq", str(BASE)) \
        if smartwatts else {}
    truth = scenario.truth
    keys = [(d["timestamp"], d["target"]) for d in scenario.reports if d["target"] != "all"]
    missing = [k for k in keys if k not in ours]
    assert not missing, missing[:3]
    share = {k: [w, 0] for k, w in scenario.share.items()}
    both = [k for k in keys if k in smart]
    mine, theirs0, cycles = error(truth, ours, keys), error(truth, smart, keys), error(truth, share, keys)
    same, theirs = error(truth, ours, both), error(truth, smart, both)
    ratios = same / theirs if both else 0, mine / theirs0, mine / cycles

    def covered(keys):
        return sum(abs(truth[k] - ours[k][0]) <= 2 * ours[k][1] for k in keys) / max(len(keys), 1)

    early = [k for k in keys if k[0] < START + 30000]
    first = min((k[0] for k in both), default=START) - START
    return Verdict(mine, same, theirs, theirs0, cycles, ratios, covered(keys), covered(early), first / 1000,
                   ratios[0] <= 0.35 and ratios[1] <= 0.2 and ratios[2] <= 0.5)
