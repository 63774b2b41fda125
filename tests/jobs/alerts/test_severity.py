"""The map of alerts: every error of the lake has an answer, and the docs say the same."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from jobs.alerts.severity import BY_ERROR, BY_KIND, CHANNELS, SEVERITIES, answer, worst
from jobs.lake.errors import LakeError
from jobs.lake.state.metrics import METRICS

REPOSITORY = Path(__file__).resolve().parents[3]
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
ELSEWHERE = (
    "StreamDown", "StreamSilent", "StreamBehind", "KafkaSilent", "DeadLetters", "ReleaseNotHandedOver",
    "DeadlineMissed", "AlertStorm", "DailyReport", "ReleaseTried", "WeeklyTrend",
)  # fmt: skip


def kinds(error: type[LakeError]) -> set[str]:
    return {error.kind}.union(*(kinds(one) for one in error.__subclasses__()))


def rows(heading: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of the first table with so many columns below a heading of docs/operations.md."""
    section = re.split(r"\n## ", OPERATIONS.split(f"\n## {heading}\n")[1])[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in cells if len(row) == columns][1:]


def test_every_kind_of_error_has_an_answer() -> None:
    assert kinds(LakeError) == set(BY_KIND)


def test_every_error_that_is_named_exists() -> None:
    errors = import_module("jobs.lake.errors")
    assert all(hasattr(errors, name) for name in set(BY_ERROR) - set(ELSEWHERE))


def test_error_that_nobody_named_is_answered_by_its_kind_and_an_unknown_kind_as_the_systems() -> None:
    assert answer("data", "GateError").severity == "critical"
    assert answer("data", "SchemaContractError") == BY_KIND["data"]
    assert answer("new", "NewError") == BY_KIND["system"]


@pytest.mark.parametrize("known", [*BY_KIND.values(), *BY_ERROR.values()], ids=[*BY_KIND, *BY_ERROR])
def test_answer_names_a_section_that_exists(known) -> None:  # type: ignore[no-untyped-def]
    assert f"\n## {known.section}\n" in OPERATIONS
    assert known.severity in SEVERITIES


def test_sms_and_pager_are_for_what_can_t_wait_and_e_mail_for_all() -> None:
    for severity in SEVERITIES:
        assert "email" in CHANNELS[severity]
        assert {"sms", "pagerduty"} <= set(CHANNELS[severity]) or severity in ("medium", "low")
        assert not {"sms", "pagerduty"} & set(CHANNELS[severity]) or severity in ("critical", "high")


def test_docs_have_the_map() -> None:
    named = {
        severity: [f"`{name}`" for name in BY_ERROR if BY_ERROR[name].severity == severity] for severity in CHANNELS
    }
    for kind, known in BY_KIND.items():
        named[known.severity].append(f"any other {kind} error")
    wanted = [(severity, ", ".join(CHANNELS[severity]), ", ".join(named[severity])) for severity in SEVERITIES]
    assert [row for row in rows("Alerts", 3) if row[0] in SEVERITIES] == wanted


def test_docs_have_the_metrics() -> None:
    wanted = [
        (f"`{one.name}`", one.unit, f"`{one.dimension}`" if one.dimension else "", one.meaning, one.alarm)
        for one in METRICS
    ]
    assert rows("Alerts", 5) == wanted


def test_the_worst_wins() -> None:
    assert worst(["low", "high", "medium"]) == "high"
