"""After a kill anywhere in a fold, queries still see each record exactly once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.catalog import ops_views
from jobs.lake.state import objects
from jobs.maintenance import history as fold_history
from tests.jobs.lakehouse import killed_at
from tests.jobs.maintenance.history.folding import fold, folded, left, once, register
from tests.jobs.maintenance.history.records import COUNTED, ask, day, record

KILLS: dict[str, tuple[Any, str]] = {
    "before the commit": (fold_history, "write_deltalake"),
    "after the commit": (fold_history, "_delete"),
    "between commit and view": (ops_views, "show"),
    "after the view": (fold_history, "_vacuum"),
}


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.parametrize(("place", "name"), KILLS.values(), ids=KILLS)
def test_kill_anywhere_loses_and_doubles_nothing(lake: str, tmp_path: Path, place: Any, name: str) -> None:
    versions = (1, 8, 9, 60)
    for ago in versions:
        record(ago, ago)
    register(lake)

    with killed_at(place, name):
        fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    register(lake)  # a pipeline ends meanwhile
    assert ask(tmp_path, COUNTED) == once(*versions)
    fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    fold()
    assert ask(tmp_path, COUNTED) == once(*versions)
    assert len(left()) == 1


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_kill_between_two_months_leaves_the_later_one_to_the_objects(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in (8, 40, 80):
        record(ago, ago)
    real, commits = fold_history.write_deltalake, list[int]()

    def write(*arguments: Any, **options: Any) -> None:
        if commits:
            raise InterruptedError("killed")
        commits.append(1)
        real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(fold_history, "write_deltalake", write)
        with pytest.raises(InterruptedError):
            fold()
    register(lake)

    assert folded() == [day(80)]
    assert ask(tmp_path, COUNTED) == once(8, 40, 80)
    fold()
    assert folded() == [day(80), day(40), day(8)]
    assert ask(tmp_path, COUNTED) == once(8, 40, 80)


@pytest.mark.usefixtures("no_query_runs")
@pytest.mark.slow
def test_kill_while_objects_are_deleted_loses_nothing(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ago in (8, 9, 10):
        record(ago, ago)
    fold()

    def some(keys: list[str]) -> None:
        objects.delete(keys[0])
        raise InterruptedError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(objects, "delete_all", some)
        with pytest.raises(InterruptedError):
            fold()

    assert len(left()) == 2
    assert ask(tmp_path, COUNTED) == once(8, 9, 10)
    fold()
    assert left() == []
    assert ask(tmp_path, COUNTED) == once(8, 9, 10)
