"""The licences of the pinned packages, as their own metadata says, against the list of those that are fine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from infra.security import environments

POLICY = Path(__file__).with_name("licences.yaml")
_PARTS = re.compile(r";|\bAND\b|\bOR\b")

Policy = dict[str, Any]


def policy() -> Policy:
    """The committed list."""
    found: Policy = yaml.safe_load(POLICY.read_text())
    return found


def refused(packages: dict[str, str], known: Policy) -> list[str]:
    """Packages, by name with their licence, that neither the list nor an exception allows.

    Of a licence with several parts each must be allowed, also where its metadata offers a choice.
    """
    return [
        f"{name}: {licence}"
        for name, licence in sorted(packages.items())
        if name not in known["exceptions"]
        and not all(any(fine in part for fine in known["allowed"]) for part in _PARTS.split(licence))
    ]


def installed(name: str) -> dict[str, str]:
    """Package -> licence of an environment."""
    words: list[str | Path] = ["--python", environments.python(name), "--format", "json", "--with-system"]
    done = subprocess.run(
        [environments.BIN / "pip-licenses", *words], capture_output=True, text=True, check=True, timeout=300
    )
    return {one["Name"]: one["License"] for one in json.loads(done.stdout)}


def check() -> bool:
    """Prints what is refused. True if nothing is."""
    known, fine = policy(), True
    used: set[str] = set()
    for name in environments.NAMES:
        packages = installed(name)
        found = refused(packages, known)
        used |= packages.keys()
        print(f"  licences  {name}: {len(packages)} packages, {len(found)} refused", flush=True)
        for line in found:
            print(f"    {line}", file=sys.stderr)
        fine = fine and bool(packages) and not found
    for gone in known["exceptions"].keys() - used:
        print(f"    {POLICY.name}: {gone} is installed nowhere, take it out", file=sys.stderr)
        fine = False
    return fine
