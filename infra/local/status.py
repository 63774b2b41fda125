"""`make status`: each part's state, process, memory and address, and the running jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from infra.local import listeners, processes, tables
from infra.local.addresses import Addresses
from infra.local.airflow_api import AirflowApi
from infra.local.lifecycle import say
from infra.local.parts import Part
from infra.local.process_manager import ProcessManager, State
from infra.local.supervisord_conf import MANAGER
from infra.pools import pools

MEGABYTE = 1024 * 1024
BUDGET_MB = 6 * 1024
COLUMNS = (
    tables.Column("part"),
    tables.Column("state"),
    tables.Column("pid", number=True),
    tables.Column("MB", number=True),
    tables.Column("address"),
)


def show(manager: ProcessManager, expected: Sequence[Part]) -> int:
    """Prints the table. Returns 1 when a part is down or can be reached from outside, else 0."""
    running = manager.running()
    states = {state.part: state for state in manager.states()} if running else {}
    memory, jobs = _memory(manager)
    rows = [(MANAGER, "healthy" if running else "down", "", _mb(memory.pop(MANAGER, 0)), "")]
    down = [] if running else [MANAGER]
    for part in expected:
        state = states.get(part.name)
        word = _condition(part, state)
        if word != "healthy":
            down.append(part.name)
        pid = str(state.pid) if state and state.pid else ""
        rows.append((part.name, word, pid, _mb(memory.pop(part.name, 0)), part.address))
    rows += [(f"job run {job}", "running", "", _mb(size), "") for job, size in jobs.items()]
    rows += [(part, "not expected", "", _mb(size), "") for part, size in memory.items()]
    total = sum(int(row[3]) for row in rows)
    say(tables.text(COLUMNS, [*rows, ("total", "", "", str(total), "")]))
    if total > BUDGET_MB:
        say(f"WARNING: {total} MB resident, more than the {BUDGET_MB} MB that a platform should stay under")
    exposed = listeners.exposed(manager.home)
    for listener in exposed:
        say(f"WARNING: reachable from outside this machine: {listener}")
    return 1 if down or exposed else 0


def show_pools(addresses: Addresses) -> int:
    """Warns of pools that differ from the registry's. Returns 1 when there are any, else 0."""
    present = AirflowApi(addresses.airflow).pools()
    wrong = [name for name, wanted in pools().items() if not wanted.items() <= present.get(name, {}).items()]
    if wrong:
        say(f"WARNING: Airflow lacks pools or has changed ones, so tasks may wait for ever: {', '.join(wrong)}")
        say("`make run` and `make up` set them right")
    return 1 if wrong else 0


def _memory(manager: ProcessManager) -> tuple[dict[str, int], dict[str, int]]:
    """Resident bytes of each part, and of each job run."""
    parts: dict[str, int] = defaultdict(int)
    jobs: dict[str, int] = defaultdict(int)
    for member in processes.members(manager.home):
        if member.job:
            jobs[member.job] += member.resident
        else:
            parts[member.part] += member.resident
    return parts, jobs


def _condition(part: Part, state: State | None) -> str:
    if state is None:
        return "down"
    if state.name != "RUNNING":
        return state.name.lower()
    try:
        part.check(state.started)
    except Exception as error:  # whatever its client raises
        return f"unhealthy: {type(error).__name__}"
    return "healthy"


def _mb(size: int) -> str:
    return str(round(size / MEGABYTE))
