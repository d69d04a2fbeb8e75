# SPDX-License-Identifier: BSD-3-Clause
"""PowerAPI's socket input takes what comes and compares it with what was sent.

    python socket_input.py REPORTS.jsonl PORT-FILE

Its port is written to PORT-FILE once it listens.  Every report must come, in
order, equal in each value, without a warning.
"""
import logging
import os
import socket
import sys
import time

from powerapi.database.socket import SocketDB
from powerapi.report import HWPCReport

import reports

PATIENCE_S = 60


class Complaints(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_listens(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)


def take(database, count):
    end = time.monotonic() + PATIENCE_S
    taken = []
    while len(taken) < count and time.monotonic() < end:
        before = len(taken)
        taken.extend(database.iter(True))
        if len(taken) == before:
            time.sleep(0.01)
    return taken


def main():
    wanted = reports.read(sys.argv[1])
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    port = free_port()
    database = SocketDB(HWPCReport, "127.0.0.1", port)
    database.connect()
    wait_until_it_listens(port)
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as file:
        file.write(str(port))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    taken = take(database, len(wanted))
    time.sleep(0.2)
    taken.extend(database.iter(True))
    if complaints.said:
        sys.exit(f"PowerAPI warned: {complaints.said[0]}")
    if len(taken) != len(wanted):
        sys.exit(f"{len(taken)} reports of {len(wanted)}")
    for got, want in zip(taken, wanted):
        same = (reports.milliseconds(got.timestamp), got.sensor, got.target, got.groups,
                got.metadata) == (want["timestamp"], want["sensor"], want["target"],
                                  want["groups"], want.get("metadata", {}))
        if not same:
            sys.exit(f"differs: {got!r} from {want}")
    print(f"{len(taken)} reports, all equal")


if __name__ == "__main__":
    main()
