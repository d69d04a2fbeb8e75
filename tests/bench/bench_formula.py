# SPDX-License-Identifier: BSD-3-Clause
"""Reports a second of `formula --model smartwatts` beside SmartWatts 2.4.1.

    bench_formula.py FORMULA [PYTHON]      PYTHON has the packages

1000 targets, two CPUs, four events; CSV in.  Ours: a million reports into null:,
one file of documents, PowerAPI master's one file of CSV and PowerAPI 2.10's file
for each target; fedwatts into one file of CSV, too.  SmartWatts': PowerAPI's own
CSV output, its steady rate from the difference of two run lengths, so that
starting Python and making a folder for each target do not count.  Making them is
most of our run into a file for each target: "again" is one into files that are
there.  Last, the memory that ours takes for a hundred
and for TICKS ticks of one target (1e5; 1e6 are asked for).
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

TARGETS, OURS, THEIRS = 1000, int(os.environ.get("OURS", 1000)), (20, 60)
TICKS = int(os.environ.get("TICKS", 100000))
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


def clock(command):
    """Seconds by the clock and on CPUs (what it waited for included), status."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    return (time.monotonic() - start, usage.ru_utime + usage.ru_stime), status


def flat(formula, folder, ticks):
    """Peak KiB for a hundred and for many ticks of one target, per model."""
    for model in (["smartwatts", "--disable-dram-formula", "--cpu-base-freq", "2100"], ["fedwatts"]):
        peaks = []
        for n in (100, ticks):
            reader, writer = os.pipe()
            child = subprocess.Popen([formula, "-q", "--model", *model, "--to", "null:"], stdin=reader,
                                     stderr=subprocess.DEVNULL)
            os.close(reader)
            with os.fdopen(writer, "w") as pipe:
                for t in range(n):
                    ms = 1783600000000 + 1000 * t
                    pipe.write('{"timestamp":%d,"sensor":"n","target":"all","groups":{"rapl":{"0":{"0":'
                               '{"RAPL_ENERGY_PKG":%d}}},"msr":{"0":{"0":{"APERF":21,"MPERF":21}}}},'
                               '"metadata":{"elapsed_ns":1000000000}}\n'
                               '{"timestamp":%d,"sensor":"n","target":"/a","groups":{"core":{"0":{"0":'
                               '{"CYCLES":%d,"INSTRUCTIONS":%d}}}}}\n' % (
                                   ms, (20 + t % 17) << 32, ms, 10 ** 9 * (1 + t % 17), 10 ** 9 * (1 + t % 13)))
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = status
            if status:
                sys.exit("formula ended with %d" % status)
            peaks.append(usage.ru_maxrss)
        print("memory, %-10s %8d KiB after 100 ticks, %d KiB after %d" % (model[0], peaks[0], peaks[1], ticks))


def fastest(formula, folder, how, to, again=False):
    """Seconds by the clock and on CPUs, the least of three runs."""
    runs = []
    for _ in range(3):
        if os.path.exists(folder + "/power.jsonl"):
            os.unlink(folder + "/power.jsonl")
        if not again:
            shutil.rmtree(folder + "/power", ignore_errors=True)
        seconds, status = clock([formula, "-q", *how, "--to", to])
        if status:
            sys.exit("formula ended with %d" % status)
        runs.append(seconds)
    return [min(column) for column in zip(*runs)]


def main():
    formula, python = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        files = generate(folder, OURS)
        reports = OURS * (TARGETS + 1)
        smartwatts = ["--model", "smartwatts", "--disable-dram-formula", "--cpu-base-freq", "2100", "--input", "csv",
                      "--files", files]
        flat_csv = "csv:%s/power?layout=master" % folder
        for name, how, to in (("null:", smartwatts, "null:"), ("one jsonl file", smartwatts, folder + "/power.jsonl"),
                              ("one CSV file", smartwatts, flat_csv),
                              ("a file a target", smartwatts, "csv:%s/power" % folder),
                              ("fedwatts, CSV", ["--from", "csv:" + folder], flat_csv)):
            best = fastest(formula, folder, how, to)
            rates[name] = [reports / taken for taken in best]
            if name == "a file a target":
                rates["the same, again"] = [reports / taken for taken in fastest(formula, folder, how, to, True)]
        for name, rate in rates.items():
            print("ours, %-16s %10.0f reports/s, %.0f a CPU second (best of 3, %d reports)" % (
                (name,) + tuple(rate) + (reports,)))
        flat(formula, folder, TICKS)
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
        theirs = [(THEIRS[1] - THEIRS[0]) * (TARGETS + 1) / (b - a) for a, b in zip(*taken)]
        print("SmartWatts            %10.0f reports/s, %.0f a CPU second (%d ticks in %.1f s, %d in %.1f s)" % (
            theirs[0], theirs[1], THEIRS[0], taken[0][0], THEIRS[1], taken[1][0]))
        for name, rate in rates.items():
            print("ratio, %-16s %8.0f by the clock, %.0f by CPU time" % (name, rate[0] / theirs[0], rate[1] / theirs[1]))


main()
