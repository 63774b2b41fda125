from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local import status
from infra.local.addresses import Addresses
from infra.pools import pools

ADDRESSES = Addresses(Path("/state"), 18900)


def show(monkeypatch: pytest.MonkeyPatch, present: dict[str, dict[str, Any]]) -> int:
    class Airflow:
        def pools(self) -> dict[str, dict[str, Any]]:
            return present

    monkeypatch.setattr(status, "AirflowApi", lambda address: Airflow())
    return status.show_pools(ADDRESSES)


def in_airflow() -> dict[str, dict[str, Any]]:
    return {name: {"name": name, **pool, "open_slots": 1} for name, pool in pools().items()}


def test_right_pools_are_not_mentioned(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(monkeypatch, in_airflow()) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("change", [{"slots": 0}, {"include_deferred": False}, None])
def test_changed_or_missing_pool_is_named_with_what_to_do(
    change: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    present = in_airflow()
    pool = present.pop("silver.orders")
    if change:
        present["silver.orders"] = {**pool, **change}
    assert show(monkeypatch, present) == 1
    printed = capsys.readouterr().out
    assert "tasks may wait for ever: silver.orders\n" in printed
    assert "make run" in printed
