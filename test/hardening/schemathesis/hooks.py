"""Gives schemathesis what only the run knows: ids that exist, and that a cursor is no text to be made up."""

import hashlib
import json
import os

import schemathesis

KNOWN = json.loads(os.environ["HARDENING_KNOWN_IDS"])


def _chance(value) -> int:
    """0 to 99, the same for the same value."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] * 100 // 256


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    known = KNOWN.get(context.operation.label, [])
    if not known or not path_parameters or _chance(path_parameters) >= 70:
        return path_parameters
    return {**path_parameters, **known[_chance(path_parameters) % len(known)]}


@schemathesis.hook
def map_query(context, query):
    if not query or "cursor" not in query or _chance(query) < 10:
        return query
    return {name: value for name, value in query.items() if name != "cursor"}
