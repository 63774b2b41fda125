"""OpenLineage events of a job run: its start, and its end with what it read and wrote, each by version.

They are made from the commits of the run, as the ledger is, so that they can't say anything else. Airflow's own events,
of DAG runs and tasks, come from its OpenLineage provider; a job's event names the task that started it as its parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, RunEvent, RunState
from openlineage.client.event_v2 import Run as LineageRun
from openlineage.client.facet_v2 import (
    RunFacet,
    error_message_run,
    job_type_job,
    nominal_time_run,
    parent_run,
    processing_engine_run,
)
from openlineage.client.uuid import generate_new_uuid

from dq import summary
from jobs.lake import errors, quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit import Commit
from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.lineage import datasets, keeping


@dataclass
class Lineage:
    """What a job run tells of itself. A failure to tell is printed, and fails no step.

    Attributes:
        run: what the job run was asked to do.
        id: its OpenLineage id.
        begun: when it started, UTC. Commits before that are of an earlier try, which has told them.
    """

    run: Run
    id: str = field(default_factory=lambda: str(generate_new_uuid()))
    begun: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def started(self) -> None:
        """Tells the start."""
        self._tell(RunState.START)

    def ended(self, error: BaseException | None = None) -> None:
        """Tells the end: `COMPLETE` with the versions read and written, `FAIL` with what may be said of the error."""
        self._tell(RunState.FAIL if error else RunState.COMPLETE, error)

    def _tell(self, state: RunState, error: BaseException | None = None) -> None:
        try:
            keeping.keep(self.event(state, error))
        except Exception as failure:  # whoever collects lineage must stop no step
            print(f"lineage: {state.value} could not be told: {type(failure).__name__}", flush=True)

    def event(self, state: RunState, error: BaseException | None = None) -> RunEvent:
        """The event of this state. `COMPLETE` costs a request or two for each table that was read or written."""
        read, wrote = self._datasets() if state is RunState.COMPLETE else ([], [])
        return RunEvent(
            eventType=state,
            eventTime=datetime.now(UTC).isoformat(),
            run=LineageRun(runId=self.id, facets=self._facets(error)),
            job=Job(namespace=settings.project(), name=self.run.step, facets={"jobType": self._kind()}),
            inputs=read,
            outputs=wrote,
            producer=f"urn:sluice:{self.run.code}",
        )

    def _kind(self) -> job_type_job.JobTypeJobFacet:
        streams = any(table.name == self.run.step and table.continuous for table in tables.every())
        return job_type_job.JobTypeJobFacet("STREAMING" if streams else "BATCH", integration="SPARK", jobType="JOB")

    def _facets(self, error: BaseException | None) -> dict[str, RunFacet]:
        found: dict[str, RunFacet] = {}
        if self.run.lineage_parent:
            namespace, job, run_id = self.run.lineage_parent.rsplit("/", 2)
            parent = parent_run.ParentRunFacet(parent_run.Run(run_id), parent_run.Job(namespace, job))
            found["parent"] = parent
        if self.run.window_start and self.run.window_end:
            found["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
                self.run.window_start.isoformat(), self.run.window_end.isoformat()
            )
        if error:
            # Only what an alert may say: a message of Spark or of a source can quote a row.
            found["errorMessage"] = error_message_run.ErrorMessageRunFacet(errors.told(error), "PYTHON")
        else:
            from pyspark import __version__ as spark

            found["processing_engine"] = processing_engine_run.ProcessingEngineRunFacet(spark, name="spark")
        return found

    def _datasets(self) -> tuple[list[InputDataset], list[OutputDataset]]:
        if self.run.step == "gate":
            return list(self._judged()), []
        read: dict[str, InputDataset] = {}
        wrote = []
        for table, commit in self._commits():
            wrote.append(datasets.written(table, commit))
            record = commit.record
            if record is None:
                continue
            for name, version in record.inputs.items():
                read[name] = datasets.read(name, version, record.read_by_source.get(name))
            if record.source and record.counts and table == self.run.step:
                read[record.source] = datasets.source(tables.table(table), record.counts.read)
        return list(read.values()), wrote

    def _commits(self) -> Iterator[tuple[str, Commit]]:
        """The newest commit that this run's step made in each table that it may have written."""
        known = {table.name: table for table in tables.every()}
        subject = known.get(self.run.step) or known.get(self.run.subject)
        if subject is None:
            return
        names = [subject.name, *(each.name for each in tables.every() if each.written_with == subject.name)]
        names += [quarantine.name(subject)] if subject.layer == "silver" else []
        for name in names:
            for commit in log.newest(settings.lake().uri(name)):
                if commit.time < self.begun:
                    break
                if commit.record and commit.record.is_of(self.run) and commit.record.step == self.run.step:
                    yield name, commit
                    break

    def _judged(self) -> Iterator[InputDataset]:
        """What the gate judged in this run, each version with the outcome of its rules."""
        for table in tables.pipeline(self.run.subject).gated:
            found = (objects.read_json(summary.key(table.name)) or {}).get("validated") or {}
            if (found.get("dag_id"), found.get("run_id")) == (self.run.dag_id, self.run.run_id):
                yield datasets.read(table.name, found["version"], judged=found["results"])
