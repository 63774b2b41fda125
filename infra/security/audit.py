"""Known vulnerabilities of the pinned packages, by pip-audit and the advisories of the Python Package Index.

A package about which nobody answered is not a clean one. pip-audit itself ends with 0 when the index has no
advisories at all, as a mirror of it may: it counts such packages as skipped and says "no known vulnerabilities".
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from infra.security import environments

SECONDS = 300  # for one environment


class Outcome(IntEnum):
    """What an audit says; the exit code of `python -m infra.security`."""

    CLEAN = 0
    REFUSED = 1
    UNKNOWN = 3


@dataclass(frozen=True)
class Audit:
    """What is known of an environment's packages.

    Attributes:
        checked: packages about which the service answered.
        unknown: packages about which it did not; or why it could not be asked at all.
        vulnerable: one line for each package and advisory.
    """

    checked: int
    unknown: tuple[str, ...]
    vulnerable: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        if self.vulnerable:
            return Outcome.REFUSED
        return Outcome.CLEAN if self.checked and not self.unknown else Outcome.UNKNOWN


def read(document: str) -> Audit:
    """pip-audit's JSON."""
    checked, unknown, vulnerable = 0, [], []
    for package in json.loads(document)["dependencies"]:
        if reason := package.get("skip_reason"):
            unknown.append(f"{package['name']}: {reason}")
            continue
        checked += 1
        vulnerable += [
            f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none'}"
            for one in package["vulns"]
        ]
    return Audit(checked, tuple(unknown), tuple(vulnerable))


def ask(name: str) -> Audit:
    """Asks for one environment. A service out of reach makes everything unknown."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(environments.pins(name))
        words: list[str | Path] = [
            "-r",
            wanted,
            "--no-deps",
            "--disable-pip",
            "--progress-spinner",
            "off",
            "--format",
            "json",
        ]
        try:
            done = subprocess.run(
                [environments.BIN / "pip-audit", *words], capture_output=True, text=True, timeout=SECONDS, check=False
            )
            return read(done.stdout)
        except subprocess.TimeoutExpired:
            return Audit(0, (f"no answer within {SECONDS} s",), ())
        except ValueError:  # it printed an error instead of JSON
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            return Audit(0, (f"pip-audit ended with {done.returncode}: {last[0][:300]}",), ())


def check() -> Outcome:
    """Prints what is known of each environment. The worst outcome counts."""
    worst = Outcome.CLEAN
    for name in environments.NAMES:
        found = ask(name)
        print(
            f"  packages  {name}: {found.checked} checked, {len(found.vulnerable)} advisories, "
            f"{len(found.unknown)} UNKNOWN",
            flush=True,
        )
        for line in found.vulnerable:
            print(f"    {line}", file=sys.stderr)
        for line in found.unknown[:3]:
            print(f"    not checked: {line}", file=sys.stderr)
        worst = max(worst, found.outcome, key=[Outcome.CLEAN, Outcome.UNKNOWN, Outcome.REFUSED].index)
    return worst
