"""The platform's commands: up, down, status and run."""

from __future__ import annotations

import time

from infra.local import airflow, bootstrap, daily_run, environment, lifecycle, status
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.lifecycle import say
from infra.local.parts import Part, stand_ins
from infra.local.process_manager import ProcessManager


def up(addresses: Addresses) -> None:
    """Starts the platform and waits until all of it is healthy. If that fails, all of it is stopped again.

    Raises:
        PlatformError: it already runs, a port is taken, or a part doesn't get healthy.
    """
    begun = time.monotonic()
    manager = _manager(addresses)
    with lifecycle.alone(addresses.home):
        if lifecycle.is_whole(manager):
            raise PlatformError(
                f"the platform already runs: Airflow is at {addresses.airflow}; "
                "`make status` shows it, `make down` stops it"
            )
        lifecycle.stop(manager)  # what a killed platform, or a killed start of one, may have left
        parts = stand_ins(addresses)
        lifecycle.refuse_taken_ports(_ports([*parts, *airflow.parts(addresses, "")]))
        say(f"local platform in {addresses.home}")
        with lifecycle.stopping(manager, BaseException):
            _start(addresses, manager, parts)
    say(f"up in {time.monotonic() - begun:.1f} s: Airflow UI at {addresses.airflow}")


def _start(addresses: Addresses, manager: ProcessManager, parts: tuple[Part, ...]) -> None:
    lifecycle.begin(addresses.home)
    manager.start()
    inherited = environment.of_parts(addresses)
    migration = airflow.Migration(addresses, inherited)
    lifecycle.launch(manager, parts)
    release = bootstrap.prepare(addresses, inherited)
    migration.wait()
    lifecycle.launch(manager, [*parts, *airflow.parts(addresses, release)])
    bootstrap.pools(addresses)
    lifecycle.refuse_exposed(addresses.home)
    lifecycle.complete(addresses.home)


def down(addresses: Addresses) -> None:
    """Stops the platform, if it runs."""
    begun = time.monotonic()
    with lifecycle.alone(addresses.home):
        found = lifecycle.stop(_manager(addresses))
    say(f"down in {time.monotonic() - begun:.1f} s" if found else "nothing runs")


def show_status(addresses: Addresses) -> int:
    """Prints the platform's state. Returns 1 when a part is down or a pool is wrong."""
    return status.show(_manager(addresses), _all_parts(addresses, "")) or status.show_pools(addresses)


def run(addresses: Addresses) -> int:
    """Runs the daily DAG with the code as it is now. Starts the platform if it doesn't run, or not all of it.

    On Ctrl-C it stops the platform that it started. Otherwise the platform stays up.

    Returns:
        Exit code: 1 when a run failed.
    """
    manager = _manager(addresses)
    if lifecycle.is_whole(manager):
        _hand_over_release(addresses, manager)
        return daily_run.run(addresses)
    up(addresses)
    with lifecycle.stopping(manager, KeyboardInterrupt):
        return daily_run.run(addresses)


def _hand_over_release(addresses: Addresses, manager: ProcessManager) -> None:
    """Brings the code as it is now to a running platform. Changed code restarts Airflow.

    Raises:
        PlatformError: a part is down.
    """
    with lifecycle.alone(addresses.home):
        dead = [state.part for state in manager.states() if state.name != "RUNNING"]
        if dead:
            raise PlatformError(f"{', '.join(dead)} of the running platform is down: run `make down`, then try again")
        say(f"the platform is up: Airflow UI at {addresses.airflow}")
        release = bootstrap.release(addresses, environment.of_parts(addresses))
        lifecycle.launch(manager, _all_parts(addresses, release))
        bootstrap.pools(addresses)


def _all_parts(addresses: Addresses, release: str) -> tuple[Part, ...]:
    return (*stand_ins(addresses), *airflow.parts(addresses, release))


def _manager(addresses: Addresses) -> ProcessManager:
    return ProcessManager(addresses.home, environment.of_parts(addresses))


def _ports(parts: list[Part]) -> dict[int, str]:
    return {int(part.address.rpartition(":")[2]): part.name for part in parts if part.address}
