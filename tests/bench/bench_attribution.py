# SPDX-License-Identifier: BSD-3-Clause
"""How near the watts per target come to the truth, beside SmartWatts.

    bench_attribution.py FORMULA [FIRST LAST]    seeds, 1001 to 1012

Machines that nobody looked at while the model was made (seeds from 1000 on, see
tests/e2e/formula_scenario.py): each seed with 1 and 2 packages and 6, 40 and 200
targets, 1 to 8 frequencies with a voltage curve, churn and gaps in some, the
meter's noise 0.2 % (even seeds) or 0.5 %.  Mean absolute error over the first
300 ticks; how many estimates lie within 2 sigma.
"""
import concurrent.futures
import os
import random
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import formula_scenario as machine  # noqa: E402

SIZES = 6, 40, 200


def cases(first, last):
    for seed in range(first, last + 1):
        for packages in (1, 2):
            for targets in SIZES:
                rng = random.Random(seed * 100 + packages * 10 + targets)
                frequencies = sorted(rng.sample(range(1000, 3300, 100), 1 + (seed + 3 * packages + targets) % 8))
                yield {"seed": seed, "packages": packages, "frequencies": frequencies, "targets": targets,
                       "churn": rng.choice([0, 0.05, 0.3]), "gaps": rng.choice([0, 0.03]),
                       "curve": machine.CURVES[(seed + packages) % 3] if len(frequencies) > 1 else "linear",
                       "noise": 0.005 if seed % 2 else 0.002}


def judge(job):
    formula, case = job
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as f:
        return machine.judge(formula, machine.Scenario(**case), f.name)


def show(name, verdicts):
    print("%-22s %4d   %5.2f %5.2f   %5.2f %5.2f   %5.2f %5.2f   %5.1f (%.0f to %.0f)   %d" % (
        (name, len(verdicts)) + tuple(
            f(v.ratios[i] for v in verdicts) for i in range(3) for f in (statistics.mean, max)) + (
            100 * statistics.mean(v.covered for v in verdicts), 100 * min(v.covered for v in verdicts),
            100 * max(v.covered for v in verdicts), sum(not v.good for v in verdicts))))


def main():
    formula = sys.argv[1]
    first, last = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (1001, 1012)
    todo = list(cases(first, last))
    with concurrent.futures.ProcessPoolExecutor() as pool:
        done = list(zip(todo, pool.map(judge, [(formula, c) for c in todo])))
    print("seeds %d to %d; error of fedwatts / that of (mean and worst machine; at most 0.35, 0.2, 0.5)" % (first, last))
    print("%-22s %4s   %-11s   %-11s   %-11s   %-18s   %s" % (
        "", "n", "SmartWatts", "missing = 0", "cycles", "within 2 sigma, %", "too far"))
    for packages in (1, 2):
        show("%d package%s" % (packages, "s"[:packages - 1]), [v for c, v in done if c["packages"] == packages])
    for targets in SIZES:
        show("%d targets" % targets, [v for c, v in done if c["targets"] == targets])
    for low, high in ((1, 1), (2, 4), (5, 8)):
        show("%d to %d frequencies" % (low, high),
             [v for c, v in done if low <= len(c["frequencies"]) <= high])
    for noise in (0.002, 0.005):
        show("noise %.1f %%" % (100 * noise), [v for c, v in done if c["noise"] == noise])
    verdicts = [v for _, v in done]
    show("all", verdicts)
    print("SmartWatts' first answer after %.0f s (median), fedwatts' with a target's first report" %
          statistics.median(v.first for v in verdicts))
    for case, v in done:
        if not v.good:
            print("too far: %s: %s" % (case, " ".join("%.3f" % r for r in v.ratios)))


if __name__ == "__main__":
    main()
