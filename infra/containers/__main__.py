"""`python -m infra.containers start|check PART`, `fill`, `pools`, `run`: what docker-compose.yaml runs.

Each container holds one part of the platform, with the command, environment and check that the process supervisor
takes as well. So the Compose file only says what containers need: order, ports, volumes, rights.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

import psutil

from infra.local import airflow, bootstrap, daily_run, environment, listeners
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.parts import Part, stand_ins
from infra.local.processes import marks


def main(arguments: list[str]) -> int:
    """Runs a command. Returns its exit code."""
    given = _parse(arguments)
    addresses = Addresses.from_environment()
    try:
        match given.command:
            case "start":
                _become(addresses, part(addresses, given.part))
            case "check":
                _check(addresses, part(addresses, given.part))
            case "fill":
                fill(addresses)
            case "pools":
                bootstrap.pools(addresses)
            case "run":
                return daily_run.run(addresses)
    except PlatformError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def all_parts(addresses: Addresses) -> tuple[Part, ...]:
    """The platform's parts, in the order of their start."""
    return (*stand_ins(addresses), *airflow.parts(addresses, _release(addresses)))


def part(addresses: Addresses, name: str) -> Part:
    """A part by its name.

    Raises:
        PlatformError: there is none of this name.
    """
    found = {one.name: one for one in all_parts(addresses)}
    if name not in found:
        raise PlatformError(f"the platform has no part {name!r}: it has {', '.join(found)}")
    return found[name]


def fill(addresses: Addresses) -> None:
    """Fills the stand-ins, makes Airflow's database, and keeps the release's URI for Airflow's parts."""
    inherited = environment.of_parts(addresses)
    (addresses.home / "logs").mkdir(parents=True, exist_ok=True)
    migration = airflow.Migration(addresses, inherited)
    release = bootstrap.prepare(addresses, inherited)
    migration.wait()
    (addresses.home / "release").write_text(release)


def _release(addresses: Addresses) -> str:
    """The URI that `fill` kept; empty before it ran, when nothing needs it."""
    kept = addresses.home / "release"
    return kept.read_text() if kept.is_file() else ""


def _become(addresses: Addresses, one: Part) -> None:
    """Becomes the part's program: to stop the container is to stop it."""
    variables: Mapping[str, str] = {
        **environment.of_parts(addresses),
        **one.environment,
        **marks(addresses.home, one.name),
    }
    addresses.home.joinpath("tmp").mkdir(parents=True, exist_ok=True)
    os.execvpe(one.command[0], list(one.command), dict(variables))


def _check(addresses: Addresses, one: Part) -> None:
    """Asks the part in its own protocol, and sees that nothing listens beyond loopback.

    The container's first process is the part, so its start is the part's.

    Raises:
        PlatformError: the part doesn't serve, or another container could reach it without the doors.
    """
    try:
        one.check(psutil.Process(1).create_time())
    except Exception as error:  # whatever its client raises; the engine shows it
        raise PlatformError(f"{one.name}: {type(error).__name__}: {error}") from error
    if exposed := listeners.exposed(addresses.home):
        raise PlatformError(f"reachable without the doors: {', '.join(exposed)}")


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.containers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("start", "become a part's program"), ("check", "ask a part whether it serves")):
        commands.add_parser(name, help=what).add_argument("part")
    commands.add_parser("fill", help="fill the stand-ins and make Airflow's database")
    commands.add_parser("pools", help="give Airflow its pools")
    commands.add_parser("run", help="run the daily DAG for three days and print gold")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
