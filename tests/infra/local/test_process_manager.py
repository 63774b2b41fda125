"""supervisord's configuration, and changes to a running one."""

from __future__ import annotations

from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from supervisor.datatypes import dict_of_key_value_pairs

from infra.local import lifecycle, processes, supervisord_conf
from infra.local.parts import Part
from infra.local.process_manager import ProcessManager
from tests.infra.local import platform_of_stubs as stubs


def _part(**changes: object) -> Part:
    part = Part(name="odd", command=("/bin/echo", "a b", "100%"), check=lambda started: None)
    return replace(part, **changes)  # type: ignore[arg-type]  # tests name real fields


def _section(manager: ProcessManager, part: Part) -> dict[str, str]:
    """A part's settings as supervisord understands them."""
    parser = ConfigParser(interpolation=None)
    parser.read_string(supervisord_conf.text(manager.home, manager.home / "socket", [part]))
    return {name: value % {} for name, value in parser[f"program:{part.name}"].items()}


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ProcessManager]:
    yield stubs.manager(tmp_path)
    processes.end(tmp_path)


def test_command_lines_survive_blanks_and_percent_signs(manager: ProcessManager) -> None:
    assert _section(manager, _part())["command"] == "/bin/echo 'a b' 100%"


def test_a_whole_process_group_is_stopped_and_killed(manager: ProcessManager) -> None:
    section = _section(manager, _part(stop_within=7))
    assert [section[name] for name in ("stopasgroup", "killasgroup", "stopwaitsecs")] == ["true", "true", "7"]


def test_logs_are_rotated_and_hold_errors_too(manager: ProcessManager) -> None:
    section = _section(manager, _part())
    assert section["stdout_logfile"] == str(manager.log("odd"))
    assert (section["stdout_logfile_maxbytes"], section["redirect_stderr"]) == ("10MB", "true")


def test_environment_reaches_the_process_with_commas_blanks_and_percent_signs(manager: ProcessManager) -> None:
    odd = {"COMMAS": "a,b=c", "BLANKS": "a  b", "PERCENT": "50%", "URL": "s3://bucket/releases/1"}
    environment = dict_of_key_value_pairs(_section(manager, _part(environment=odd))["environment"])
    assert {name: environment[name] for name in odd} == odd
    assert environment[processes.PART_VARIABLE] == "odd"


@pytest.mark.parametrize("value", ["it's", 'a "b"', "a\nb"])
def test_a_value_that_supervisord_cannot_pass_on_is_refused(manager: ProcessManager, value: str) -> None:
    with pytest.raises(ValueError, match="supervisord can't"):
        _section(manager, _part(environment={"ODD": value}))


def test_a_part_whose_state_would_be_lost_is_not_started_again(manager: ProcessManager) -> None:
    assert _section(manager, _part(restart=False))["autorestart"] == "false"
    assert _section(manager, _part())["autorestart"] == "unexpected"


def test_a_state_folder_with_a_long_path_works(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    try:
        stubs.up(home, [stubs.part("a")])
        assert stubs.manager(home).running()
        stubs.manager(home).stop()
    finally:
        processes.end(home)


def test_only_changed_parts_are_restarted(manager: ProcessManager) -> None:
    def pids() -> dict[str, int]:
        return {state.part: state.pid for state in manager.states()}

    stays, changes, goes = (stubs.part(name) for name in ("stays", "changes", "goes"))
    stubs.up(manager.home, [stays, changes, goes])
    before = pids()
    assert manager.apply([stays, replace(changes, environment={"RELEASE": "2"})]) == {"changes"}
    lifecycle.wait_until_healthy(manager, [changes])
    after = pids()
    assert set(after) == {"stays", "changes"}
    assert after["stays"] == before["stays"]
    assert after["changes"] != before["changes"]
    manager.stop()


def test_higher_stages_are_stopped_before_what_they_use(tmp_path: Path) -> None:
    order = tmp_path / "order"

    def check(name: str, started: float) -> None:
        if not Path(f"{order}.{name}").exists():
            raise ConnectionRefusedError

    parts = [
        Part(name, (*stubs.STUB, "note", str(order), name), partial(check, name), stage=stage)
        for name, stage in (("store", 10), ("user", 30), ("middle", 20))
    ]
    try:
        stubs.up(tmp_path, parts)
        stubs.manager(tmp_path).stop()
    finally:
        processes.end(tmp_path)
    assert order.read_text().split() == ["user", "middle", "store"]
