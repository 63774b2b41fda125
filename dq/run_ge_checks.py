"""The gate between silver and gold: judges the very versions that this run wrote, and passes or refuses them."""

from __future__ import annotations

from dq import results, suite, validate
from jobs.lake import delta, delta_log, gated, session, settings, tables
from jobs.lake.errors import GateError
from jobs.lake.run import Run


def gate(run: Run) -> None:
    """Judges every silver table of the run; gold may read only what passes.

    Cost grows with the size of the silver tables.

    Raises:
        GateError: a critical rule failed or could not be judged, or a table was not written by this run.
    """
    gated.refused(run)
    spark = session.spark(run.step)
    versions = {table.name: version_to_judge(run, table.name) for table in tables.layer("silver")}
    refusals: list[str] = []
    for name, version in versions.items():
        rules = suite.load(name)
        frame = delta.read(spark, settings.lake().uri(name), version)
        judged = validate.validate(rules, frame, frame)
        place = results.write(run, rules, judged, version)
        lines = results.summary(f"{name} version {version}", judged)
        print("\n".join(lines), flush=True)
        if any(judgement.critical for judgement in judged):
            refusals.append(f"{' '.join(lines)} All results: {place}")
    if refusals:
        raise GateError(f"The gate refuses. Gold is unchanged. {' '.join(refusals)}")
    gated.passed(run, versions)


def version_to_judge(run: Run, table: str) -> int:
    """The newest version of the table that this run wrote; of a table that it was told to leave out, the newest.

    Raises:
        GateError: it wrote none that the log still has, or there is no table.
    """
    if not run.builds(table):
        newest = delta_log.version(settings.lake().uri(table))
        if newest is None:
            raise GateError(f"{table} has no table yet, and run {run.run_id} leaves it out: run it for all tables")
        return newest
    for commit in delta_log.commits(settings.lake().uri(table)):
        if commit.metadata.get("run_id") == run.run_id:
            return commit.version
    raise GateError(f"{table} was not written in run {run.run_id}: run its step first")
