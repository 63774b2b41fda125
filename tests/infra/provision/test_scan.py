from __future__ import annotations

from typing import Any

import pytest

from infra.provision import scan
from infra.provision.errors import ProvisionError
from infra.provision.scan import Findings


def check(name: str, reason: str | None = None) -> dict[str, Any]:
    outcome = {"suppress_comment": reason}
    return {"check_id": name, "resource": "r", "file_path": "/f.tf", "check_name": "says", "check_result": outcome}


def report(failed: list[dict[str, Any]], skipped: list[dict[str, Any]]) -> dict[str, Any]:
    return {"results": {"passed_checks": [check("P")], "failed_checks": failed, "skipped_checks": skipped}}


def test_failed_check_and_skip_without_a_reason_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert scan.tell(Findings.of(report([], [check("S", "because")]))) == 0
    assert scan.tell(Findings.of(report([check("F")], []))) == 1
    assert "FAILED: F r (/f.tf): says" in capsys.readouterr().out
    for nothing in (None, "", "No comment provided"):
        assert scan.tell(Findings.of(report([], [check("S", nothing)]))) == 1


@pytest.mark.parametrize("empty", [{}, {"passed": 0, "failed": 0}, {"results": {"passed_checks": []}}])
def test_scan_that_looked_at_nothing_is_no_clean_scan(empty: dict[str, Any]) -> None:
    with pytest.raises(ProvisionError, match="looked at nothing"):
        Findings.of(empty)


def test_file_that_can_t_be_read_is_no_clean_scan() -> None:
    unread = report([], [])
    unread["results"]["parsing_errors"] = ["/x.tf"]
    with pytest.raises(ProvisionError, match=r"can't read /x\.tf"):
        Findings.of(unread)


@pytest.mark.slow
def test_terraform_has_no_weak_spot_and_no_unexplained_skip() -> None:
    found = scan.scan()
    assert (found.failed, found.unexplained) == ([], [])
    assert found.passed > 300
