from __future__ import annotations

import pytest

from infra.local.sources.faults import Faults

KINDS = frozenset({"down", "slow"})


def planned(**document: object) -> Faults:
    faults = Faults(KINDS)
    faults.plan(document)
    return faults


def test_a_failure_skips_fails_and_is_used_up() -> None:
    faults = planned(kind="down", calls=2, after=1)
    assert [faults.take("/x") for _ in range(4)] == [None, "down", "down", None]


def test_calls_elsewhere_do_not_use_a_failure_up() -> None:
    faults = planned(kind="down", path="/query")
    assert faults.take("/limits") is None
    assert faults.take("/v59.0/query/") == "down"


def test_a_failure_of_another_kind_is_left_for_its_own_calls() -> None:
    faults = planned(kind="slow")
    assert faults.take("/x", {"down"}) is None
    assert faults.take("/x", named_only=True) is None
    assert faults.take("/x", {"slow"}) == "slow"


@pytest.mark.parametrize(
    "document",
    [{}, {"kind": "other"}, {"kind": "down", "calls": 0}, {"kind": "down", "after": -1}, {"kind": "down", "x": 1}],
)
def test_a_wrong_plan_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"kind|calls"):
        Faults(KINDS).plan(document)
