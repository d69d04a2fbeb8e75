# SPDX-License-Identifier: BSD-3-Clause
"""Validates real output against a JSON Schema.

    python3 validate.py SCHEMA FILE…

A FILE is one JSON document, or one a line.  Where the schema names itself
(properties.schema.const), documents of other names are passed over, but one at
least must be there; a schema without a name is for every document.  Exit 0:
all are valid, 1: one is not (the first is shown), 77: jsonschema is not
installed.
"""
import json
import sys


def documents(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return [(path, json.loads(text))]
    except json.JSONDecodeError:
        lines = enumerate(text.splitlines(), 1)
        return [(f"{path}:{n}", json.loads(line)) for n, line in lines if line]


def main():
    try:
        import jsonschema
    except ImportError:
        print("python3-jsonschema is not installed")
        return 77
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    name = schema.get("properties", {}).get("schema", {}).get("const")
    validator = kind(schema)
    checked = 0
    for where, document in (d for f in sys.argv[2:] for d in documents(f)):
        if name and document.get("schema") != name:
            continue
        checked += 1
        for error in validator.iter_errors(document):
            print(f"{where}: {error.json_path}: {error.message}")
            return 1
    if not checked:
        print(f"no document of {name or 'any kind'} in {sys.argv[2:]}")
        return 1
    print(f"{checked} valid documents of {name or sys.argv[1]}")
    return 0


sys.exit(main())
