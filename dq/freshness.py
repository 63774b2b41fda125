"""How old a silver table's newest row may be, as rules of its suite: `min_value: {days_ago: 3}`.

    - {type: expect_column_max_to_be_between, kwargs: {column: updated_at, min_value: {days_ago: 3}}, severity: warning}

The age counts from a moment that the run and the lake's records give, never from this machine's clock alone:

- A critical rule counts from the moment up to which the sources were read by what the judged version was made of, or
  the end of the run's interval if that is earlier. So what is missing was missing at the source; a run that is late,
  cleared or a backfill is not red, nor is one between another DAG's bronze and silver steps.
- A warning counts from the end of the run's interval: it also tells that nobody reads the source any more. In a
  backfill it counts as a critical rule does.

In a lake that only backfills have filled, there is no such moment, and nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pyspark.sql.types import DateType, StructType

from dq.suite import Rule, Suite
from dq.validate import Judgement
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import watermark
from jobs.sources.ecb import target

# The oldest that the newest row may be at a moment, for each unit of `suite.AGES`.
OLDEST: Mapping[str, Callable[[datetime, int], datetime]] = {
    "days_ago": lambda moment, number: moment - timedelta(days=number),
    # So many publications of reference rates may be missing that TARGET's calendar does not explain.
    "target_days_ago": lambda moment, number: datetime.combine(target.newest_due(moment, number), time(), UTC),
}


def settle(rules: Suite, run: Run, schema: StructType, read_to: datetime | None) -> tuple[Suite, list[Judgement]]:
    """The suite with the dates and times that its ages mean for this run; and the rules that it can't judge.

    Args:
        rules: of a silver table.
        run: whose gate judges it.
        schema: of the table.
        read_to: how far the sources of the judged version were read.
    """
    settled, unjudged = [], []
    for rule in rules.rules:
        if rule.age is None:
            settled.append(rule)
        elif found := moment(run, rules.table, rule, read_to):
            settled.append(at(rule, schema, found))
        else:
            unjudged.append(Judgement(rule, True, {"not_judged": "only backfills have read its sources"}))
    return replace(rules, rules=tuple(settled)), unjudged


def at(rule: Rule, schema: StructType, moment: datetime) -> Rule:
    """The rule with the date or time that its age means at a moment, in the type of its column."""
    unit, number = rule.age or ("days_ago", 0)
    oldest = OLDEST[unit](moment, number)
    is_date = isinstance(schema[rule.kwargs["column"]].dataType, DateType)
    return replace(rule, kwargs={**rule.kwargs, "min_value": oldest.date() if is_date else _as_collected(oldest)})


def read_to(table: str, version: int) -> datetime | None:
    """How far the batch sources were read by what a version of a silver table was made of, UTC; None if unknown.

    A bronze table that was dropped and created again since says nothing of it.
    """
    found = []
    for source in _batches(table):
        commits = log.effective(settings.lake().uri(table), version)
        record = next((each.record for each in commits if each.record and source.name in each.record.inputs), None)
        now = log.table_id(settings.lake().uri(source.name))
        if record and record.input_ids.get(source.name) in (None, now):
            found.append(watermark.committed(source, record.inputs[source.name]))
    return max(filter(None, found), default=None)


def moment(run: Run, table: str, rule: Rule, read_to: datetime | None) -> datetime | None:
    """The moment from which the rule's age counts, UTC; None if there is none."""
    end = min(run.window_end, datetime.now(UTC)) if run.window_end else None
    if rule.severity != "critical" and end and not run.exact:
        return end
    if not _batches(table):  # a stream is read all the time
        return None if run.exact else end
    return min(read_to, end or read_to) if read_to else None


def _batches(table: str) -> list[Table]:
    return [tables.table(name) for name in tables.table(table).depends_on if not tables.table(name).continuous]


def _as_collected(when: datetime) -> Any:
    """The time as Spark gives it to Python: in the machine's own zone, without a zone in it."""
    return when.astimezone().replace(tzinfo=None)
