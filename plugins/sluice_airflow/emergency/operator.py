"""The operator that stops all that Sluice does, and lets what ran run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.emr import EmrServerlessHook
from airflow.providers.amazon.aws.hooks.mwaa import MwaaHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sluice_airflow.emergency import stop_record
from sluice_airflow.emergency.airflow_api import AirflowApi
from sluice_airflow.emergency.job_runs import ProjectRuns, cancel_batches, end_all
from sluice_airflow.emergency.stop_record import Decision, StopRecord
from sluice_airflow.emr.runs import JobRuns
from sluice_airflow.job_settings import UNSET, JobSettings, UsesJobSettings
from sluice_airflow.lake_objects import LakeObjects, s3_client
from sluice_airflow.stream.desired_state import RUNNING, STOPPED, DesiredState, DesiredStateObject, desired_state_key
from sluice_airflow.stream.drain import drain
from sluice_airflow.stream.runs import StreamRuns

DRAIN_SECONDS = 180.0  # as a stream's own task grants
END_SECONDS = 480.0  # a task that was just starting its job run has so long to end
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Stream:
    """A stream, and the task that keeps it alive."""

    table: str
    dag_id: str
    task_id: str


class EmergencyStopOperator(UsesJobSettings, AwsBaseOperator[EmrServerlessHook]):
    """Stop everything, or undo that: the DAG's parameter `action` is `stop` or `undo`.

    A stop writes down what runs (`stop_record`), then pauses the DAGs, asks the streams to finish their batch and end,
    cancels all other job runs of the project, and waits until nothing is left that could write. It may be killed at
    any moment and run again. What was paused or stopped before is left alone, also by the undo.
    """

    aws_hook_class = EmrServerlessHook
    required: ClassVar[tuple[str, ...]] = ("application_id", "lake_bucket")

    def __init__(
        self,
        *,
        dag_ids: Sequence[str],
        streams: Sequence[Stream],
        airflow_address: str,
        mwaa_environment: str,
        job_settings: JobSettings = UNSET,
        aws_conn_id: str | None = None,
        execution_timeout: timedelta = timedelta(minutes=20),
        **kwargs: Any,
    ) -> None:
        """A task that stops and undoes.

        Args:
            dag_ids: DAGs to pause. Those without a schedule are left alone: they only run when a person asks.
            streams: to drain.
            airflow_address: of Airflow's REST API; empty on MWAA.
            mwaa_environment: name of the MWAA environment, whose REST API is asked through AWS.
            job_settings: of the deployment; `default_args` fill it.
            aws_conn_id: an Airflow connection; None is boto3's own chain, such as the worker's role.
            execution_timeout: time limit of the task.
            **kwargs: as any operator of the Amazon provider.
        """
        super().__init__(aws_conn_id=aws_conn_id, execution_timeout=execution_timeout, **kwargs)
        self.use(job_settings)
        self.dag_ids = list(dag_ids)
        self.streams = list(streams)
        self.airflow_address = airflow_address
        self.mwaa_environment = mwaa_environment
        self._failures: list[str] = []

    def execute(self, context: Context) -> dict[str, Any]:
        """Do what is asked; answers what was stopped, or is let run again.

        Raises:
            AirflowFailException: nobody said who and why, or Airflow's REST API can't be found.
            AirflowException: something could not be stopped; a retry goes on.
            AirflowSkipException: there is nothing to undo.
        """
        self.refuse_unset()
        params = context["params"]
        decision = Decision(params["who"].strip(), params["why"].strip(), _now(), context["run_id"])
        if not (decision.who and decision.why):
            raise AirflowFailException("say who decided it and why: set who and why")
        done = self._stop(decision) if params["action"] == "stop" else self._undo(decision)
        if self._failures:
            raise AirflowException(f"not all was done; a retry goes on: {'; '.join(self._failures)}")
        return done

    # Stop

    def _stop(self, decision: Decision) -> dict[str, Any]:
        known = {dag_id: dag for dag_id in self.dag_ids if (dag := self._airflow.dag(dag_id))}
        running = [name for name, dag in known.items() if dag["timetable_summary"] and not dag["is_paused"]]
        record = stop_record.read(self._objects)
        if record is None or record.undone:
            record = StopRecord(decision, running, {name: asdict(desired) for name, desired in self._wanted()})
            stop_record.write(self._objects, record)  # first: from here on a kill forgets nothing
        elif record.stopped.run_id != decision.run_id:
            self.log.warning("Stopped already, by %s. What ran then is what the undo brings back", record.stopped)
        why = f"emergency stop by {decision.who}: {decision.why}"
        for dag_id in running:
            with self._going_on(f"DAG {dag_id}"):
                self._airflow.pause(dag_id, True)
        for stream in self.streams:
            with self._going_on(f"stream {stream.table}"):
                if self._desired(stream).read().wanted != STOPPED:
                    self._desired(stream).write(DesiredState(STOPPED, by=record.mark))
        project = ProjectRuns(self._jobs, self.project)
        cancelled = cancel_batches(project, why)
        drained = [stream.table for stream in self.streams if self._drain(stream, why)]
        working = partial(self._airflow.on_workers, list(known))
        cancelled |= end_all(project, why, seconds=END_SECONDS, working=working)
        done = {"paused": running, "drained": drained, "cancelled": cancelled}
        self._report("stopped", done)
        self.log.info("What ran: DAGs %s; streams %s", list(record.dags), list(record.streams))
        self.log.info("To let it run again, trigger %s with action=undo", self.dag_id)
        return done

    def _wanted(self) -> Iterator[tuple[str, DesiredState]]:
        """The streams that are to run."""
        for stream in self.streams:
            desired = self._desired(stream).read()
            if desired.wanted == RUNNING:
                yield stream.table, desired

    def _drain(self, stream: Stream, why: str) -> bool:
        """Whether a job run of the stream was there to end."""
        runs = StreamRuns.of_task(self._jobs, stream.dag_id, stream.task_id)
        unended = [run.id for run in runs.unended()]
        with self._going_on(f"stream {stream.table}"):
            drain(runs, unended, why, seconds=DRAIN_SECONDS)
        return bool(unended)

    # Undo

    def _undo(self, decision: Decision) -> dict[str, Any]:
        record = stop_record.read(self._objects)
        if record is None or (record.undone and record.undone.run_id != decision.run_id):
            last = f": the last stop was undone by {record.undone}" if record else ""
            raise AirflowSkipException(f"nothing is stopped{last}")
        self.log.info("Undoes the stop by %s", record.stopped)
        wanted = [stream for stream in self.streams if self._let_run(stream, record)]
        unpaused = [dag_id for dag_id in record.dags if self._unpause(dag_id)]
        if not self._failures:
            stop_record.write(self._objects, replace(record, undone=record.undone or decision))
        for stream in wanted:
            if stream.dag_id not in record.dags:
                self.log.warning("%s starts when %s is triggered: that DAG was paused", stream.table, stream.dag_id)
        done = {"unpaused": unpaused, "wanted": [stream.table for stream in wanted]}
        self._report("running again", done)
        return done

    def _let_run(self, stream: Stream, record: StopRecord) -> bool:
        """Gives a stream the desired state that the stop replaced, unless somebody else has replaced it since."""
        before = record.streams.get(stream.table)
        if before is None:
            return False
        with self._going_on(f"stream {stream.table}"):
            now = self._desired(stream).read()
            if now == DesiredState(STOPPED, by=record.mark):
                now = self._desired(stream).write(DesiredState(**before))
            if now == DesiredState(**before):
                return True
            self.log.info("%s: %s has asked for something else since; it is left so", stream.table, now.by)
        return False

    def _unpause(self, dag_id: str) -> bool:
        with self._going_on(f"DAG {dag_id}"):
            if self._airflow.dag(dag_id) is None:
                self.log.warning("%s is not there any more", dag_id)
                return False
            self._airflow.pause(dag_id, False)
            return True
        return False

    # Both

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        """What fails is told at the end: the rest must not wait for it."""
        try:
            yield
        except Exception as error:
            self.log.error("%s: %s", what, error)
            self._failures.append(f"{what}: {error}")

    def _report(self, what: str, done: Mapping[str, Any]) -> None:
        for name, values in done.items():
            lines = [f"{key}: {value}" for key, value in values.items()] if isinstance(values, dict) else values
            self.log.info("%s, %s: %s", what, name, "".join(f"\n  {line}" for line in lines) or "nothing")

    @cached_property
    def _airflow(self) -> AirflowApi:
        if self.airflow_address:
            return AirflowApi.at(self.airflow_address)
        if not self.mwaa_environment:
            raise AirflowFailException("not set in the environment of Airflow: SLUICE_MWAA_ENVIRONMENT")
        hook = MwaaHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify)
        return AirflowApi.of_mwaa(self.mwaa_environment, hook)

    @cached_property
    def _jobs(self) -> JobRuns:
        return JobRuns(self.hook.conn, self.application_id, patience=PATIENCE_SECONDS)

    @cached_property
    def _objects(self) -> LakeObjects:
        return LakeObjects(s3_client(self), self.lake_bucket)

    def _desired(self, stream: Stream) -> DesiredStateObject:
        return DesiredStateObject(self._objects, desired_state_key(stream.table))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
