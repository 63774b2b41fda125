"""Renders supervisord's configuration."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from infra.local.addresses import REPOSITORY
from infra.local.parts import Part
from infra.local.processes import marks

MANAGER = "supervisor"  # the part name of supervisord itself


def log(home: Path, part: str) -> Path:
    """Where a part's output goes."""
    return home / "logs" / f"{part}.log"


def text(home: Path, socket: Path, parts: Sequence[Part]) -> str:
    """The configuration of a platform's supervisord, which takes commands at the socket."""
    sections = [
        _section("unix_http_server", file=socket, chmod="0700"),
        _section(
            "supervisord",
            logfile=log(home, MANAGER),
            logfile_maxbytes="5MB",
            logfile_backups=1,
            pidfile=home / "supervisord.pid",
            childlogdir=home / "logs",
            directory=REPOSITORY,
            umask="022",
        ),
        _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    return "\n".join([*sections, *(_program(home, part) for part in parts)])


def _program(home: Path, part: Part) -> str:
    environment = {**part.environment, **marks(home, part.name)}
    return _section(
        f"program:{part.name}",
        command=shlex.join(part.command),
        directory=REPOSITORY,
        environment=",".join(f"{name}={_quoted(value)}" for name, value in sorted(environment.items())),
        priority=part.stage,
        autostart="true",
        autorestart="unexpected" if part.restart else "false",
        startsecs=1,
        startretries=0,
        stopsignal="TERM",
        stopwaitsecs=part.stop_within,
        stopasgroup="true",
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=log(home, part.name),
        stdout_logfile_maxbytes="10MB",
        stdout_logfile_backups=2,
    )


def _section(heading: str, **settings: object) -> str:
    """A section. A `%` is doubled, as it would start an expansion. A line break would start another setting."""
    lines = [f"{name} = {value}".replace("%", "%%") for name, value in settings.items()]
    if broken := [line for line in lines if "\n" in line]:
        raise ValueError(f"supervisord can't take a setting with a line break: {broken[0]!r}")
    return "\n".join([f"[{heading}]", *lines, ""])


def _quoted(value: str) -> str:
    """A value for `environment`, in quotes. Its parser knows no way to write a quote within a value."""
    if "'" in value or '"' in value:
        raise ValueError(f"supervisord can't pass on a value with a quote: {value!r}")
    return f'"{value}"'
