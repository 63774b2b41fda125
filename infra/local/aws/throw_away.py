"""A throw-away AWS for tests and benchmarks, in memory: S3 as on the platform; moto as it is for all else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from infra.local import ministack
from infra.local.addresses import HOST, REGION
from infra.local.polling import wait_until_serving


class Aws(NamedTuple):
    """Addresses of the two servers."""

    url: str
    s3: str

    def environment(self) -> dict[str, str]:
        """The environment of a job that uses this AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
        }


@contextmanager
def server(folder: Path) -> Iterator[Aws]:
    """Starts both on free ports. S3 takes a third of the CPU seconds a request that moto's would.

    Args:
        folder: of their logs.
    """
    port, s3_port = _free_ports(2)
    moto = (sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port))
    with (
        _serving(moto, port, folder / "server.log", {}),
        _serving(ministack.COMMAND, s3_port, folder / "s3.log", ministack.in_memory(s3_port, folder)),
    ):
        yield Aws(f"http://{HOST}:{port}", f"http://{HOST}:{s3_port}")


@contextmanager
def _serving(command: tuple[str, ...], port: int, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        try:
            wait_until_serving(lambda: socket.create_connection((HOST, port)).close(), process, log, seconds=60)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind((HOST, 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
