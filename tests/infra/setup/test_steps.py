"""Set-up steps run once, and again when an input changes. A failed one says why."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from infra.setup import steps
from infra.setup.steps import REPOSITORY, SetupError

BEFORE_ANY_ENVIRONMENT = ("__init__", "__main__", "steps", "java", "jars", "environments")


def run(stamp: Path, *inputs: object, fails: bool = False) -> bool:
    """Whether the step ran."""
    ran: list[bool] = []

    def action() -> None:
        ran.append(True)
        if fails:
            raise SetupError("failed")

    steps.once("a step", stamp, inputs, action)
    return bool(ran)


def test_step_runs_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stamp = tmp_path / "folder" / "stamp"

    assert run(stamp, "1.0")
    assert "done     a step: " in capsys.readouterr().out
    assert not run(stamp, "1.0")
    assert capsys.readouterr().out == "  ready    a step\n"


def test_long_step_says_for_how_long_and_how_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SAY_SECONDS", 0.01)
    folder = tmp_path / "filled"
    said: list[str] = []

    def fill() -> None:
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * 3_000_000)
        while "3 MB" not in "".join(said):
            said.append(capsys.readouterr().out)
            time.sleep(0.01)

    steps.once("a step", tmp_path / "stamp", [], fill, grows=folder)

    assert "  ...      a step: 0 s, 3 MB\n" in "".join(said)


def test_step_runs_again_when_a_text_or_a_file_changes(tmp_path: Path) -> None:
    stamp, file = tmp_path / "stamp", tmp_path / "lock"
    file.write_text("a")
    run(stamp, "1.0", file)

    assert run(stamp, "1.1", file)
    file.write_text("b")
    assert run(stamp, "1.1", file)
    assert not run(stamp, "1.1", file)


def test_step_that_failed_is_not_taken_as_done(tmp_path: Path) -> None:
    with pytest.raises(SetupError):
        run(tmp_path / "stamp", fails=True)

    assert run(tmp_path / "stamp")


def test_fingerprint_depends_on_where_a_part_ends() -> None:
    assert steps.fingerprint(["ab", "c"]) != steps.fingerprint(["a", "bc"])
    assert steps.fingerprint(["a"]) == steps.fingerprint(["a"])


def test_cache_is_in_the_folder_that_a_variable_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("SLUICE_CACHE", raising=False)
    assert steps.cache() == tmp_path / "xdg" / "sluice"

    monkeypatch.setenv("SLUICE_CACHE", str(tmp_path / "own"))
    assert steps.cache() == tmp_path / "own"


def test_command_gives_its_output_and_has_the_variables_it_was_given() -> None:
    assert steps.command("sh", "-c", "echo $GREETING", GREETING="hello") == "hello\n"


def test_failed_command_is_shown_with_its_last_lines() -> None:
    with pytest.raises(SetupError, match=r"`sh -c .*` failed:\n(.*\n)*the reason$") as caught:
        steps.command("sh", "-c", "seq 100; echo the reason >&2; exit 3")

    assert len(str(caught.value).splitlines()) <= 17


def test_command_that_does_not_exist_is_a_set_up_error() -> None:
    with pytest.raises(SetupError, match="no-such-command"):
        steps.command("no-such-command")


@pytest.mark.parametrize("module", BEFORE_ANY_ENVIRONMENT)
def test_set_up_runs_on_an_old_python_without_any_package(module: str) -> None:
    """It runs on the machine's own Python, before any environment exists."""
    tree = ast.parse((REPOSITORY / "infra" / "setup" / f"{module}.py").read_text(), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    standard = {
        "__future__",
        "collections",
        "concurrent",
        "contextlib",
        "functools",
        "hashlib",
        "http",
        "os",
        "pathlib",
        "re",
        "shutil",
        "subprocess",
        "sys",
        "threading",
    }
    assert imported <= standard | {"tempfile", "time", "typing", "urllib", "infra"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Match)]
