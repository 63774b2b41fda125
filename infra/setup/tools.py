"""`python3 -m infra.setup.tools`: the environment `.venv/tools`, of what looks at the project's own files.

Only the targets that need it make it. Nothing in it is taken from the machine: actionlint is a Go program, so Go comes
as a package too, and builds the release named here from Go's module proxy, which proves its checksum.
"""

from __future__ import annotations

import sys
import tempfile

from infra.setup import environments, proxies
from infra.setup.steps import REPOSITORY, VENV, SetupError, command, once

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
LOCK = REPOSITORY / "infra" / "tools" / "requirements.lock"
FOLDER = VENV / "tools"


def install() -> None:
    """Makes or updates the environment."""
    environments.install_uv()
    once("tools for the project's own files", VENV / "tools.stamp", [ACTIONLINT, LOCK], _tools, grows=FOLDER)


def _tools() -> None:
    environments.synced(FOLDER, LOCK)
    with tempfile.TemporaryDirectory() as scratch:
        command(
            FOLDER / "bin" / "go", "install", "-modcacherw", ACTIONLINT,
            GOBIN=str(FOLDER / "bin"), GOPATH=scratch, GOCACHE=f"{scratch}/cache", GOTOOLCHAIN="local", CGO_ENABLED="0",
        )  # fmt: skip


if __name__ == "__main__":
    proxies.bypass_here()
    try:
        install()
    except SetupError as error:
        sys.exit(f"\nset-up stopped: {error}")
