"""The wish as Airflow writes it is the wish as the stream's driver reads it: neither can import the other's."""

from __future__ import annotations

from dataclasses import asdict, fields
from itertools import product

from jobs.lake.state import stream_control
from sluice_airflow.stream.desired_state import NO_RELEASE, RUNNING, STOPPED, Wish


def test_both_sides_know_the_same_wish() -> None:
    assert {field.name: field.default for field in fields(Wish)} == {
        field.name: field.default for field in fields(stream_control.Wish)
    }
    assert (RUNNING, STOPPED) == (stream_control.RUNNING, stream_control.STOPPED)


def test_both_sides_agree_on_which_stream_goes_on() -> None:
    for wanted, code, mine in product((RUNNING, STOPPED), ("", "one", "two", NO_RELEASE), ("one", "two")):
        wish = Wish(wanted, code, "somebody")
        theirs = stream_control.Wish(**asdict(wish))
        assert theirs.keeps(mine) == wish.keeps(mine) == (wanted == "running" and code in ("", mine))


def test_stream_that_is_to_start_anew_drains_whatever_its_release() -> None:
    assert not Wish(code=NO_RELEASE).keeps("one")
    assert not Wish(code=NO_RELEASE).keeps("unreleased")
