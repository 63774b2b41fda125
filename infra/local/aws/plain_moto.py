"""A throw-away AWS for tests and benchmarks: moto as it is, with S3, Secrets Manager and Glue in memory."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.addresses import HOST, REGION
from infra.local.polling import wait_until_serving


def environment(url: str) -> dict[str, str]:
    """The environment of a job that uses this AWS."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
    }


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Starts a server on a free port and gives its address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], stdout=output, stderr=output
        )
        try:
            wait_until_serving(lambda: socket.create_connection((HOST, port)).close(), process, log, seconds=60)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(30)
