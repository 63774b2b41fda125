"""What the gate let through: the silver versions that it judged and passed, by run. Gold reads exactly these."""

from __future__ import annotations

import re

from jobs.lake import objects
from jobs.lake.errors import GateError
from jobs.lake.run import Run


def _key(run: Run) -> str:
    return f"ops/gate/{re.sub(r'[^A-Za-z0-9._-]', '_', run.run_id)}.json"


def passed(run: Run, versions: dict[str, int]) -> None:
    """Records that these versions passed in this run."""
    objects.write_json(_key(run), {"run_id": run.run_id, "versions": versions})


def refused(run: Run) -> None:
    """Takes back what an earlier attempt of this run recorded."""
    objects.delete_prefix(_key(run))


def versions(run: Run, tables: tuple[str, ...]) -> dict[str, int]:
    """The passed version of each table.

    Raises:
        GateError: the gate did not pass one of them in this run.
    """
    verdict = objects.read_json(_key(run)) or {"versions": {}}
    missing = [name for name in tables if name not in verdict["versions"]]
    if missing:
        raise GateError(
            f"{run.step}: the gate has passed no version of {', '.join(missing)} in run {run.run_id}. "
            "Nothing was written. Run the gate first."
        )
    return {name: int(verdict["versions"][name]) for name in tables}
