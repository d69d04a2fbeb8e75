#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""SmartWatts 2.4.1 itself beside `formula --model smartwatts`.

    beside_smartwatts.py FORMULA [REPORTS.json…]

Needs the packages smartwatts and powerapi.  Generated scenarios and recorded
reports go through SmartWatts' own handler and through FORMULA: the same sequence
of power and formula reports is expected, watts within 1e-9 relative.
"""
import collections
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import types

import numpy
import sklearn
from powerapi.dispatch_rule import HWPCDepthLevel, HWPCDispatchRule
from powerapi.report import FormulaReport, HWPCReport, PowerReport
from smartwatts.actor import SmartWattsFormulaConfig, SmartWattsFormulaScope
from smartwatts.handler import HwPCReportHandler
from smartwatts.model import CPUTopology

EVENTS = ["INSTRUCTIONS_RETIRED", "CPU_CLK_THREAD_UNHALTED:THREAD_P", "LLC_MISSES",
          "CPU_CLK_THREAD_UNHALTED:REF_P"]
EPOCH = datetime.datetime(1970, 1, 1)


class Sink:
    """A pusher that keeps what it is sent."""

    def __init__(self, model, out):
        self.state = types.SimpleNamespace(report_model=model)
        self.out = out

    def send_data(self, report):
        self.out.append(report)


def theirs(reports, options, scopes):
    """The reports through the packages' dispatch rule and handler; a list a formula."""
    rule = HWPCDispatchRule(HWPCDepthLevel.SOCKET, primary=True)
    topology = CPUTopology(options["cpu-tdp"], 100, 1, int(options["cpu-base-freq"] / 100), 100)
    handlers, out = {}, collections.OrderedDict()
    for doc in reports:
        report = HWPCReport(EPOCH + datetime.timedelta(milliseconds=doc["timestamp"]), doc["sensor"],
                            doc["target"], doc["groups"], doc.get("metadata", {}))
        for sensor, socket in rule.get_formula_id(report):
            for scope in scopes:
                key = (sensor, socket, scope.value)
                if key not in handlers:
                    out[key] = []
                    config = SmartWattsFormulaConfig(
                        scope, options["sensor-reports-frequency"],
                        "RAPL_ENERGY_PKG" if scope.value == "cpu" else "RAPL_ENERGY_DRAM",
                        options["%s-error-threshold" % scope.value], topology,
                        options["learn-min-samples-required"], options["learn-history-window-size"],
                        False, options["learn-error-window-size"], options["learn-error-window-method"])
                    pushers = {"p": Sink(PowerReport, out[key]), "f": Sink(FormulaReport, out[key])}
                    handlers[key] = HwPCReportHandler(types.SimpleNamespace(
                        config=config, pushers=pushers, sensor=sensor, socket=socket))
                handlers[key].handle(report)
    return out


def ours(formula, reports, options, scopes, folder):
    path, power, models = (os.path.join(folder, n) for n in ("in.jsonl", "power.jsonl", "models.jsonl"))
    with open(path, "w") as f:
        for doc in reports:
            f.write(json.dumps(doc) + "\n")
    for old in (power, models):
        if os.path.exists(old):
            os.unlink(old)
    command = [formula, "-q", "--model", "smartwatts", "--exact", "--from", path, "--to", power,
               "--formula-to", models]
    command += ["--%s=%s" % item for item in options.items()]
    if len(scopes) == 1:
        command.append("--disable-dram-formula")
    subprocess.run(command, check=True)
    out = collections.defaultdict(list)
    formulas = collections.defaultdict(dict)
    for line in open(models):
        d = json.loads(line)
        formulas[d["sensor"], d["metadata"]["socket"], d["metadata"]["scope"]][d["timestamp"], len(
            formulas[d["sensor"], d["metadata"]["socket"], d["metadata"]["scope"]])] = d
    for line in open(power):
        d = json.loads(line)
        out[d["sensor"], d["metadata"]["socket"], d["metadata"]["scope"]].append(d)
    return out, {k: list(v.values()) for k, v in formulas.items()}


