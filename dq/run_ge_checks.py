"""The gate between silver and gold: judges the very versions that this run wrote, and passes or refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from dq import conservation, freshness, results, roll_up, shown, suite, validate
from dq.suite import Suite
from dq.validate import Judgement
from jobs.lake import computed, session, settings, tables
from jobs.lake.delta import changes, log, snapshot
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.registry import Pipeline
from jobs.lake.run import Run, utc
from jobs.lake.state import gate_verdicts, metrics

# How often all rows are judged again, whatever the change feed says.
WHOLE_EVERY = timedelta(days=7)


def gate(run: Run) -> None:
    """Judges the silver tables that the gold of the run's pipeline reads; gold may read only what passes.

    The cost of row rules grows with the rows that changed since a version passed under the same suite. Rules about a
    whole table (uniqueness, volume) read the columns that they are about. With a changed suite, on a full refresh, and
    at the first gate after a week, every row is judged. Of a version that has passed, only the age is judged again.

    Raises:
        ConfigurationError: the run names no pipeline.
        GateError: a critical rule failed or could not be judged, rows were lost or doubled, too many are in
            quarantine, or a table was not written by this run.
    """
    gate_verdicts.take_back(run)
    pipeline, spark = _pipeline(run), session.spark(run.step)
    versions = {table.name: version_to_judge(run, table.name) for table in pipeline.gated}
    try:
        refusals, briefs = _judged(spark, run, versions)
        metrics.send({"GateFailed": bool(refusals)}, Pipeline=run.subject)
        if refusals:
            text = f"The gate refuses. Gold is unchanged. {' '.join(refusals)}"
            raise GateError(text, brief=f"The gate refuses. Gold is unchanged. {'; '.join(briefs)}")
        gate_verdicts.record_passed(run, versions)
    finally:
        roll_up.write_registry()
        roll_up.roll_up(table.name for table in (*pipeline.gated, *pipeline.continuous))


def _judged(spark: SparkSession, run: Run, versions: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Judges these versions; returns a text for each table that is refused, and one for alerts."""
    refusals, briefs = list[str](), list[str]()
    for name, version in versions.items():
        rules = suite.load(name)
        judging = scope(spark, run, rules, version)
        judged = [
            *conservation.judge(rules, version, judging.since, run if run.builds(name) else None),
            *_judge(spark, run, rules, version, judging),
        ]
        judged = shown.masked(name, judged)
        uri = results.write(run, rules, judged, version)
        lines = results.summary(f"{name} version {version} ({judging.words})", judged)
        print("\n".join(lines), flush=True)
        if any(judgement.critical for judgement in judged):
            refusals.append(f"{' '.join(lines)} All results: {uri}")
            briefs.append(results.refused(name, judged))
        else:
            gate_verdicts.keep_last_passed(name, judging.verdict)
    return refusals, briefs


def _pipeline(run: Run) -> Pipeline:
    try:
        return tables.pipeline(run.subject)
    except KeyError as error:
        raise ConfigurationError(f"name the pipeline whose silver the gate judges: {error.args[0]}") from None


@dataclass(frozen=True)
class Scope:
    """The rows of a version that the row rules have to judge.

    Attributes:
        changed: the rows; None for all rows.
        since: rows are accounted for up to this version, under any suite; None if no version has passed.
        words: which rows these are, for the log.
        verdict: what to store when the version passes.
        passed: this very version has passed under this suite. Only its age may mean something else in another run.
    """

    changed: DataFrame | None
    since: int | None
    words: str
    verdict: gate_verdicts.Passed
    passed: bool = False


def scope(spark: SparkSession, run: Run, rules: Suite, version: int) -> Scope:
    """The rows of a version that have to be judged, since others passed before."""
    uri, now = settings.lake().uri(rules.table), datetime.now(UTC)
    table_id = log.table_id(uri) or ""
    last = gate_verdicts.last_passed(rules.table)
    if last is None or last.table_id != table_id:
        return Scope(None, None, "all rows", gate_verdicts.Passed(version, table_id, rules.digest, now.isoformat()))
    whole = run.full_refresh or last.suite != rules.digest or now - utc(last.whole_at) >= WHOLE_EVERY
    # Another DAG's gate may have passed this version already: then its own commit is judged again, and no older one.
    since = min(last.version, version - 1)
    if last.version == version and not whole:
        return Scope(None, since, "passed before", last, passed=True)
    keys = tables.table(rules.table).keys
    net = None if whole else changes.net(spark, uri, keys, last.version, version)
    if net is None:
        return Scope(None, since, "all rows", gate_verdicts.Passed(version, table_id, rules.digest, now.isoformat()))
    changed = computed.once(changes.after(net))  # each rule reads it
    verdict = gate_verdicts.Passed(version, table_id, rules.digest, last.whole_at)
    return Scope(changed, since, f"rows changed since version {last.version}", verdict)


def _judge(spark: SparkSession, run: Run, rules: Suite, version: int, scope: Scope) -> list[Judgement]:
    whole = snapshot.read(spark, settings.lake().uri(rules.table), version)
    if scope.passed:
        rules = replace(rules, rules=tuple(rule for rule in rules.rules if rule.age))
    read_to = freshness.read_to(rules.table, version)
    settled, unjudged = freshness.settle(rules, run, whole.schema, read_to)
    if not settled.rules and scope.passed:
        return unjudged
    rows = whole if scope.changed is None else scope.changed
    return validate.validate(settled, rows, whole, shown.key_columns(rules.table)) + unjudged


def version_to_judge(run: Run, table: str) -> int:
    """The newest version of the table that this run wrote. If the run leaves the table out, its newest version.

    Raises:
        GateError: the newest `log.SEARCHED` commits have none that the run made, or there is no table.
    """
    if not run.builds(table):
        newest = log.version(settings.lake().uri(table))
        if newest is None:
            raise GateError(f"{table} has no table yet, and run {run} leaves it out: run it for all tables")
        return newest
    for commit in log.newest(settings.lake().uri(table)):
        if commit.record and commit.record.is_of(run):
            return commit.version
    raise GateError(f"{table} was not written in run {run}: run its step first")
