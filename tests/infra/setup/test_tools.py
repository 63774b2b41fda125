"""The environment of tools: exactly its lock, and an actionlint that Go's checksum database has proven."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.setup import environments, tools


def test_environment_holds_the_lock_and_builds_actionlint_without_a_go_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[object] = []
    run: list[tuple[tuple[str, ...], dict[str, str]]] = []
    monkeypatch.setattr(tools, "VENV", tmp_path)
    monkeypatch.setattr(environments, "install_uv", lambda: made.append("uv"))
    monkeypatch.setattr(environments, "synced", lambda *given: made.append(given))
    monkeypatch.setattr(tools, "command", lambda *words, **given: run.append((tuple(map(str, words)), given)))

    tools.install()
    tools.install()  # the stamp holds

    assert made == ["uv", (tools.FOLDER, tools.LOCK), "uv"]
    ((words, given),) = run
    assert words[0] == str(tools.FOLDER / "bin" / "go")
    assert re.search(r"/actionlint@v\d+\.\d+\.\d+$", words[-1])
    assert given["GOTOOLCHAIN"] == "local"
    assert not {"GONOSUMDB", "GONOSUMCHECK", "GOFLAGS", "GOSUMDB", "GOPROXY"} & set(given)


def test_every_tool_is_pinned_with_its_hashes_and_no_address() -> None:
    lock = tools.LOCK.read_text()
    wanted = re.findall(r"^([a-z-]+)==([\d.]+)$", tools.LOCK.with_suffix(".txt").read_text(), re.M)
    assert len(wanted) >= 8
    for name, version in wanted:
        assert re.search(
            rf"^{name}=={re.escape(version)}(?: ;[^\\]+)? \\\n    --hash=sha256:[0-9a-f]{{64}}", lock, re.M
        )
    assert "://" not in lock
