"""The OpenLineage specification's own JSON schemas (Apache License 2.0), to check events by: `spec/`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

SPEC = Path(__file__).with_name("spec")
CORE = json.loads((SPEC / "OpenLineage.json").read_text())
FACETS = {file.stem: json.loads(file.read_text()) for file in (SPEC / "facets").glob("*.json")}
_REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in (CORE, *FACETS.values())
)


def faults(event: Mapping[str, Any]) -> list[str]:
    """What in a run event is against the specification: of the event, and of each facet by its own schema."""
    found = [f"event: {text}" for text in _faults(f"{CORE['$id']}#/$defs/RunEvent", event)]
    for place, facet in facets(event):
        name = facet["_schemaURL"].rpartition("/")[2]
        if name not in {each for schema in FACETS.values() for each in schema["$defs"]}:
            found.append(f"{place}: no schema for {name}")
            continue
        schema = next(schema for schema in FACETS.values() if name in schema["$defs"])
        found += [f"{place}: {text}" for text in _faults(f"{schema['$id']}#/$defs/{name}", facet)]
    return found


def facets(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every facet of an event, with its place."""
    holders = [("run", event["run"].get("facets")), ("job", event["job"].get("facets"))]
    for side in ("inputs", "outputs"):
        for dataset in event.get(side) or []:
            place = f"{side}/{dataset['name']}"
            holders += [(place, dataset.get("facets")), (place, dataset.get(f"{side[:-1]}Facets"))]
    for place, held in holders:
        for name, facet in (held or {}).items():
            yield f"{place}/{name}", facet


def _faults(reference: str, value: Mapping[str, Any]) -> list[str]:
    validator = Draft202012Validator({"$ref": reference}, registry=_REGISTRY, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
