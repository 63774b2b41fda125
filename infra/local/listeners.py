"""Ports: who else holds one of ours, and whether everything of ours listens on loopback only."""

from __future__ import annotations

import socket
from collections.abc import Iterator
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
            continue  # ended meanwhile, or another user's
    return "a process of another user"


def exposed(home: Path) -> list[str]:
    """The platform's listeners that others than this machine could reach: `kafka (pid 7) on 0.0.0.0:8883`."""
    return list(_exposed(home))


def _exposed(home: Path) -> Iterator[str]:
    for member in processes.members(home):
        try:
            for address in _listening(member.process):
                if address.ip.removeprefix("::ffff:") != HOST:
                    yield f"{member} on {address.ip}:{address.port}"
        except psutil.NoSuchProcess:
            continue


def _listening(process: psutil.Process) -> list[psutil._common.addr]:
    """Addresses at which a process accepts connections."""
    connections = process.net_connections(kind="tcp")
    return [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
