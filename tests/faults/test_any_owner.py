"""Whatever owners and people do to a lease, fencing numbers in a table never fall, and a new writer gets the table."""

from __future__ import annotations

import pytest

from tests.faults.any_owner import Life


@pytest.mark.parametrize("seed", range(6))
def test_commits_never_have_a_lower_number_and_the_table_can_always_be_written(
    lake: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = Life(seed, monkeypatch)

    life.play(30)
