"""What the gate passed in each run: silver versions that it judged and found good. Gold reads exactly these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from jobs.lake.delta import inputs
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import objects


@dataclass(frozen=True)
class Passed:
    """The newest version of a table that passed. The gate goes on from it.

    Attributes:
        version: of the table.
        table_id: identity of the table. A table that was dropped and created again is new to the gate.
        suite: hash of the rules under which it passed. Under other rules, all rows are judged again.
        whole_at: when all of its rows were last judged, ISO 8601, UTC.
    """

    version: int
    table_id: str
    suite: str
    whole_at: str


def _key(run: Run) -> str:
    """One object for each run; ids keep every character, so that no two runs share one."""
    return f"ops/gate/runs/{quote(run.dag_id, safe='')}/{quote(run.run_id, safe='')}.json"


def record_passed(run: Run, versions: Mapping[str, int]) -> None:
    """Records that these versions passed in this run."""
    names = {"dag_id": run.dag_id, "run_id": run.run_id}
    objects.write_json(_key(run), {**names, "versions": versions, "ids": inputs.ids(versions)})


def take_back(run: Run) -> None:
    """Deletes what an earlier attempt of this run recorded."""
    objects.delete(_key(run))


def passed_versions(run: Run, tables: Sequence[str]) -> dict[str, int]:
    """The version of each table that passed in this run.

    Raises:
        GateError: the gate did not pass one of them in this run, or it was dropped and created again since.
    """
    verdict = objects.read_json(_key(run)) or {"versions": {}}
    missing = [name for name in tables if name not in verdict["versions"]]
    if missing:
        raise GateError(
            f"{run.step}: the gate has passed no version of {', '.join(missing)} in run {run}. "
            "Nothing was written. Run the gate first."
        )
    is_now = inputs.ids(tables)
    if others := [name for name in tables if verdict["ids"].get(name) != is_now.get(name)]:
        raise GateError(
            f"{run.step}: {', '.join(others)} was dropped and created again after the gate judged it in run {run}. "
            "Nothing was written. Run its step and the gate again."
        )
    return {name: int(verdict["versions"][name]) for name in tables}


def versions_passed(table: str, dag_ids: Sequence[str]) -> set[int]:
    """The versions of a table, as it is now, that passed in any run of these DAGs. It reads one object for each run."""
    table_id = inputs.ids([table]).get(table)
    folders = [f"ops/gate/runs/{quote(dag_id, safe='')}/" for dag_id in dag_ids]
    verdicts = [objects.read_json(key) or {} for folder in folders for key in objects.keys(folder)]
    return {int(v["versions"][table]) for v in verdicts if table_id and v.get("ids", {}).get(table) == table_id}


def last_passed(table: str) -> Passed | None:
    """The newest version of the table that passed; None when none has. Deleting it makes the gate judge all rows."""
    found: dict[str, Any] | None = objects.read_json(f"ops/gate/last/{table}.json")
    return Passed(**found) if found else None


def keep_last_passed(table: str, verdict: Passed) -> None:
    """Stores the verdict, unless a newer version of the same table passed meanwhile."""
    known = last_passed(table)
    if known is None or known.table_id != verdict.table_id or known.version <= verdict.version:
        objects.write_json(f"ops/gate/last/{table}.json", asdict(verdict))
