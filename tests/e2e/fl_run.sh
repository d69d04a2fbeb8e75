#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A fleet within its budget, one without a plan, and what both write down.
. "$SRC/tests/e2e/lib.sh"

table=$SRC/tests/data/fl-table.json
small=(--table "$table" --data synthetic:3000x20x4 --model mlp:20-16-4 --batch 16 --devices 10
	--rounds 12 --local-steps 20 --budget 15J)

for policy in none uniform; do
	fl run "${small[@]}" --policy "$policy" --to "$policy.jsonl" 2>"$policy.log"
	[ -s "$policy.jsonl.manifest.json" ] || die "no manifest beside $policy.jsonl"
	[ "$(wc -l <"$policy.jsonl")" -eq 14 ] || die "$policy.jsonl has not 14 lines"
done

# What people read: every joule is said to be estimated, and how far off.
has uniform.log 'per step: estimated \(class 7, −50/\+100 %\)'
has uniform.log '^round 12/12  accuracy 0\.[0-9]{3}  loss [0-9.]+   fleet .* J this round, [0-9]+ % of the budget left   10 in, 0 out$'
has uniform.log 'estimated \(class 7.*the truth lies in'
has uniform.log 'next +fl report uniform.jsonl --out'
has none.log 'out \([0-9]+ ran dry'
has none.log 'out \([0-9]+ empty\)'
has none.log 'updates were lost'

# What programs read.
python3 - "$SRC/docs/schema" <<'PYTHON'
import json, sys

try:
    import jsonschema
except ImportError:
    jsonschema = None
    print("note: no python3-jsonschema, schemas are not checked")

def schema(document):
    name = document["schema"].split(".")[1].split("/")[0]
    return json.load(open(f"{sys.argv[1]}/{name}.schema.json"))

def read(policy):
    lines = [json.loads(line) for line in open(f"{policy}.jsonl")]
    if jsonschema:
        for document in lines:
            jsonschema.Draft7Validator(schema(document)).validate(document)
    assert [d["schema"].split(".")[1] for d in lines] == \
        ["fl-run/1"] + ["fl-round/1"] * 12 + ["fl-summary/1"]
    assert len({d["run"] for d in lines}) == 1
    return lines[0], lines[1:-1], lines[-1]

def near(a, b):
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))

def books(policy):
    header, rounds, summary = read(policy)
    left = {d["id"]: d["budget_j"] for d in header["devices"]}
    assert all(near(j, 15.0) for j in left.values())
    assert sum(d["samples"] for d in header["devices"]) == 2700
    total = 0.0
    for number, r in enumerate(rounds, 1):
        assert r["round"] == number and len(r["clients"]) == 10
        spent = sum(c.get("spent_j", 0.0) for c in r["clients"])
        assert near(spent, r["energy_j"])
        total += spent
        assert near(total, r["energy_total_j"])
        for c in r["clients"]:
            left[c["id"]] -= c.get("spent_j", 0.0)
            assert near(left[c["id"]], c["left_j"]) and c["left_j"] >= 0.0
    assert near(total, summary["energy_total_j"])
    low, high = summary["energy_total_meter95_j"]
    assert near(low, 0.5 * total) and near(high, 2.0 * total)
    return rounds, summary

rounds, summary = books("none")
assert summary["participation"]["ran_dry"] >= 8, summary
assert sum(c.get("skip") == "empty" for c in rounds[-1]["clients"]) >= 8
rounds, summary = books("uniform")
assert summary["participation"] == {
    "updates": 120, "devices_without_update": 0, "ran_dry": 0,
    "skipped": {"empty": 0, "saving": 0, "not asked": 0}}, summary
assert 0.0 <= summary["budget_left_share"] < 0.05
assert summary["accuracy"] > 0.8, summary["accuracy"]
PYTHON

# The same again: nothing is left to do, and nothing is touched.
before=$(cksum uniform.jsonl)
fl run "${small[@]}" --policy uniform --to uniform.jsonl 2>again.log
has again.log 'complete uniform.jsonl holds all of this run'
[ "$(cksum uniform.jsonl)" = "$before" ] || die "a complete run was changed"

# A configuration file, a list of devices, a result for programs.
cat >config.json <<'JSON'
{
	/* five cheap devices and a dear one */
	"rounds": 4, "policy": "uniform", "partition": "shards:2",
	"devices": [
		{ "count": 5, "scale_joules": 0.5 },
		{ "scale_joules": 4, "scale_seconds": 10, "budget": "2J" }
	]
}
JSON
fl run config.json "${small[@]:0:8}" --local-steps 20 --budget 20J --to list.jsonl --json >list.out 2>list.log
has list.out '"schema":"fedwatts.fl-summary/1"'
has list.log 'fleet +6 devices, shards:2'
has list.log 'budget +2 J to 20 J per device'
has list.jsonl '"scale_joules":4.0,"scale_seconds":10.0,"budget_j":2.0'
