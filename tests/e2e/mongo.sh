# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# MongoDB with a real server: documents there and back, PowerAPI's own calls,
# what is refused, what waits, and who may not in.
. "$SRC/tests/e2e/lib.sh"
. "$SRC/tests/e2e/mongo_lib.bash"
export XDG_STATE_HOME=$PWD/state
mongo_venv
mongo_start
place() { echo "$PLACE?collection=$1${2:+&$2}"; }
quiet() { "$@" 2>>notes; }

"$PYTHON" - >in.jsonl <<'PY'
import json, random
random.seed(5)
for tick in range(150):
    for target in ["all", "/system.slice/a\\x2db.service", "process:7:sh", "z"]:
        events = {"RAPL_ENERGY_PKG": random.getrandbits(53), "a.b$c": tick, "time_enabled": 1000102345}
        report = {"timestamp": 1783600000000 + 100 * tick, "sensor": "node1", "target": target,
                  "groups": {"rapl": {"0": {"2": events}}, "core": {"0": {"0": {"X": 0}, "1": {"X": 2**53}}}},
                  "metadata": {"elapsed_ns": 1000123456 + tick, "ok": True, "list": [1, 2.5, "gr\u00fcn"]}}
        print(json.dumps(report, separators=(",", ":"), ensure_ascii=False))
PY

# --- there and back: the same bytes, in the same order.
quiet sensor replay --from in.jsonl --to "$(place archive)"
quiet sensor replay --from "$(place archive)" --to back.jsonl
cmp in.jsonl back.jsonl || die "documents changed on their way"
quiet sensor replay --from "$(place archive)" --since 1783600001000 --until 1783600001300 --target 'process:*' --to part.jsonl
[ "$(wc -l <part.jsonl)" -eq 3 ] || die "since, until, target: $(wc -l <part.jsonl) documents instead of 3"
# int64=1 keeps every count exactly, also above 2^53.
sed 's/"X":0/"X":9223372036854775807/' in.jsonl >big.jsonl
quiet sensor replay --from big.jsonl --to "$(place exact int64=1)"
quiet sensor replay --from "$(place exact)" --to exact.jsonl
cmp big.jsonl exact.jsonl || die "int64=1 lost digits"

# --- documents of ours: reals stay reals, and their order stays.
cat >ours.jsonl <<'DOCS'
{"schema":"fedwatts.fl-run/1","run":"b","seed":1}
{"schema":"fedwatts.fl-round/1","run":"b","round":0,"energy_j":12.0,"clients":[{"id":0,"skip":"empty"},{"id":1,"spent_j":0.1}]}
{"schema":"fedwatts.fl-summary/1","run":"b","big":4294967296,"none":[],"deep":{"a":{"b":1.5}}}
DOCS
quiet sensor replay --from ours.jsonl --to "$(place ours)"
quiet sensor replay --from "$(place ours)" --to ours.back
cmp ours.jsonl ours.back || die "documents of ours changed on their way"

# --- a sweep's records, and the table that is made of them.
quiet bench sweep --models softmax:20-3 --batches 8 --precisions fp32 --losses ce --window 10ms --repeats 2 \
	--data synthetic:100x20x3 --to "$(place sweep)"
quiet bench fit --from "$(place sweep)" --out table.json
has table.json 'fedwatts.energy-table/1'

# --- PowerAPI 2.10.0 itself, in both of its modes: find, find_one_and_delete.
quiet sensor replay --from in.jsonl --to "$(place handoff)"
"$PYTHON" - "$PLACE" <<'PY'
import datetime, json, sys
from powerapi.database.mongodb import MongoDB
from powerapi.report import HWPCReport
from pymongo import MongoClient
database = MongoClient(sys.argv[1]).get_default_database()
want = [json.loads(line) for line in open("in.jsonl")]
key = lambda report: (report["timestamp"], report["target"])

def read(collection, stream):
    source = MongoDB(HWPCReport, sys.argv[1], database.name, collection)
    for attempt in range(100):      # it waits for 5 ms only
        try:
            source.connect()
            break
        except Exception as problem:
            last = problem
    else:
        raise last
    got = []
    for report in source.iter(stream):
        assert isinstance(report.timestamp, datetime.datetime), report
        for group in report.groups.values():
            for package in group.values():
                for cpu in package.values():
                    assert all(type(v) is float for v in cpu.values()), cpu
        stamp = report.timestamp.replace(tzinfo=datetime.timezone.utc)
        got.append({"timestamp": round(stamp.timestamp() * 1000), "sensor": report.sensor, "target": report.target,
                    "groups": report.groups, "metadata": report.metadata})
    assert sorted(got, key=key) == sorted(want, key=key), collection
    print(f"PowerAPI, {'stream' if stream else 'batch'}: {len(got)} reports, bit for bit")