def near(a, b):
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-6)


def numbers(text):
    return [float(word) for word in text.strip("[]").split()]


def compare(name, want, got, models):
    worst = powers = formulas = same_text = 0
    for key, reports in want.items():
        mine, model = iter(got.get(key, [])), iter(models.get(key, []))
        names = {}
        for report in reports:
            ms = round((report.timestamp - EPOCH).total_seconds() * 1000)
            if isinstance(report, PowerReport):
                d = next(mine)
                assert (d["timestamp"], d["target"]) == (ms, report.target), (key, d, report)
                assert near(d["power"], report.power), (key, d, report)
                assert near(d["metadata"]["ratio"], report.metadata["ratio"]), (key, d, report)
                assert set(d["metadata"]) == set(report.metadata), (d, report.metadata)
                worst = max(worst, abs(d["power"] - report.power) / max(abs(report.power), 1e-6))
                powers += 1
                hashes = d["metadata"]["formula"], report.metadata["formula"]
            else:
                d = next(model)
                assert d["timestamp"] == ms, (key, d, report)
                for field in ("scope", "socket", "layer_frequency", "pkg_frequency", "samples", "id"):
                    assert d["metadata"][field] == report.metadata[field], (field, d, report)
                for field in ("error", "intercept"):
                    assert abs(d["metadata"][field] - report.metadata[field]) < 1e-8, (field, d, report)
                same_text += d["metadata"]["coef"] == report.metadata["coef"]
                for a, b in zip(numbers(d["metadata"]["coef"]), numbers(report.metadata["coef"])):
                    assert abs(a - b) <= 1e-6 * abs(b) + 1e-18, (d, report)
                formulas += 1
                hashes = d["target"], report.target
            # One model, one name, there as here.
            assert names.setdefault(hashes[0], hashes[1]) == hashes[1], hashes
        assert next(mine, None) is None and next(model, None) is None, "%s: more than SmartWatts says" % (key,)
    assert set(got) <= set(want), set(got) - set(want)
    print("%-28s %6d power and %4d formula reports, worst %.1e, coef text equal %d" %
          (name, powers, formulas, worst, same_text))
    assert powers > 0 or not want


def scenario(seed, sockets, ticks, frequencies, targets, churn=False, gaps=False, metadata=False):
    """Reports of one sensor: a machine whose watts follow from its events, with noise."""
    rng = random.Random(seed)
    out, held, alive = [], [], ["/t%d" % i for i in range(targets)]
    fresh = targets
    for t in range(ticks):
        ms = 1783600000000 + 1000 * t
        f = rng.choice(frequencies) if t % 7 == 0 else f if t else frequencies[0]
        if churn and rng.random() < 0.3:
            alive.pop(rng.randrange(len(alive)))
        if churn and rng.random() < 0.3 or not alive:
            alive.append("/new%d" % fresh)
            fresh += 1
        rng.shuffle(alive)
        watts = [12.0 + 3 * s for s in range(sockets)]
        dram = [2.0] * sockets
        docs = []
        for target in alive:
            core = {}
            for s in range(sockets):
                core[str(s)] = {}
                for c in range(2):
                    busy = rng.random() ** 2 * f * 1e6 / 4 if rng.random() < 0.9 else 0
                    ipc = 0.5 + (hash_of(target) % 100) / 50
                    counts = [round(busy * ipc), round(busy), round(busy * ipc * 0.01 * rng.random()),
                              round(busy / f * 100)]
                    core[str(s)][str(2 * s + c)] = dict(zip(EVENTS, counts), time_enabled=1000, time_running=1000)
                    watts[s] += 4e-9 * busy * (f / 2100) ** 2 + 1e-9 * counts[0]
                    dram[s] += 5e-8 * counts[2]
            doc = {"timestamp": ms, "sensor": "node", "target": target, "groups": {"core": core}}
            if metadata:
                doc["metadata"] = {"pod": "p" + target, "ratio": "x", "n": {"a": 1}}
            docs.append(doc)
        whole = {"rapl": {}, "msr": {}}
        for s in range(sockets):
            whole["rapl"][str(s)] = {str(2 * s + 1): {
                "RAPL_ENERGY_PKG": round((watts[s] + rng.gauss(0, 0.3)) * 2 ** 32),
                "RAPL_ENERGY_DRAM": round((dram[s] + rng.gauss(0, 0.05)) * 2 ** 32),
                "time_enabled": 1, "time_running": 1}}
            whole["msr"][str(s)] = {str(2 * s + c): {
                "TSC": 2100000000, "APERF": round(1e8 * f / 2100 * rng.uniform(0.999, 1.001)),
                "MPERF": 0 if gaps and t == 40 else 100000000} for c in range(2)}
        if not (gaps and rng.random() < 0.05):
            docs.insert(rng.randrange(len(docs) + 1), {"timestamp": ms, "sensor": "node", "target": "all",
                                                       "groups": whole})
        if gaps:
            docs = [d for d in docs if rng.random() > 0.05 or d["target"] == "all"]
            if rng.random() < 0.1:
                docs.append(dict(docs[0]))
        out += held
        held = []
        if gaps and docs and rng.random() < 0.1:
            held = [docs.pop()]
        out += docs
        if gaps and t % 50 == 20:
            stale = dict(docs[0], timestamp=ms - 9000)
            out.append(stale)
    return out + held


