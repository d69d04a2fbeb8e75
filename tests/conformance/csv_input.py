# SPDX-License-Identifier: BSD-3-Clause
"""PowerAPI's CSV input reads our files.

    python csv_input.py hwpc REPORTS.jsonl FOLDER
    python csv_input.py power REPORTS.jsonl FOLDER

hwpc: PowerAPI 2.10's reader walks files in the order rapl, msr, core and stops
when the first of them ends, so the last tick comes without what stands in the
others; it gives a target's groups as two reports where another target stands
between them in a file.  Everything else must come, equal in each value.

power: every row of every target must come; and PowerAPI's own writer must be
willing to go on in the same files.
"""
import os
import sys

from powerapi.database.csv import CsvDB
from powerapi.report import HWPCReport, PowerReport

import reports


def hwpc(wanted, folder):
    files = [name for name in ("rapl.csv", "msr.csv", "core.csv")
             if os.path.exists(os.path.join(folder, name))]
    found = {}
    count = 0
    for got in CsvDB(HWPCReport, [], folder, files).iter():
        groups = found.setdefault((reports.milliseconds(got.timestamp), got.target), {})
        for group, packages in got.groups.items():
            if group in groups:
                sys.exit(f"{got!r}: group {group} comes twice")
            groups[group] = packages
        count += 1
    last = wanted[-1]["timestamp"]
    for want in wanted:
        got = found.pop(reports.key(want), None)
        if want["timestamp"] == last:
            if want["target"] == "all" and (not got or got["rapl"] != want["groups"]["rapl"]):
                sys.exit("the last tick's rapl differs")
        elif got != want["groups"]:
            sys.exit(f"{reports.key(want)}: {got} instead of {want['groups']}")
    if found:
        sys.exit(f"nobody sent {next(iter(found))}")
    print(f"{count} reports, all equal")


def power(wanted, folder):
    count = 0
    for target in dict.fromkeys(want["target"] for want in wanted):
        place = os.path.join(folder, f"node1-{target}")
        got = list(CsvDB(PowerReport, [], place, ["PowerReport.csv"]).iter())
        want = [doc for doc in wanted if doc["target"] == target]
        if [(reports.milliseconds(one.timestamp), one.sensor, one.target, one.power)
                for one in got] != [(one["timestamp"], "node1", target, one["power"])
                                    for one in want]:
            sys.exit(f"{target}: differs")
        for one, doc in zip(got, want):
            metadata = {name: str(value) for name, value in doc["metadata"].items()
                        if name != "socket"}
            if one.metadata != metadata:
                sys.exit(f"{target}: metadata {one.metadata} instead of {metadata}")
        count += len(got)
        more = PowerReport(got[-1].timestamp, "node1", target, 1.5, want[-1]["metadata"])
        CsvDB(PowerReport, [], folder, []).save(more)
    print(f"{count} reports, all equal")


def main():
    wanted = reports.read(sys.argv[2])
    {"hwpc": hwpc, "power": power}[sys.argv[1]](wanted, sys.argv[3])


if __name__ == "__main__":
    main()
