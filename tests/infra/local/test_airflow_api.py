"""Backfills through Airflow's REST API."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.airflow_api import AirflowApi
from infra.local.errors import PlatformError

FIRST, LAST = date(2026, 10, 28), date(2026, 10, 29)


class Session:
    """Answers each POST with the next of these codes, and keeps what was asked."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.asked: list[str] = []

    def post(self, url: str, *, json: dict[str, Any], timeout: float) -> Any:
        days = f"{json['from_date'][:10]} to {json['to_date'][:10]}"
        self.asked.append(f"backfill {json['dag_id']} {days}, again: {json['reprocess_behavior']}")
        return _answer(self.codes.pop(0), {})

    def get(self, url: str, *, params: dict[str, Any], timeout: float) -> Any:
        return _answer(200, {"backfills": [{"id": 7, "completed_at": None}, {"id": 6, "completed_at": "2026-10-30"}]})

    def put(self, url: str, *, timeout: float) -> Any:
        self.asked.append("/".join(url.split("/")[-3:]))
        return _answer(200, {})


def _answer(code: int, document: dict[str, Any]) -> Any:
    return SimpleNamespace(
        ok=code < 400, status_code=code, url="http://airflow", text="database is locked", json=lambda: document
    )


def _asked(*codes: int) -> list[str]:
    api, session = AirflowApi("http://airflow"), Session(*codes)
    api._session = session  # type: ignore[assignment]  # as far as a backfill needs one
    api.backfill("dag", FIRST, LAST)
    return session.asked


def test_a_backfill_leaves_runs_that_are_there() -> None:
    assert _asked(200) == ["backfill dag 2026-10-28 to 2026-10-29, again: none"]


def test_a_try_that_failed_half_way_is_cancelled_and_its_runs_are_taken_up_again() -> None:
    assert _asked(500, 200) == [
        "backfill dag 2026-10-28 to 2026-10-29, again: none",
        "backfills/7/cancel",
        "backfill dag 2026-10-28 to 2026-10-29, again: failed",
    ]


@pytest.mark.parametrize("codes", [(409,), (500,) * 5])
def test_a_refusal_is_told_with_airflow_s_reason(codes: tuple[int, ...]) -> None:
    with pytest.raises(PlatformError, match=f"Airflow answered {codes[-1]} .*database is locked"):
        _asked(*codes)
