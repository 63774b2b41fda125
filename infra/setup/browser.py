"""Finds the Chromium in which tests look at pages: `python3 -m infra.setup.browser` installs Debian's where it may.

The rest of the set-up does not need it, and Playwright's own browsers are not used: they come from a host of their own.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from infra.setup.steps import SetupError, command

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
ADVICE = "Install Chromium or Chrome (Debian and Ubuntu: apt-get install chromium), so that one of these is on PATH"


def find() -> str | None:
    """The browser's command; None when there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return found or (MAC if Path(MAC).exists() else None)


def install() -> str:
    """The browser's command, after Debian's package was installed if there was none.

    Raises:
        SetupError: there is none, and this user can't install one.
    """
    if found := find():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        command("apt-get", "update")
        command(
            "apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation",
            DEBIAN_FRONTEND="noninteractive",
        )  # fmt: skip
        if found := find():
            return found
    raise SetupError(f"There is no browser for the tests of pages. {ADVICE}: {', '.join(NAMES)}.")


if __name__ == "__main__":
    try:
        print(f"  ready    browser: {install()}")
    except SetupError as error:
        sys.exit(str(error))
