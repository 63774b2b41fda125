"""What a person does with a lease whose owner can't be asked: `run.py lease.show`, `run.py lease.break silver.orders`.

A writer that was started by hand has no job run. When it falls silent, nobody but a person can say whether it still
writes, and all other writers of its table wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.state import lease_owner, objects
from jobs.lake.state.lease_owner import Standing

NEXT = {
    Standing.GONE: "there is nothing to break",
    Standing.LIVE: "lease.break refuses",
    Standing.UNKNOWN: "lease.break gives the table to the next writer",
}


def show(run: Run) -> None:
    """Prints of the named table, or of every table that is held: who holds it, and what `lease.break` would do.

    Raises:
        ConfigurationError: the named table never had a lease.
    """
    bodies = {name: _read(name)[0] for name in ([run.subject] if run.subject else _names())}
    held = {name: body for name, body in bodies.items() if body["held"] or run.subject}
    print("\n".join(line for name, body in held.items() for line in _lines(name, body)) or "no table is held")


def break_(run: Run) -> None:
    """Takes the table's lease from a silent owner that has no job run, after the person made sure that it has ended.

    It changes nothing where the next writer gets the table anyway: a second run finds nothing to do.

    Raises:
        ConfigurationError: no table was named, or it never had a lease.
        TableBusyError: the owner's heartbeat is fresh, or its job run is live.
    """
    body, etag = _read(run.subject)
    print("\n".join(_lines(run.subject, body)), flush=True)
    if lease_owner.standing(body) is not Standing.GONE:
        number = lease_owner.break_lease(run, run.subject, body, etag)
        print(
            f"{run.subject}: broken by {run}; the former owner commits nothing more. Fencing number {number} is used up"
        )


def _lines(table: str, body: dict[str, Any]) -> Iterator[str]:
    standing = lease_owner.standing(body)
    yield f"{table}: {lease_owner.named(body)}, last heartbeat {body['heartbeat_at']}, fencing number {body['fencing']}"
    yield f"  {standing.value}; {NEXT[standing]}"
    if broken := body.get("broken"):
        yield f"  broken at {broken['at']} by {broken['dag_id']} {broken['run_id']}; it was {broken['of']['run_id']}'s"


def _read(table: str) -> tuple[dict[str, Any], str]:
    found = objects.read_json_with_etag(lease_owner.key(table)) if table else None
    if found is None:
        known = ", ".join(_names()) or "none yet"
        raise ConfigurationError(f"{table or 'a table without a name'} has no lease; these tables have one: {known}")
    return found


def _names() -> Iterator[str]:
    """The tables that have a lease."""
    for key in objects.keys(lease_owner.FOLDER):
        name = key.removeprefix(lease_owner.FOLDER).removesuffix(".json")
        if not name.endswith(".waiting"):
            yield name
