"""A Kafka broker for tests: the platform's part, on other ports and in another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.local import health
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.kafka import topics
from infra.local.polling import wait_until_serving


class Broker:
    """Starts and stops the part's own command."""

    def __init__(self, home: Path, port: int) -> None:
        self.addresses = Addresses(home=home, port=port)
        self.log = home / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.kafka"],
                cwd=REPOSITORY, env={**os.environ, **self.addresses.environment()}, stdout=log, stderr=log,
            )  # fmt: skip
        wait_until_serving(lambda: health.kafka(self.addresses, 0), self._process, self.log, seconds=90)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(30)

    def settings(self, **other: Any) -> dict[str, Any]:
        return {**topics.client_settings(self.addresses), **other}
