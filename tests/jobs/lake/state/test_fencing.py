"""A table whose commits carry a fencing number takes no commit with a lower one, and no owner starts below it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import LeaseLostError
from jobs.lake.run import Run
from jobs.lake.state import fencing, lease_owner, leases, objects
from jobs.lake.state.fencing import LOOK_BACK, Fence
from tests.jobs.lake.delta.test_log import requests
from tests.jobs.lakehouse import put, silver_order

TABLE = "silver.orders"
RESTORE, NONE, DROP = "restore", None, "drop"
Step = int | str | None


def commit(*steps: Step) -> None:
    """Commits with these fencing numbers or without one, restores the table's first version, or drops the table."""
    for step in steps:
        if step == RESTORE:
            table = log.open_table(settings.lake().uri(TABLE))
            assert table
            table.restore(0)
        elif step == DROP:
            objects.delete_prefix("silver/orders/")
        else:
            put(TABLE, [silver_order()], step=TABLE, run_id="run-9", **({} if step is None else {"fencing": step}))


HISTORIES: list[tuple[tuple[Step, ...], int]] = [
    ((), 0),
    ((NONE,), 0),
    ((1,), 1),
    ((6, 7), 7),
    ((7, NONE, NONE), 7),
    ((6, 7, RESTORE), 7),
    ((6, 7, RESTORE, 8, NONE, RESTORE), 8),
    ((7, *[NONE] * (LOOK_BACK - 1)), 7),
    ((7, *[NONE] * LOOK_BACK), 0),
    ((7, DROP), 0),
    ((7, DROP, NONE), 0),
    ((7, DROP, 2), 2),
]


@pytest.mark.parametrize(("history", "last"), HISTORIES)
def test_newest_number_is_found_in_a_bounded_number_of_commits(lake: str, history: tuple[Step, ...], last: int) -> None:
    commit(*history)

    with requests() as asked:
        assert Fence(TABLE).last() == last
    assert len(asked) <= 2 + LOOK_BACK


@pytest.mark.parametrize("history", [(), (6, 7), (7, NONE, NONE), (7, DROP)])
@pytest.mark.parametrize("news", [(), (NONE, 9), (NONE, 9, NONE, RESTORE), (DROP,), (DROP, 2), (DROP, 2, 3)])
def test_fence_that_has_looked_before_finds_what_a_new_one_finds(
    lake: str, history: tuple[Step, ...], news: tuple[Step, ...]
) -> None:
    commit(1, *history)  # RESTORE needs an earlier version
    known = Fence(TABLE)
    known.last()

    commit(*news)

    assert known.last() == Fence(TABLE).last()


def test_check_before_a_commit_costs_one_request_and_one_for_each_commit_since(lake: str) -> None:
    commit(5, 6)
    fence = Fence(TABLE)
    costs = []
    for steps in ((), (), (7,), (8, NONE), ()):
        commit(*steps)
        with requests() as asked:
            fence.check(9, "run-1")
        costs.append(len(asked))

    assert costs == [3, 1, 2, 3, 1]


def test_log_that_was_cleaned_up_to_its_checkpoint_has_no_number(lake: str) -> None:
    commit(7, 7)
    table = log.open_table(settings.lake().uri(TABLE))
    assert table
    table.create_checkpoint()
    for number in (0, 1):
        objects.delete(f"silver/orders/_delta_log/{number:020d}.json")

    assert Fence(TABLE).last() == 0


@pytest.mark.parametrize(("own", "refused"), [(6, True), (7, False), (8, False)])
def test_commit_with_a_number_below_the_tables_last_is_refused(lake: str, own: int, refused: bool) -> None:
    commit(7, NONE)

    if not refused:
        Fence(TABLE).check(own, "run-1")
        return
    with pytest.raises(
        LeaseLostError, match=r"of run run-1 was taken over .* number 6, and version 0 of run run-9 has 7"
    ):
        Fence(TABLE).check(own, "run-1")


# What a person did to the lease of number 3; the table's last commit has 7.
DEEDS = {
    "deleted": lambda: objects.delete(lease_owner.key(TABLE)),
    "put back": lambda: objects.write_json(lease_owner.key(TABLE), given_back(3)),
    "untouched": lambda: objects.write_json(lease_owner.key(TABLE), given_back(7)),
    "ahead": lambda: objects.write_json(lease_owner.key(TABLE), given_back(11)),
}


def given_back(number: int) -> dict[str, object]:
    known = {"run_id": "run-1", "step": TABLE, "job": "", "owner": "o", "held": False, "fencing": number}
    return {**known, "heartbeat_at": datetime.now(UTC)}


@pytest.mark.parametrize("deed", DEEDS)
def test_new_owner_is_above_the_tables_last_commit_whatever_became_of_the_lease(lake: str, deed: str) -> None:
    commit(6, 7, NONE)
    DEEDS[deed]()

    with leases.hold(Run("run-2", TABLE), TABLE) as held:
        assert held[TABLE].fencing == (12 if deed == "ahead" else 8)
        held[TABLE].renew()
    assert (objects.read_json(lease_owner.key(TABLE)) or {})["fencing"] == held[TABLE].fencing


def test_owner_whose_lease_a_person_deleted_has_lost_it(lake: str) -> None:
    def write() -> None:
        with leases.hold(Run("run-1", TABLE), TABLE) as held:
            objects.delete(lease_owner.key(TABLE))
            held[TABLE].renew()
            pytest.fail("it would commit")

    with pytest.raises(LeaseLostError):
        write()


def test_owner_whose_lease_was_put_back_after_another_had_committed_is_refused_by_the_table(lake: str) -> None:
    def write() -> None:
        with leases.hold(Run("run-1", TABLE), TABLE) as held:
            former = objects.read(lease_owner.key(TABLE))
            commit(held[TABLE].fencing + 1)  # by the next owner, who took the lease meanwhile
            objects.write(lease_owner.key(TABLE), former)
            held[TABLE].write()
            held[TABLE].renew()
            pytest.fail("it would commit")

    with pytest.raises(LeaseLostError, match="has fencing number 1, and version 0 of run run-9 has 2"):
        write()


def test_lease_is_given_back_when_the_table_can_not_be_read(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("S3 is away")

    monkeypatch.setattr(fencing.log, "entries", away)
    with pytest.raises(ConnectionError), leases.hold(Run("run-1", TABLE), TABLE):
        pytest.fail("its number is not known")

    assert (objects.read_json(lease_owner.key(TABLE)) or {})["held"] is False
