"""The figure by which CloudWatch knows that a gate is closed; no Spark."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dq import conservation, results, roll_up, run_ge_checks, shown
from jobs.lake import session, tables
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, metrics


@pytest.mark.parametrize("refused", [True, False])
def test_gate_tells_cloudwatch_whether_it_refuses(monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    sent: list[Any] = []
    rule = SimpleNamespace(name="amount column_values_to_be_between")
    judged = SimpleNamespace(critical=refused, success=not refused, rule=rule, error="cannot cast 'Ann'")
    scope = SimpleNamespace(since=None, words="all rows", verdict=None)
    for module, name, made in (
        (metrics, "send", lambda figures, **dimensions: sent.append((figures, dimensions))),
        (session, "spark", lambda _: None),
        (run_ge_checks, "_pipeline", lambda _: SimpleNamespace(gated=tables.layer("silver")[:1], continuous=())),
        (run_ge_checks, "version_to_judge", lambda *_: 3),
        (run_ge_checks, "scope", lambda *_: scope),
        (run_ge_checks, "_judge", lambda *_: [judged]),
        (conservation, "judge", lambda *_: []),
        (results, "write", lambda *_: "s3://lake/result.json"),
        (results, "summary", lambda *_: ["line"]),
        (shown, "masked", lambda _, judged: judged),
        (roll_up, "write_registry", lambda: None),
        (roll_up, "roll_up", lambda _: None),
        *((gate_verdicts, name, lambda *_: None) for name in ("take_back", "record_passed", "keep_last_passed")),
    ):
        monkeypatch.setattr(module, name, made)
    run = Run("r1", "gate", subject="lakehouse")
    if refused:
        with pytest.raises(GateError) as refusal:
            run_ge_checks.gate(run)
        # An alert may repeat it: it has names of rules, and nothing that an engine said of data.
        assert refusal.value.brief.endswith("amount column_values_to_be_between (could not be judged)")
        assert "Ann" not in refusal.value.brief
    else:
        run_ge_checks.gate(run)
    assert sent == [({"GateFailed": refused}, {"Pipeline": "lakehouse"})]
