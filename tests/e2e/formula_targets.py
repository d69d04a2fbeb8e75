# SPDX-License-Identifier: BSD-3-Clause
"""Who is in a power report: formula_targets.py FORMULA

The kernel, what nobody explains, processes that died, several policies side by
side, and what a model is called when there is less to go by.
"""
import json
import subprocess
import sys

FORMULA = sys.argv[1]
POLICIES = "none", "uniform", "proportional", "marginal", "shapley"
START = 1783600000000


def run(docs, *options):
    out = subprocess.run([FORMULA, "-q", *options], input="".join(json.dumps(d) + "\n" for d in docs).encode(),
                         check=True, stdout=subprocess.PIPE).stdout.decode()
    return [json.loads(line) for line in out.splitlines()]


def machine(t, watts, counts, group="rapl", event="RAPL_ENERGY_PKG", unit=2 ** 32):
    groups = {group: {"0": {"0": {event: int(watts * unit)}}}}
    if counts:
        groups["core"] = {"0": {"0": counts}}
    return {"timestamp": START + 1000 * t, "sensor": "n", "target": "all", "groups": groups,
            "metadata": {"elapsed_ns": 10 ** 9}}


def target(t, name, counts):
    return {"timestamp": START + 1000 * t, "sensor": "n", "target": name, "groups": {"core": {"0": {"0": counts}}}}


def summed(reports):
    """Under each policy the rows of each tick sum to the meter."""
    sums, meter = {}, {}
    for d in reports:
        m = d["metadata"]
        key = d["timestamp"], m["idle_policy"]
        sums[key] = sums.get(key, 0) + d["power"] * ("within" not in m)
        meter[key] = m["meter_w"]
        assert d["power"] >= 0 and m.get("sigma_w", 0) >= 0, d
    for key in sums:
        assert abs(sums[key] - meter[key]) <= 1e-9 * meter[key], key
    return sums


def counts(cycles, kernel=None, per_cycle=1.5):
    more = {} if kernel is None else {"CYCLES:k": int(kernel * 1e9)}
    return {"CYCLES": int(cycles * 1e9), "INSTRUCTIONS": int(cycles * per_cycle * 1e9), **more}


def load(kernel=True):
    """10 W idle, 8 W a GHz: /a and /b, 1 GHz of others, of which 0.4 in the kernel; /b dies in tick 30."""
    docs = []
    for t in range(40):
        a, b = 1 + t % 7 / 4, (1 + t % 5 / 3) if t < 30 else 0.5 * (t == 30)
        mode = (lambda k: k if kernel else None)
        docs.append(machine(t, 10 + 8 * (a + b + 1), counts(a + b + 1, mode(0.1 * (a + b) + 0.4))))
        docs.append(target(t, "/a", counts(a, mode(0.1 * a))))
        if t <= 30:
            docs.append(target(t, "/b", counts(b, mode(0.1 * b))))
    return docs


def of(reports, name, policy="none"):
    return {(d["timestamp"] - START) // 1000: d for d in reports
            if d["target"] == name and d["metadata"]["idle_policy"] == policy}


def near(got, want, what):
    assert abs(got - want) <= 0.05 * want, "%s: %g instead of %g" % (what, got, want)


# Side by side; the kernel is a target where the machine and all targets count it.
both = run(load(), *(word for policy in POLICIES for word in ("--idle", policy)))
summed(both)
assert {d["metadata"]["idle_policy"] for d in both} == set(POLICIES)
for policy in POLICIES:
    alone = run(load(), "--idle", policy)
    assert alone == [d for d in both if d["metadata"]["idle_policy"] == policy], policy
