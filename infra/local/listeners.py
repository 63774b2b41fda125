"""Who holds a port of the platform, and which of its processes can be reached from another machine."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil

from infra.local import processes
from infra.local.addresses import HOST


def taken(port: int) -> str | None:
    """Who listens on a port of 127.0.0.1; None when it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing don't count
        try:
            probe.bind((HOST, port))
        except OSError:
            return _owner(port)
    return None


def _owner(port: int) -> str:
    for process in psutil.process_iter():
        try:
            if any(address.port == port for address in _listening(process)):
                return f"{process.name()} (pid {process.pid})"
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it has ended by now, or belongs to another user
    return "a process of another user"


def exposed(home: Path) -> list[str]:
    """The platform's listeners that another machine can reach: `kafka (pid 7) on 0.0.0.0:8883`."""
    found = []
    for member in processes.members(home):
        try:
            for address in _listening(member.process):
                if address.ip.removeprefix("::ffff:") != HOST:
                    found.append(f"{member} on {address.ip}:{address.port}")
        except psutil.NoSuchProcess:
            continue
    return found


def _listening(process: psutil.Process) -> list[psutil._common.addr]:
    """Addresses at which a process accepts connections."""
    connections = process.net_connections(kind="tcp")
    return [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
