#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# One page of power reports that needs nothing else; its numbers are those of
# the input, added up here once more.
. "$SRC/tests/e2e/lib.sh"

command -v gnuplot >/dev/null || skip "gnuplot is not installed"
cat >make.py <<'END'
import json, random
rng = random.Random(1)
# A target that lies within another, and one that has a name.
def rows(t, policy, source):
    a, b, idle = 4 + rng.random(), 2 + rng.random(), 8.0
    whole = a + b + idle + 1
    for target, watts, more in (("/system.slice/web", a, {"container": "web"}), ("process:7:job", b, {}),
                                ("/system.slice/web/part", a / 2, {"within": "/system.slice/web"}),
                                ("idle", idle, {}), ("unattributed", 1.0, {})):
        yield {"timestamp": 1783600000000 + 500 * t, "sensor": "n", "target": target, "power": watts,
               "metadata": dict(more, scope="cpu", socket="0", formula="fedwatts:cpu-clock", idle_policy=policy,
                                idle_w=8.0, idle_w_from="given", meter="model" if source > 4 else "rapl",
                                meter_w=whole, residual_w=0.0, sigma_w=0.01 * watts, source=source,
                                elapsed_ns=500000000)}
with open("power.jsonl", "w") as f:
    for t in range(1100):
        for policy in ("none", "uniform"):
            for row in rows(t, policy, 1):
                print(json.dumps(row), file=f)
with open("estimated.jsonl", "w") as f:
    for t in range(40):
        for row in rows(t, "none", 7):
            row["metadata"]["estimated"] = "estimated (class 7, −50/+100 %)"
            print(json.dumps(row), file=f)
with open("smartwatts.jsonl", "w") as f:
    for t in range(60):
        for socket in "01":
            meter, model = 10 + rng.random(), 10 + rng.random()
            for target, watts in (("rapl", meter), ("global", model), ("/system.slice/web", model / 2)):
                print(json.dumps({"timestamp": 1783600000000 + 1000 * t, "sensor": "n", "target": target, "power": watts,
                                  "metadata": {"scope": "cpu", "socket": socket, "formula": "x", "ratio": 1,
                                               "container": "web"}}), file=f)
            print(json.dumps({"timestamp": 1783600000000 + 1000 * t, "sensor": "n", "target": "0" * 40,
                              "metadata": {"scope": "cpu", "socket": socket, "layer_frequency": 2100,
                                           "pkg_frequency": 2100, "samples": 5, "id": 1, "error": abs(meter - model),
                                           "intercept": 0, "coef": "[1.0]"}}), file=f)
END
python3 make.py

formula report power.jsonl -o one.html 2>log
has log 'wrote    one.html'
cat >check.py <<'END'
import collections, html, json, math, re, sys
from html.parser import HTMLParser

page, *names = sys.argv[1:]
text = open(page).read()

# Well-formed, and nothing comes from anywhere.
class Check(HTMLParser):
    void = {"meta", "link", "br", "img", "hr", "input"}
    def __init__(self):
        super().__init__()
        self.stack, self.rows, self.row, self.ids = [], [], None, []
    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            assert key not in ("src", "srcset") or value.startswith("data:"), (key, value)
            if key in ("href", "xlink:href"):
                assert value.startswith("#"), value
        assert tag not in ("script", "link", "iframe", "object")
        if tag not in self.void:
            self.stack.append(tag)
        if tag == "tr":
            self.row = []
        if tag in ("td", "th"):
            self.row.append("")
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, tag
        if tag == "tr":
            self.rows.append(self.row)
    def handle_data(self, data):
        if self.stack and self.stack[-1] in ("td", "th"):
            self.row[-1] += data
check = Check()
check.feed(text)
assert not check.stack and len(check.ids) == len(set(check.ids)), check.stack
assert "url(http" not in text and "@import" not in text