near(of(both, "kernel")[25]["power"], 8 * 0.4, "kernel")
near(of(both, "unattributed")[25]["power"], 8 * 0.6, "unattributed")
near(of(both, "idle")[25]["power"], 10, "idle")
plain = run(load(kernel=False))
assert not of(plain, "kernel")
near(of(plain, "unattributed")[25]["power"], 8, "unattributed")
theirs = run([dict(d, target="kernel") if d["target"] == "/a" else d for d in load()])
summed(theirs)
assert all(len([d for d in theirs if d["timestamp"] == START + 1000 * t and d["target"] == "kernel"]) == 1
           for t in range(31, 40)), "two targets of one name"

# One that died since the last tick has its joules, and then no report.
dead = of(both, "/b")
near(dead[30]["power"], 8 * 0.5, "the last joules of /b")
assert max(dead) == 30
assert all("sigma_w" in d["metadata"] for d in both)

# What the meter would read was known before it was read, but for the first time.
told = [d["metadata"] for _, d in sorted(of(both, "/a").items())]
assert told[0]["predicted_w"] == 0, told[0]
near(told[25]["predicted_w"], told[25]["meter_w"], "predicted_w")

# By CPU time: the same, and the names say what was left to go by.
clock = "PERF_COUNT_SW_TASK_CLOCK"
for more, name in (({}, "fedwatts:cpu-clock"), ({"group": "meter_model", "event": "MACHINE_uj", "unit": 10 ** 6},
                                                "fedwatts:cpu-clock,model")):
    docs = []
    for t in range(5):
        docs += [machine(t, 20, {clock: 10 ** 9, clock + ":k": 4 * 10 ** 8}, **more),
                 target(t, "/a", {clock: 5 * 10 ** 8, clock + ":k": 10 ** 8})]
        if more:
            docs[-2]["metadata"]["meters"] = {"MACHINE_uj": {"source": 7, "sigma_j": 0, "meter": "model"}}
    reports = run(docs, "--idle-watts", "10W")
    summed(reports)
    assert {d["metadata"]["formula"] for d in reports} == {name}, {d["metadata"]["formula"] for d in reports}
    assert ("estimated" in reports[0]["metadata"]) == bool(more), reports[0]
    assert "predicted_w" not in reports[0]["metadata"], reports[0]
    near(of(reports, "/a")[3]["power"], 5, "/a by CPU time")
    near(of(reports, "kernel")[3]["power"], 3, "the kernel by CPU time")
    near(of(reports, "unattributed")[3]["power"], 2, "the rest by CPU time")

# Splitting a target in two changes nobody else's watts and no sum; the order of
# reports and the machine's size do not matter.
whole = load()
halves = [h for d in whole for h in ([d] if d["target"] != "/a" else [
    dict(d, target=name, groups={"core": {"0": {"0": {e: v // 2 + (v % 2) * (name == "/a2")
                                                      for e, v in d["groups"]["core"]["0"]["0"].items()}}}})
    for name in ("/a1", "/a2")])]
for policy in "none", "proportional", "marginal":
    one, two = of(both, "/b", policy), run(halves, "--idle", policy)
    for t, d in of(two, "/b", policy).items():
        assert abs(d["power"] - one[t]["power"]) <= 1e-6 * one[t]["power"], (policy, t)
    for t, d in of(both, "/a", policy).items():
        parts = of(two, "/a1", policy)[t]["power"] + of(two, "/a2", policy)[t]["power"]
        assert abs(parts - d["power"]) <= 1e-6 * d["power"], (policy, t)
assert run([d for t in range(40) for d in reversed([d for d in whole if d["timestamp"] == START + 1000 * t])]) == run(whole)
big = run([json.loads(json.dumps(d)) if d["target"] != "all" else dict(d, groups=dict(d["groups"], rapl={"0": {"0": {
    "RAPL_ENERGY_PKG": 64 * d["groups"]["rapl"]["0"]["0"]["RAPL_ENERGY_PKG"]}}})) for d in whole])
for a, b in zip(run(whole), big):
    assert a["target"] == b["target"] and abs(64 * a["power"] - b["power"]) <= 1e-6 * b["power"], (a, b)
