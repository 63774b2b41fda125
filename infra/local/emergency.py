"""Stops everything, or undoes that: starts the DAG `emergency_stop` and shows what it did."""

from __future__ import annotations

from infra.local.addresses import Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.errors import PlatformError
from infra.local.lifecycle import say
from infra.local.polling import wait_until

DAG = TASK = "emergency_stop"
WITHIN = 1_800.0  # seconds


def act(addresses: Addresses, action: str, who: str, why: str) -> int:
    """Starts the DAG, waits for its end, and prints its task's log.

    Args:
        addresses: of the platform.
        action: `stop` or `undo`.
        who: decided it.
        why: and why.

    Returns:
        Exit code: 1 when not everything could be stopped, or let run again.

    Raises:
        PlatformError: nobody said who and why, or Airflow doesn't know the DAG.
    """
    if not (who.strip() and why.strip()):
        raise PlatformError('say who decided it and why: make emergency-stop WHO="Ann" WHY="strange rows"')
    api = AirflowApi(addresses.airflow)
    run = api.trigger(DAG, {"action": action, "who": who, "why": why})
    say(f"{action}: {addresses.airflow}/dags/{DAG}/runs/{run}")
    state = wait_until(lambda: api.ended(DAG, run), seconds=WITHIN, pause=1)
    (task,) = api.tasks(DAG, run)
    print("\n".join(api.log(DAG, run, TASK, task.attempt)))
    say(f"{action}: {'there was nothing to undo' if task.state == 'skipped' else state}")
    return 0 if state == "success" else 1
