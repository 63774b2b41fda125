"""What a person sees of leases, and how one is broken: by the entry point, as a person would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs import run as run_py
from jobs.lake.errors import ConfigurationError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import leases, objects

TABLE = "silver.orders"
KEY = f"_locks/{TABLE}.json"


def left_behind(silent_for: timedelta, held: bool = True) -> None:
    """The lease of a process that was started by hand and killed."""
    known = {"run_id": "manual__1", "dag_id": "by_hand", "step": TABLE, "job": "", "owner": "o", "fencing": 7}
    objects.write_json(KEY, {**known, "held": held, "heartbeat_at": datetime.now(UTC) - silent_for})


def does(*words: str) -> None:
    run_py.perform(run_py.parse([*words, "--run-id", "manual__2"]))


def body() -> dict[str, Any]:
    return dict(objects.read_json(KEY) or {})


def test_lease_of_a_silent_process_is_shown_broken_once_and_remembered(
    lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    left_behind(timedelta(minutes=5))

    does("lease.show")
    assert body()["held"], "to look changes nothing"
    shown = capsys.readouterr().out
    assert f"{TABLE}: {TABLE} of run by_hand manual__1 (no job run), last heartbeat" in shown
    assert "only a person can know whether it still writes; lease.break gives the table to the next writer" in shown

    does("lease.break", TABLE)
    said = capsys.readouterr().out
    assert said.startswith(shown), "it says what it will do before it does it"
    assert f"{TABLE}: broken by by_hand manual__2; the former owner commits nothing more" in said
    assert (body()["held"], body()["fencing"], body()["broken"]["run_id"]) == (False, 8, "manual__2")

    broken = body()
    does("lease.break", TABLE)
    assert body() == broken
    assert "there is nothing to break" in capsys.readouterr().out

    with leases.hold(Run("run-3", TABLE), TABLE) as held:
        assert held[TABLE].fencing == 9
    does("lease.show", TABLE)
    assert "by by_hand manual__2; it was manual__1's" in capsys.readouterr().out
    does("lease.show")
    assert capsys.readouterr().out == "no table is held\n"


def test_lease_whose_heartbeat_is_fresh_is_not_broken(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    left_behind(timedelta(seconds=5))
    before = body()

    with pytest.raises(TableBusyError, match="Its lease was not broken"):
        does("lease.break", TABLE)

    assert body() == before
    assert "lease.break refuses" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("lease.break",), ("lease.break", "silver.nothing"), ("lease.show", "nothing")])
def test_table_without_a_lease_is_refused_and_those_that_have_one_are_named(lake: str, words: tuple[str, ...]) -> None:
    left_behind(timedelta(0))
    objects.write_json(f"_locks/{TABLE}.waiting.json", {})

    with pytest.raises(ConfigurationError, match=r"has no lease; these tables have one: silver\.orders$"):
        does(*words)
