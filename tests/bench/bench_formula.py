# SPDX-License-Identifier: BSD-3-Clause
"""Reports a second of `formula --model smartwatts` beside SmartWatts 2.4.1.

    bench_formula.py FORMULA [PYTHON]      PYTHON has the packages

1000 targets, two CPUs, four events; CSV in.  Ours: a million reports into null:,
one file of documents and, where there is such a place, PowerAPI master's one
file of CSV.  SmartWatts': PowerAPI's own CSV output, its steady rate from the
difference of two run lengths, so that starting Python does not count.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

TARGETS, OURS, THEIRS = 1000, 1000, (20, 60)
COMMON = "timestamp,sensor,target,socket,cpu,"
TIMES = ",time_enabled,time_running\n"


def generate(folder, ticks):
    rng = random.Random(1)
    rows = [[rng.randrange(1000000, 9000000) for _ in range(2 * TARGETS)] for _ in range(16)]
    files = {n: open("%s/%s.csv" % (folder, n), "w") for n in ("rapl", "msr", "core")}
    files["rapl"].write(COMMON + "RAPL_ENERGY_PKG" + TIMES)
    files["msr"].write(COMMON + "APERF,MPERF,TSC" + TIMES)
    files["core"].write(COMMON + "CPU_CLK_THREAD_UNHALTED:REF_P,CPU_CLK_THREAD_UNHALTED:THREAD_P,"
                        "INSTRUCTIONS_RETIRED,LLC_MISSES" + TIMES)
    for t in range(ticks):
        ms = 1783600000000 + 1000 * t
        watts = 40 + 20 * rng.random()
        files["rapl"].write("%d,n,all,0,0,%d,1000000000,1000000000\n" % (ms, watts * 2 ** 32))
        for cpu in range(2):
            files["msr"].write("%d,n,all,0,%d,2100000000,2100000000,2100000000,1000000000,1000000000\n" % (ms, cpu))
        cycles = rows[t % 16]
        files["core"].write("".join(
            "%d,n,/system.slice/service-%04d.service,0,%d,%d,%d,%d,%d,1000000000,1000000000\n" % (
                ms, i // 2, i % 2, c // 21, c, 2 * c + t, c // 100) for i, c in enumerate(cycles)))
    for f in files.values():
        f.close()
    return ",".join("%s/%s.csv" % (folder, n) for n in ("rapl", "msr", "core"))


def clock(command, **more):
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    return time.monotonic() - start, done.returncode


def main():
    formula, python = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        files = generate(folder, OURS)
        reports = OURS * (TARGETS + 1)
        for name, to in (("null:", "null:"), ("one jsonl file", folder + "/power.jsonl"),
                         ("one CSV file", "csv:%s/power?layout=master" % folder)):
            best = None
            for _ in range(3):
                for old in (folder + "/power.jsonl",):
                    if os.path.exists(old):
                        os.unlink(old)
                shutil.rmtree(folder + "/power", ignore_errors=True)
                seconds, status = clock([formula, "-q", "--model", "smartwatts", "--disable-dram-formula",
                                         "--cpu-base-freq", "2100", "--input", "csv", "--files", files, "--to", to])
                if status == 0:
                    best = min(best or seconds, seconds)
            if best:
                rates[name] = reports / best
                print("ours, %-16s %10.0f reports/s (best of 3, %d reports)" % (name, rates[name], reports))
            else:
                print("ours, %-16s there is no such place in this build" % name)
        if not python:
            print("SmartWatts            not here: no comparison")
            return
        taken = []
        for ticks in THEIRS:
            part = "%s/in%d" % (folder, ticks)
            os.mkdir(part)
            os.mkdir(part + "/out")
            seconds, status = clock([python, "-m", "smartwatts", "--input", "csv", "--files", generate(part, ticks),
                                     "--output", "csv", "--directory", part + "/out", "--disable-dram-formula"])
            if status:
                sys.exit("SmartWatts ended with %d" % status)
            taken.append(seconds)
        theirs = (THEIRS[1] - THEIRS[0]) * (TARGETS + 1) / (taken[1] - taken[0])
        print("SmartWatts            %10.0f reports/s (%d ticks in %.1f s, %d in %.1f s)" % (
            theirs, THEIRS[0], taken[0], THEIRS[1], taken[1]))
        for name, rate in rates.items():
            print("ratio, %-16s %8.0f" % (name, rate / theirs))


main()
