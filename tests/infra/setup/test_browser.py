"""The browser of the tests is found, or installed where that may be done, or asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.setup import browser
from infra.setup.steps import SetupError


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "MAC", str(tmp_path / "none"))
    return tmp_path


def program(path: Path, name: str, script: str = "") -> Path:
    file = path / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("name", browser.NAMES)
def test_browser_on_the_path_is_taken(path: Path, name: str) -> None:
    file = program(path, name)

    assert browser.install() == str(file)


def test_root_gets_debians(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    made = path / "chromium"
    program(path, "apt-get", f'[ "$1" = update ] || {{ echo "#!/bin/sh" > {made}; /bin/chmod 755 {made}; }}')

    assert browser.install() == str(made)


@pytest.mark.parametrize("user", [0, 1000])
def test_who_can_not_install_one_is_told_what_to_install(
    path: Path, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)

    with pytest.raises(SetupError, match=r"apt-get install chromium\).*chromium-browser"):
        browser.install()
