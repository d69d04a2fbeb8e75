# SPDX-License-Identifier: BSD-3-Clause
"""How near --model fedwatts comes to machines whose watts are known.

    formula_truth.py FORMULA

A few of the machines of tests/bench/bench_attribution.py (make
bench-attribution), which nobody looked at while the model was made.  Ends with 1
if fedwatts is not as near as it is to be, beside SmartWatts (formula's own, which
is SmartWatts' to 1e-9) and a plain share of cycles, or if its sigma is not what
it says.
"""
import statistics
import sys

from formula_scenario import Cores, Scenario, judge, run

CASES = [
    ("6 targets, 1 frequency", dict(seed=2001, targets=6)),
    ("9, 2 packages, 3 frequencies", dict(seed=2002, packages=2, frequencies=(1200, 2100, 2800), targets=9,
                                          churn=0.05, noise=0.005)),
    ("40, 3 frequencies", dict(seed=2003, frequencies=(1500, 2100, 2600), targets=40, curve="flat", noise=0.005)),
    ("8, 8 frequencies, churn", dict(seed=2004, frequencies=(1200, 1500, 1700, 1900, 2100, 2400, 2700, 3000),
                                     targets=8, churn=0.05, curve="piecewise")),
    ("30, 6 frequencies, gaps", dict(seed=2005, packages=2, frequencies=(1100, 1400, 1900, 2300, 2700, 3200),
                                     targets=30, churn=0.3, gaps=0.03, curve="piecewise", noise=0.005)),
    ("200, churn, gaps", dict(seed=2006, frequencies=(1800, 2600), targets=200, churn=0.3, gaps=0.03, ticks=150)),
    # The closed loop: no term of the model is what these watts were made of.
    ("8, memory and compute, f^2", dict(seed=2009, kind=Cores, frequencies=(1200, 1700, 2100, 2600, 3000), targets=8)),
]


def main():
    formula, bad, verdicts = sys.argv[1], 0, []
    print("%-30s %8s %8s %8s %8s   ratios, within 2 sigma" % ("W per target", "fedwatts", "smart", "missing0", "cycles"))
    for name, case in CASES:
        v = judge(formula, case.pop("kind", Scenario)(**case), "in.jsonl")
        verdicts.append(v)
        print("%-30s %8.3f %8.3f %8.3f %8.3f   %.2f %.2f %.2f  %.3f%s" % (
            (name, v.mine, v.theirs, v.theirs0, v.cycles) + v.ratios + (v.covered, "" if v.good else "   too far",)))
        bad |= not v.good
    covered = statistics.mean(v.covered for v in verdicts)
    print("within 2 sigma: %.3f" % covered)
    bad |= not 0.88 <= covered <= 0.995

    # Where reports say the voltage, there is nothing to find out about it.
    case = dict(seed=2007, frequencies=(1200, 1500, 1700, 1900, 2100, 2400, 2700, 3000), targets=8, curve="piecewise",
                noise=0.005)
    blind, told = (judge(formula, Scenario(volts=volts, **case), "in.jsonl", False) for volts in (False, True))
    print("voltage not told: %.4f W, told: %.4f W" % (blind.mine, told.mine))
    bad |= not told.mine < blind.mine

    # The first estimate comes with a target's first report.
    scenario = Scenario(seed=2008, ticks=3)
    scenario.write("in.jsonl")
    bad |= len({k for k in run(formula, "fedwatts", "in.jsonl") if k[1].startswith("/t")}) != 18
    sys.exit(bad)


main()
