#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the sensor costs, beside the bare floor and beside hwpc-sensor.

    make bench-sensor [HWPC_SENSOR=path] [BENCH_ARGS="--targets 1,1000 …"]

Makes idle leaf cgroups and measures, for each number of them, the CPU time
(user and kernel, all threads) that each contestant used per report, in a
window that begins after it has started.  They take turns, round by round, and
the median is shown.  Then the cost of a context switch between two measured
cgroups, and ten seconds at 1 kHz.  Needs root.
"""
import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time

EVENTS = ["PERF_COUNT_SW_TASK_CLOCK", "PERF_COUNT_SW_PAGE_FAULTS", "PERF_COUNT_SW_CONTEXT_SWITCHES"]
HWPC_EVENTS = EVENTS


def base_folder():
    """Where the sensor looks: v1's perf_event, else cgroup v2."""
    found = None
    with open("/proc/self/mounts", encoding="ascii", errors="replace") as mounts:
        for line in mounts:
            _, place, kind, options = line.split()[:4]
            if kind == "cgroup" and "perf_event" in options.split(","):
                return place
            if kind == "cgroup2" and not found:
                found = place
    return found


class Cgroups:
    def __init__(self):
        self.top = f"{base_folder()}/fwbench"
        self.folders = []
        os.mkdir(self.top)

    def resize(self, count):
        while len(self.folders) > count:
            os.rmdir(self.folders.pop())
        while len(self.folders) < count:
            self.folders.append(f"{self.top}/c{len(self.folders)}")
            os.mkdir(self.folders[-1])

    def close(self):
        for _ in range(20):
            try:
                self.resize(0)
                os.rmdir(self.top)
                return
            except OSError:
                time.sleep(0.1)


def cpu_seconds(pid):
    """The process's CPU clock: all its threads, those that ended too."""
    return time.clock_gettime((~pid << 3) | 2)


