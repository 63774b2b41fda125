"""A package that nobody could answer for is not clean, and a licence that nobody allowed is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.security import audit, environments, licences
from infra.security.audit import Outcome

FINE = {"name": "jinja2", "version": "3.1.6", "vulns": []}
SKIPPED = {"name": "delta-spark", "skip_reason": "Dependency not found on PyPI and could not be audited"}
BAD = {"name": "jinja2", "version": "2.11", "vulns": [{"id": "PYSEC-2021-66", "fix_versions": ["2.11.3"]}]}
POLICY = {"allowed": ["MIT", "BSD"], "exceptions": {"docutils": "why"}}


def said(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


@pytest.mark.parametrize(
    ("packages", "outcome"),
    [
        ([FINE], Outcome.CLEAN),
        ([SKIPPED], Outcome.UNKNOWN),
        ([FINE, SKIPPED], Outcome.UNKNOWN),
        ([], Outcome.UNKNOWN),
        ([BAD], Outcome.REFUSED),
        ([BAD, SKIPPED], Outcome.REFUSED),
    ],
)
def test_only_packages_that_were_all_checked_are_clean(packages: list[dict[str, Any]], outcome: Outcome) -> None:
    assert audit.read(said(*packages)).outcome is outcome


def test_vulnerability_is_named_with_what_mends_it() -> None:
    assert audit.read(said(BAD)).vulnerable == ("jinja2 2.11: PYSEC-2021-66, mended in 2.11.3",)


@pytest.mark.parametrize("how", ["error", "silence"])
def test_service_out_of_reach_is_unknown_and_says_so(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(
        "#!/bin/sh\necho 'ConnectionError: no route' >&2\nexit 1\n" if how == "error" else "#!/bin/sh\nexec sleep 30\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(environments, "BIN", tmp_path)
    monkeypatch.setattr(environments, "pins", lambda _: "jinja2==3.1.6\n")
    monkeypatch.setattr(audit, "SECONDS", 0.5)
    found = audit.ask("jobs")
    assert found.outcome is Outcome.UNKNOWN
    assert ("no route" if how == "error" else "no answer") in found.unknown[0]


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ((Outcome.CLEAN, Outcome.CLEAN, Outcome.CLEAN), Outcome.CLEAN),
        ((Outcome.CLEAN, Outcome.UNKNOWN, Outcome.CLEAN), Outcome.UNKNOWN),
        ((Outcome.UNKNOWN, Outcome.REFUSED, Outcome.CLEAN), Outcome.REFUSED),
    ],
)
def test_worst_environment_counts(
    outcomes: tuple[Outcome, ...], worst: Outcome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = {Outcome.CLEAN: said(FINE), Outcome.UNKNOWN: said(SKIPPED), Outcome.REFUSED: said(BAD)}
    answers = dict(zip(environments.NAMES, outcomes, strict=True))
    monkeypatch.setattr(audit, "ask", lambda name: audit.read(documents[answers[name]]))
    assert audit.check() is worst
    assert ("0 advisories, 1 UNKNOWN" in capsys.readouterr().out) is (Outcome.UNKNOWN in outcomes)


def test_exit_codes_tell_clean_refused_and_unknown_apart() -> None:
    assert (Outcome.CLEAN, Outcome.REFUSED, Outcome.UNKNOWN) == (0, 1, 3)


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True),
        ("BSD-3-Clause", True),
        ("BSD License; MIT License", True),
        ("GPL-3.0", False),
        ("MIT; GNU General Public License (GPL)", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_licence_counts_with_all_its_parts(licence: str, fine: bool) -> None:
    assert (licences.refused({"a": licence}, POLICY) == []) is fine


def test_exception_is_for_its_package_alone() -> None:
    assert licences.refused({"docutils": "GPL", "other": "GPL"}, POLICY) == ["other: GPL"]


def test_each_exception_of_the_committed_list_says_why() -> None:
    known = licences.policy()
    assert known["allowed"]
    assert all(len(reason) > 20 for reason in known["exceptions"].values())


@pytest.mark.slow
def test_installed_packages_have_allowed_licences() -> None:
    assert licences.check()


@pytest.mark.slow
def test_pins_are_those_of_the_environment() -> None:
    found = environments.pins("jobs")
    assert "pyspark==4.1.1\n" in found
    assert subprocess.run([environments.BIN / "pip-audit", "--version"], check=True).returncode == 0
