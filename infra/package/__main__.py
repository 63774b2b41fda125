"""The commands of the package."""

from __future__ import annotations

import sys
from collections.abc import Callable

from infra.package import release, upload
from infra.setup.steps import SetupError

COMMANDS: dict[str, Callable[[], object]] = {"build": release.build, "upload": upload.whole, "upload-code": upload.code}

if __name__ == "__main__":
    try:
        print(COMMANDS[sys.argv[1]]())
    except SetupError as error:
        sys.exit(f"the release is not built: {error}")