def status(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as text:
        return int(re.search(rf"^{key}:\s*(\d+)", text.read(), re.M).group(1))


class Contestant:
    """A program that reads `count` cgroups every `period` seconds."""

    def __init__(self, build, cgroups, options):
        self.build, self.cgroups, self.options = build, cgroups, options
        self.started = []

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def command(self, name, period, to="null:", events=None):
        if name.startswith("floor"):
            return [f"{self.build}/bin/floor_sensor", name.split("-")[1], str(round(period * 1e6)),
                    str(len(EVENTS)), *self.cgroups.folders]
        if name == "hwpc":
            events = [word for event in HWPC_EVENTS for word in ("-e", event)]
            return [self.options.hwpc, "-n", "bench", "-f", str(round(period * 1000)), "-p", self.cgroups.top,
                    "-r", "null", "-c", "core", *events]
        events = [word for event in (events or EVENTS)[1:] for word in ("-e", event)]
        return [f"{self.build}/bin/sensor", "--engine", name.split("+")[0], "--cgroup", "/fwbench/*", "--meter",
                "null", "--interval", f"{period}s", "--to", to, *events]

    def start(self, name, period, to="null:", events=None, **more):
        environment = dict(os.environ)
        if name == "hwpc":
            environment["LD_PRELOAD"] = f"{self.build}/hwpc_preload.so"
        more.setdefault("stderr", subprocess.DEVNULL)
        self.started.append(subprocess.Popen(self.command(name, period, to, events), env=environment,
                                             stdout=subprocess.DEVNULL, **more))
        return self.started[-1]

    def measure(self, name, period, count):
        """µs of CPU per report, and MiB at most."""
        to = "csv:/dev/shm/fwbench" if name.endswith("+csv") else "null:"
        process = self.start(name, period, to)
        time.sleep(self.options.warm + count * 0.0015)
        if process.poll() is not None:
            sys.exit(f"bench_sensor: {name} ended early: {' '.join(self.command(name, period)[:8])} …")
        begin, used = time.monotonic(), cpu_seconds(process.pid)
        time.sleep(self.options.window)
        used = cpu_seconds(process.pid) - used
        ticks = (time.monotonic() - begin) / period
        peak = status(process.pid, "VmHWM") / 1024
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        subprocess.run(["rm", "-rf", "/dev/shm/fwbench"], check=False)
        return 1e6 * used / ticks / count, peak


def table(contestant, cgroups, options):
    names = ["floor-perf", "perf", "floor-tally", "tally", "tally+csv"]
    names += ["hwpc"] if options.hwpc else []
    print(f"CPU µs per report (median of {options.rounds}; a report every {options.period:g} s and cgroup, "
          f"{len(EVENTS)} events × {os.cpu_count()} CPUs, idle cgroups)")
    print(f"{'cgroups':>8}" + "".join(f"{name:>13}" for name in names) +
          f"{'perf/floor':>12}{'tally/floor':>12}{'hwpc/perf':>11}{'hwpc/tally':>11}")
    for count in options.targets:
        cgroups.resize(count)
        figures = {name: [] for name in names}
        for _ in range(options.rounds):
            for name in names:
                figures[name].append(contestant.measure(name, options.period, count))
        cost = {name: statistics.median(figure[0] for figure in figures[name]) for name in names}
        hwpc = cost.get("hwpc", float("nan"))
        print(f"{count:8d}" + "".join(f"{cost[name]:13.3f}" for name in names) +
              f"{cost['perf'] / cost['floor-perf']:12.2f}{cost['tally'] / cost['floor-tally']:12.2f}"
              f"{hwpc / cost['perf']:11.1f}{hwpc / cost['tally']:11.0f}", flush=True)
    print(f"{'peak MiB':>8}" + "".join(f"{max(f[1] for f in figures[name]):13.1f}" for name in names))


def switches(contestant, cgroups, options):
    cgroups.resize(10)
    command = [f"{contestant.build}/bin/switch_cost", str(os.cpu_count() - 1), str(options.trips),
               *cgroups.folders[:2]]
    print("\nns per round trip between two cgroups on one CPU (2 switches)")
    for events in EVENTS[:1], EVENTS:
        trips = {"none": [], "perf": [], "tally": []}
        for _ in range(options.rounds * 3):
            for name, times in trips.items():
                process = None if name == "none" else contestant.start(name, 10, events=events)
                time.sleep(0 if name == "none" else 0.4)
                times.append(float(subprocess.check_output(command)))
                if process:
                    process.terminate()
                    process.wait()
        median = {name: statistics.median(times) for name, times in trips.items()}
        perf, tally = median["perf"] - median["none"], median["tally"] - median["none"]
        print(f"{len(events)} events: alone {median['none']:.0f}, perf {median['perf']:.0f}, tally "
              f"{median['tally']:.0f}; added per switch: perf {perf / 2:.0f}, tally {tally / 2:.0f}, "
              f"{tally / perf:.2f} of perf's", flush=True)


def urgent():
    """Before everybody else, as a service with CPUSchedulingPolicy=fifo: others on the machine matter little."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def kilohertz(contestant, cgroups, options):
    cgroups.resize(1000)
    bare = subprocess.Popen([f"{contestant.build}/bin/floor_sensor", "timer", "1000"], stdout=subprocess.PIPE, text=True,
                            preexec_fn=urgent)
    process = contestant.start("tally", 0.001, stderr=subprocess.PIPE, preexec_fn=urgent)
    time.sleep(2)
    used = cpu_seconds(process.pid)
    time.sleep(options.long)
    used = cpu_seconds(process.pid) - used
    now, peak = (status(process.pid, key) / 1024 for key in ("VmRSS", "VmHWM"))
    process.terminate()
    bare.terminate()
    said = process.communicate()[1].decode().strip().splitlines()[-1]
    print(f"\n1000 cgroups at 1 kHz, tally: {said}; {1e3 * used / options.long:.1f} ms/s of CPU, "
          f"{now:.1f} MiB ({peak:.1f} while it started)")
    print(f"a bare timer beside it: {bare.communicate()[0].strip()} (µs)")


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="the build folder")
    parser.add_argument("--hwpc", default=os.environ.get("HWPC_SENSOR", ""), help="a hwpc-sensor ($HWPC_SENSOR)")
    parser.add_argument("--targets", type=numbers, default=[1, 10, 100, 1000], help="numbers of cgroups")
    parser.add_argument("--period", type=float, default=0.2, help="seconds between reports")
    parser.add_argument("--window", type=float, default=2.0, help="seconds to measure")
    parser.add_argument("--warm", type=float, default=0.7, help="seconds to start, and 1.5 ms per cgroup")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--trips", type=int, default=20000, help="round trips")
    parser.add_argument("--long", type=float, default=10.0, help="seconds at 1 kHz")
    parser.add_argument("--only", default="table,switches,kilohertz", help="parts")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench_sensor: needs root (to make cgroups and to count them)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cgroups = Cgroups()
    contestant = Contestant(options.build, cgroups, options)
    try:
        for part in options.only.split(","):
            {"table": table, "switches": switches, "kilohertz": kilohertz}[part](contestant, cgroups, options)
    finally:
        contestant.close()
        cgroups.close()


if __name__ == "__main__":
    main()