# Joules per target, from the input.
def quantity(cell):
    units = {"nJ": 1e-9, "µJ": 1e-6, "mJ": 1e-3, "J": 1, "kJ": 1e3, "MJ": 1e6}
    number, unit = cell.split()
    return float(number) * units[unit]

columns = []                    # a dictionary of target → joules, sigma for each series
for name in names:
    series, before, meter = {}, None, set()
    for line in open(name):
        d = json.loads(line)
        m = d["metadata"]
        if "power" not in d:
            continue
        of = series.setdefault(m.get("idle_policy", "-"), collections.defaultdict(lambda: [0.0, 0.0]))
        elapsed = m["elapsed_ns"] * 1e-9 if "elapsed_ns" in m else 1.0 if d["timestamp"] > 1783600000000 else 0.0
        target = d["target"] if d["target"] in ("rapl", "global") else m.get("container", d["target"])
        target = "job [7]" if target == "process:7:job" else target
        of[target][0] += d["power"] * elapsed
        of[target][1] += (m.get("sigma_w", 0) * elapsed) ** 2
        if "meter_w" in m and (d["timestamp"], m["idle_policy"]) not in meter:
            meter.add((d["timestamp"], m["idle_policy"]))
            of["meter"][0] += m["meter_w"] * elapsed
    for of in series.values():
        if "rapl" in of:
            of["meter"] = of["rapl"]
        columns.append(of)
found = 0
for row in check.rows:
    if len(row) != 2 + 3 * len(columns):
        continue
    for i, of in enumerate(columns):
        joules, sigma = row[1 + 3 * i], row[2 + 3 * i]
        if row[0] not in of:
            assert joules in ("–",) or row[0] == "target", row
            continue
        assert abs(quantity(joules) - of[row[0]][0]) <= 0.006 * of[row[0]][0], (row, of[row[0]])
        if of[row[0]][1] and row[0] != "meter":
            want = math.sqrt(of[row[0]][1])
            assert abs(quantity(sigma) - want) <= 0.006 * want, (row, want)
        found += 1
want = sum(len(set(of) - {"rapl", "global"}) for of in columns)
assert found == want, (found, want)
END
python3 check.py one.html power.jsonl
[ "$(grep -o '<svg' one.html | wc -l)" -eq 3 ] || die "one.html has not 3 plots"
has one.html 'power.jsonl, none: sensor n, 1100 ticks in 9 min 10 s; meter rapl'
has one.html 'class 1 \(hardware accumulator\)'
has one.html 'power.jsonl, uniform: plots show means of 4 ticks each'
has one.html 'All residuals are rounding'
has one.html 'within another'
! grep -q 'estimated' one.html || die "RAPL is called estimated"

# Several side by side: another model with its errors, and an estimated one.
formula report estimated.jsonl smartwatts.jsonl --out two.html -q
python3 check.py two.html estimated.jsonl smartwatts.jsonl
[ "$(grep -o '<svg' two.html | wc -l)" -eq 5 ] || die "two.html has not 5 plots"
has two.html 'estimated.jsonl, estimated'
has two.html 'Power by target: estimated.jsonl \(estimated\)'
has two.html '>watts, estimated<'
has two.html 'Errors of the models'
has two.html 'Residuals: how they are distributed'
! grep -q 'plots show means' two.html || die "40 ticks were binned"

fails 64 'say which power reports' formula report -o x.html
fails 64 'say which power reports' formula report power.jsonl
fails 1 'one\.html.*exists.*--force replaces it' formula report power.jsonl -o one.html
fails 1 'nowhere\.jsonl: .*No such file' formula report nowhere.jsonl -o x.html
: >empty.jsonl
fails 1 'no power reports in empty\.jsonl \(formula --from REPORTS --to POWER' formula report empty.jsonl -o x.html
echo '{"timestamp":1,"sensor":"s","target":"a","power":"x"}' >broken.jsonl
fails 1 'broken\.jsonl:1: power report: power: expected a number' formula report broken.jsonl -o x.html
[ ! -e x.html ] || die "a failure left a page"