read("archive", False)
read("handoff", True)
assert database["handoff"].count_documents({}) == 0
indexes = [list(i["key"].items()) for i in database["archive"].list_indexes()]
assert [("sensor", 1), ("target", 1), ("timestamp", 1)] in indexes, indexes
PY

# --- consume=1 takes what is wanted, and nothing else.
quiet sensor replay --from "$(place exact consume=1)" --target z --to taken.jsonl
[ "$(wc -l <taken.jsonl)" -eq 150 ] || die "consume: $(wc -l <taken.jsonl) documents instead of 150"
quiet sensor replay --from "$(place exact)" --to left.jsonl
[ "$(wc -l <left.jsonl)" -eq 450 ] || die "consume left $(wc -l <left.jsonl) documents instead of 450"

# --- options of the collection.
quiet sensor replay --from in.jsonl --to "$(place expiring ttl=2d)"
"$PYTHON" - "$PLACE" <<'PY'
import sys
from pymongo import MongoClient
indexes = MongoClient(sys.argv[1]).get_default_database()["expiring"].list_indexes()
assert [i["expireAfterSeconds"] for i in indexes if "expireAfterSeconds" in i] == [172800]
PY

# --- a document that is too long is refused in a sentence, and leaves a gap.
"$PYTHON" -c 'print("{\"a\":\"" + "x" * 16777190 + "\"}")' >long.jsonl
fails 1 'MongoDB takes 16 MiB' sensor replay --from long.jsonl --to "$(place long)"
"$PYTHON" - "$PLACE" <<'PY'
import sys
from pymongo import MongoClient
database = MongoClient(sys.argv[1]).get_default_database()
assert database["long"].count_documents({}) == 0
gaps = list(database["long.gaps"].find({}))
assert len(gaps) == 1 and gaps[0]["schema"] == "fedwatts.gap/1" and gaps[0]["documents"] == 1, gaps
assert sorted(gaps[0]) == ["_id", "documents", "from_ms", "reason", "schema", "sensor", "to_ms"], gaps
PY

quiet sensor replay --from "$(place long.gaps)" --to gap.jsonl
python3 - "$SRC/docs/schema/gap.schema.json" <<'PY'
import json, sys, jsonschema
jsonschema.validate(json.load(open("gap.jsonl")), json.load(open(sys.argv[1])))
PY

# --- who may not in, and what makes no sense.
fails 1 'unknown parameter .colection' sensor replay --from ours.jsonl --to "$PLACE?collection=c&colection=d"
fails 1 "collection's name is missing" sensor replay --from ours.jsonl --to "$PLACE"
fails 1 'does not let us in.*check user and password' \
	sensor replay --from ours.jsonl --to "${PLACE/:\/\//://nobody:secret@}?collection=c"
! grep -q secret fails.err || die "a password was shown"
fails 1 'does not let us in' sensor replay --from "${PLACE/:\/\//://nobody:secret@}?collection=c" --to null:
mkdir file.d && touch file.d/file
fails 1 'spool|folder' sensor replay --from ours.jsonl --to "$(place c "spool=$PWD/file.d/file")"

[ -z "${MONGODB_URI:-}" ] || exit 0

# --- a server that is away: documents wait, and the next run brings them.
mongo_kill TERM
fails 1 'was never there; .* batches wait in .*spool for the next run' \
	sensor replay --from in.jsonl --to "$(place late)"
fails 1 'onnection refused' sensor replay --from "$(place late)" --to null:
mongo_start
quiet sensor replay --from ours.jsonl --to "$(place late)"
"$PYTHON" - "$PLACE" <<'PY'
import sys
from pymongo import MongoClient
count = MongoClient(sys.argv[1]).get_default_database()["late"].count_documents({})
assert count == 603, count
PY
[ -z "$(find state -name '*.spool')" ] || die "a spool was left behind"

# --- a server that asks for a password.
"$PYTHON" - "$PLACE" <<'PY'
import sys
from pymongo import MongoClient
MongoClient(sys.argv[1]).get_default_database().command("createUser", "sensor", pwd="right", roles=["readWrite"])
PY
mongo_kill TERM
mongo_start --auth
user() { echo "${PLACE/:\/\//://$1@}?collection=c&authMechanism=SCRAM-SHA-256"; }
fails 1 'does not let us in' sensor replay --from ours.jsonl --to "$(place c)"
fails 1 'does not let us in' sensor replay --from ours.jsonl --to "$(user sensor:wrong)"
quiet sensor replay --from ours.jsonl --to "$(user sensor:right)"
quiet sensor replay --from "$(user sensor:right)" --to allowed.jsonl
cmp ours.jsonl allowed.jsonl || die "with a password, documents changed"
