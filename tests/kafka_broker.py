"""A Kafka broker of tests: the platform's own part, on ports and in a folder of its own, started and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException

from infra.local import health
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.kafka import topics

QUIET = {"log_level": 0}


class Broker:
    """The part's own command, started and stopped."""

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
        give_up = time.monotonic() + 90
        while True:
            try:
                return health.kafka(self.addresses, 0)
            except KafkaException:
                if time.monotonic() > give_up or self._process.poll() is not None:
                    self.kill()
                    pytest.fail(f"the broker does not answer:\n{self.log.read_text()[-3000:]}")
                time.sleep(0.3)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait(30)

    def settings(self, **other: Any) -> dict[str, Any]:
        return {**topics.client_settings(self.addresses), **QUIET, **other}
