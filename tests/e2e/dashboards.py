# SPDX-License-Identifier: BSD-3-Clause
"""Helpers of dashboards.sh.

    serve PORT FILE           takes posts, appends their bodies to FILE
    check REPORTS PAGE        our page against PowerAPI 2.10.0's own of the same
    check REPORTS - LINES     our lines against those
    strict PAGE               is it the text format 0.0.4?
"""
import http.server
import json
import re
import sys


class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[3], "ab") as file:
            file.write(body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def serve():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Taker).serve_forever()


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (NaN|[+-]Inf|[-+0-9.eE]+)(?: (-?\d+))?")


def strict():
    with open(sys.argv[2], encoding="utf-8", newline="") as file:
        page = file.read()
    assert page.endswith("\n")
    types, helps, seen, family = {}, set(), set(), None
    for line in page.split("\n")[:-1]:
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in helps, line
            helps.add(family)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind in ("gauge", "counter"), line
            assert kind != "counter" or name.endswith("_total"), line
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            labels = re.findall(LABEL, match[2] or "")
            names = [label.split("=")[0] for label in labels]
            assert len(names) == len(set(names)), line
            assert match[1] == family and family in types, line
            key = (match[1], tuple(sorted(labels)))
            assert key not in seen, line
            seen.add(key)
    assert seen
    print(f"{len(seen)} samples of {len(types)} families")


def reports():
    with open(sys.argv[2], encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def theirs_of(report):
    from powerapi.report import PowerReport

    return PowerReport.from_json(json.loads(json.dumps(report)))


def wanted(report):
    """What we make tags of unless told otherwise: texts."""
    return [key for key, value in report["metadata"].items() if isinstance(value, str)]


def check_page():
    """PowerAPI's own exporter, fed with the last report of each series."""
    from powerapi.database.prometheus.prometheus_db import PrometheusDB
    from powerapi.report import PowerReport
    from prometheus_client import generate_latest
    from prometheus_client.parser import text_string_to_metric_families as parse

    def samples(text):
        return {
            (s.name, tuple(sorted((k, v) for k, v in s.labels.items() if v))): s.value
            for family in parse(text) for s in family.samples
            if s.name.startswith("powerapi_")
        }

    every = reports()
    tags = sorted({tag for report in every for tag in wanted(report)})
    db = PrometheusDB(PowerReport, 0, "127.0.0.1", "powerapi_energy_consumption", "energy consumption", tags)
    for report in every:
        db.save(theirs_of(report))
    with open(sys.argv[3], encoding="utf-8") as file:
        ours = samples(file.read())
    theirs = samples(generate_latest().decode())
    assert ours and ours == theirs, f"\nours   {ours}\ntheirs {theirs}"
    print(f"page     {len(ours)} series are those of PowerAPI 2.10.0")


def unescape(text):
    return re.sub(r"\\([,= ])", r"\1", text)


def point(line):
    """A line as what it says: measurement, tags, fields, time in ms."""
    key, fields, time = re.fullmatch(r"((?:[^ \\]|\\.)+) ((?:[^ \\]|\\.)+) (\d+)", line).groups()
    head, *tags = re.split(r"(?<!\\),", key)
    pairs = [re.split(r"(?<!\\)=", tag) for tag in tags]
    values = [re.split(r"(?<!\\)=", field) for field in re.split(r"(?<!\\),", fields)]
    return (head, tuple(sorted((unescape(k), unescape(v)) for k, v in pairs)),
            tuple((k, float(v)) for k, v in values), int(time))


def check_lines():
    """influxdb-client's lines of what PowerAPI hands to it."""
    from influxdb_client import Point, WritePrecision
    from powerapi.report import PowerReport

    theirs = []
    for report in reports():
        data = PowerReport.to_influxdb(theirs_of(report), wanted(report))
        # PowerAPI's time is naive local time; that of the report is meant.
        data["time"] = report["timestamp"]
        theirs.append(point(Point.from_dict(data, WritePrecision.MS).to_line_protocol()))
    with open(sys.argv[4], encoding="utf-8") as file:
        ours = [point(line) for line in file.read().splitlines()]
    assert ours == theirs, f"\nours   {ours[:2]}\ntheirs {theirs[:2]}"
    print(f"lines    {len(ours)} points are those of PowerAPI 2.10.0")


def check():
    check_page() if len(sys.argv) == 4 else check_lines()


{"serve": serve, "check": check, "strict": strict}[sys.argv[1]]()
