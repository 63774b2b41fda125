"""What Airflow wants of a stream is what the stream's driver reads, though neither can import the other's code."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from itertools import product
from typing import Any

import pytest

from jobs.lake import tables as registry
from jobs.lake.state import stream_control
from sluice_airflow.lake_objects import LakeObjects
from sluice_airflow.stream import desired_state
from sluice_airflow.stream.desired_state import NO_RELEASE, RUNNING, STOPPED, DesiredState, DesiredStateObject

# As release 0.1 has written and read it.
BEFORE: list[dict[str, str]] = [
    {"wanted": "running", "code": "abc", "by": "scheduled__1"},
    {"wanted": "stopped", "code": "", "by": "manual__1"},
    {"wanted": "running", "code": "none, it starts anew", "by": "manual__2"},
]


class Written(LakeObjects):
    """The lake's objects, in memory."""

    def __init__(self, value: dict[str, Any] | None = None) -> None:
        self.__dict__["value"] = value

    def read_json(self, key: str) -> dict[str, Any] | None:
        value: dict[str, Any] | None = self.__dict__["value"]
        return value

    def write_json(self, key: str, value: dict[str, Any]) -> None:
        self.__dict__["value"] = json.loads(json.dumps(value))


def test_both_sides_know_the_same_desired_state() -> None:
    ours, theirs = ({field.name: field.default for field in fields(side)} for side in SIDES)
    assert ours == theirs
    assert (RUNNING, STOPPED) == (stream_control.RUNNING, stream_control.STOPPED)


SIDES = (DesiredState, stream_control.DesiredState)


@pytest.mark.parametrize("table", registry.every(), ids=lambda table: table.name)
def test_both_sides_look_in_the_same_objects(table: registry.Table) -> None:
    for key in ("desired_state_key", "report_key"):
        assert getattr(desired_state, key)(table.name) == getattr(stream_control, key)(table.name)


def test_both_sides_agree_on_which_stream_goes_on() -> None:
    for wanted, code, mine in product((RUNNING, STOPPED), ("", "one", "two", NO_RELEASE), ("one", "two")):
        ours = DesiredState(wanted, code, "somebody")
        theirs = stream_control.DesiredState(**asdict(ours))
        assert theirs.keeps(mine) == ours.keeps(mine) == (wanted == "running" and code in ("", mine))


@pytest.mark.parametrize("before", BEFORE, ids=lambda before: before["wanted"] + before["code"][:4])
def test_object_of_the_release_before_is_read_by_both_sides(before: dict[str, str]) -> None:
    ours = DesiredStateObject(Written(before), "key").read()
    assert asdict(ours) == asdict(stream_control.DesiredState(**before)) == before
    assert ours.keeps("abc") is (before["code"] == "abc")


def test_driver_of_the_release_before_reads_what_is_written_now() -> None:
    objects = Written()
    DesiredStateObject(objects, "key").write(DesiredState(STOPPED, by="manual__1"))
    assert objects.read_json("key") == {"wanted": "stopped", "code": "", "by": "manual__1"}


def test_stream_that_nobody_has_asked_for_anything_is_to_run() -> None:
    assert DesiredStateObject(Written(), "key").read().keeps("any release")


def test_stream_that_is_to_restart_drains_whatever_its_release() -> None:
    assert not DesiredState(code=NO_RELEASE).keeps("one")
    assert not DesiredState(code=NO_RELEASE).keeps("unreleased")