def hash_of(text):
    value = 7
    for c in text:
        value = (31 * value + ord(c)) % 1000003
    return value


def recorded(path):
    reports = []
    for d in json.load(open(path)):
        if isinstance(d["timestamp"], str):
            t = datetime.datetime.fromisoformat(d["timestamp"])
            d["timestamp"] = round((t.replace(tzinfo=None) - EPOCH).total_seconds() * 1000)
        reports.append(d)
    return reports


def main():
    formula = sys.argv[1]
    base = {"cpu-tdp": 400, "cpu-base-freq": 2100, "sensor-reports-frequency": 1000,
            "cpu-error-threshold": 2.0, "dram-error-threshold": 2.0, "learn-min-samples-required": 10,
            "learn-history-window-size": 60, "learn-error-window-size": 60,
            "learn-error-window-method": "median"}
    both = [SmartWattsFormulaScope.CPU, SmartWattsFormulaScope.DRAM]
    print("scikit-learn %s, NumPy %s" % (sklearn.__version__, numpy.__version__))
    cases = [
        ("one package", scenario(1, 1, 90, [2100], 6), {}, both),
        ("two packages, churn", scenario(2, 2, 110, [1200, 2100, 2800], 9, churn=True), {}, both),
        ("gaps, late, metadata", scenario(3, 1, 120, [2100, 2600], 5, True, True, True), {}, both),
        ("small windows, mean", scenario(4, 2, 70, [1500, 3000], 4, churn=True, gaps=True),
         {"learn-history-window-size": 12, "learn-min-samples-required": 3, "cpu-tdp": 15,
          "learn-error-window-size": 7, "learn-error-window-method": "mean",
          "cpu-error-threshold": 0.5, "dram-error-threshold": 0.01, "sensor-reports-frequency": 500}, both),
        ("beyond the highest layer", scenario(5, 1, 40, [10500, 700], 3), {}, both[:1]),
    ]
    for path in sys.argv[2:]:
        # Ten ticks: few samples are asked for, or nothing but `rapl` would come.
        cases.append((os.path.basename(path), recorded(path), {"learn-min-samples-required": 2,
                                                               "cpu-error-threshold": 0.1}, both[:1]))
        # And again and again, for as long as it takes to learn.
        again = [dict(d, timestamp=d["timestamp"] + 20000 * k) for k in range(10) for d in recorded(path)]
        cases.append((os.path.basename(path) + " × 10", again, {"cpu-error-threshold": 0.2}, both[:1]))
    with tempfile.TemporaryDirectory() as folder:
        for name, reports, extra, scopes in cases:
            options = dict(base, **extra)
            got, models = ours(formula, reports, options, scopes, folder)
            compare(name, theirs(reports, options, scopes), got, models)


main()
