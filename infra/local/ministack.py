"""MiniStack as the S3 of the platform and of tests: how it is started."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.addresses import HOST, REGION, Addresses

COMMAND = (str(Path(sys.executable).with_name("ministack")),)


def in_memory(port: int, scratch: Path) -> dict[str, str]:
    """The environment of a server that keeps nothing, and listens on one loopback port only.

    Args:
        port: of the server.
        scratch: where its pid file lies.
    """
    return {
        "SERVICES": "s3,sts",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        # A killed server forgets the region of its buckets. Without this it would take them for another region's.
        "MINISTACK_REGION": REGION,
        # These two listen on all interfaces, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",  # INFO is a line per request
        "TMPDIR": str(scratch),
    }


def kept(addresses: Addresses) -> dict[str, str]:
    """As `in_memory`, but for a platform: objects lie in its home, and survive restarts."""
    folder = addresses.home / "s3"
    return {
        **in_memory(int(addresses.s3.rpartition(":")[2]), addresses.home / "tmp"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "objects"),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
    }
