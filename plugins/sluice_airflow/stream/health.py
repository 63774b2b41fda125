"""Whether a stream does well, by what it reports and by its job run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sluice_airflow.stream.runs import StreamRun


class Problem(str):
    """What is wrong, in a sentence for the task's log, and its name in `jobs.alerts.severity.BY_ERROR`."""

    name: str

    def __new__(cls, name: str, sentence: str) -> Problem:
        made = super().__new__(cls, sentence)
        made.name = name
        return made


@dataclass(frozen=True)
class Limits:
    """Beyond these a person is alerted.

    Attributes:
        silent_seconds: since the newest report, or since the job run began if it has not reported yet.
        max_lag: messages that may wait in Kafka. More may wait as long as they become fewer.
        share_from: with fewer messages in the last ten minutes, a share says nothing.
        max_dead_share: of the messages of the last ten minutes, the share that may be dead-lettered.
    """

    silent_seconds: float = 300.0
    max_lag: int = 50_000
    share_from: int = 100
    max_dead_share: float = 0.2


@dataclass(frozen=True)
class Health:
    """A stream at one moment.

    Attributes:
        run: its live job run; None without one.
        last: its newest job run, live or not.
        since: when the job run reached its state; of a running one: when its driver began.
        report: the newest, `jobs.lake.state.stream_control.Report` as a dict; None when there is none of this job run.
        code: hash of the deployed release.
        now: the time.
    """

    run: StreamRun | None
    last: StreamRun | None
    since: datetime
    report: dict[str, Any] | None
    code: str
    now: datetime

    @classmethod
    def of(
        cls, runs: list[StreamRun], began: datetime | None, report: dict[str, Any] | None, code: str, now: datetime
    ) -> Health:
        """Args as the attributes; `runs` newest first, `report` of any job run, `began` of the live one."""
        live = next((run for run in runs if run.live), None)
        own = report if live and report and report["job"] == live.name else None
        return cls(live, runs[0] if runs else None, began or now, own, code, now)

    @property
    def figures(self) -> str:
        """One line."""
        state = f"job run {self.run.state}, attempt {self.run.attempt}" if self.run else "no job run"
        if not (report := self.report):
            return f"{state}, no report yet"
        lag, before = ("unknown" if report[name] is None else report[name] for name in ("lag", "lag_before"))
        return (
            f"{state}; {report['state']}, lag {lag} (ten minutes ago {before}), {report['events_per_second']} events/s"
            f"; in ten minutes {report['read']} read and {report['dead_lettered']} dead-lettered, newest batch "
            f"{report['committed_at']} in {report['batch_seconds']} s; reported {report['reported_at']}"
        )

    def problems(self, limits: Limits, *, dead_letters: str, dag_id: str) -> list[Problem]:
        """What a person has to know, each with what to do; nothing when all is well.

        Args:
            limits: beyond which a person is alerted.
            dead_letters: table of the dead-lettered messages.
            dag_id: of the DAG that starts the stream.
        """
        if self.run is None:
            return [self._dead(dag_id)]
        found = []
        if self.run.code != self.code:
            found.append(
                Problem(
                    "ReleaseNotHandedOver",
                    f"release {self.run.code} runs, and {self.code} is deployed. The log of the task before this one "
                    "says why the hand-over fails",
                )
            )
        if self._age.total_seconds() > limits.silent_seconds:
            return [*found, self._silent(self.run, dag_id)]  # old figures say nothing about now
        return found + (self._alerts(self.report, limits, dead_letters) if self.report else [])

    @property
    def _age(self) -> timedelta:
        """How long ago it was last heard of."""
        heard = datetime.fromisoformat(self.report["reported_at"]) if self.report else self.since
        return self.now - max(heard, self.since)

    def _dead(self, dag_id: str) -> Problem:
        end = "there has been none"
        if last := self.last:
            at = f"{last.changed_at:%Y-%m-%d %H:%M:%S} UTC"
            end = f"the newest, {last.id}, has been {last.state} since {at}. {last.details}".rstrip(". ")
        return Problem(
            "StreamDown",
            f"no job run is live; {end}. The task before this one starts it again, after a rest that grows with "
            f"each failure; its log has the reason. To start it now, trigger {dag_id} with action=run",
        )

    def _silent(self, run: StreamRun, dag_id: str) -> Problem:
        seconds = f"{self._age.total_seconds():.0f} s"
        if run.state != "RUNNING":
            return Problem(
                "StreamSilent",
                f"job run {run.id} has been {run.state} for {seconds} and has not begun. The application has no room "
                "for it: see its other job runs and its maximum capacity",
            )
        return Problem(
            "StreamSilent",
            f"it has not reported for {seconds}, and job run {run.id} is RUNNING, attempt {run.attempt}. See its "
            "log (button Job run of the task before this one): it cannot reach Kafka or S3, or "
            f"hangs. If it hangs, trigger {dag_id} with action=restart",
        )

    @staticmethod
    def _alerts(report: dict[str, Any], limits: Limits, dead_letters: str) -> list[Problem]:
        found = []
        lag, before, read, dead = (report[name] for name in ("lag", "lag_before", "read", "dead_lettered"))
        if lag is None:
            found.append(
                Problem(
                    "KafkaSilent",
                    "Kafka does not answer. Nothing is lost while Kafka still keeps the messages. See whether its "
                    "brokers are up, and check bootstrap_servers, api_key and api_secret of the secret "
                    "kafka/credentials",
                )
            )
        elif before is not None and lag > limits.max_lag and lag > before:
            found.append(
                Problem(
                    "StreamBehind",
                    f"it falls behind: {lag} messages wait (limit {limits.max_lag}), and ten minutes ago {before} did. "
                    "See whether batches have become slow, or producers send more than it can read. Then give it more "
                    "workers",
                )
            )
        if read >= limits.share_from and dead / read > limits.max_dead_share:
            found.append(
                Problem(
                    "DeadLetters",
                    f"dead-letter rate: {dead} of {read} messages of the last ten minutes are not valid events "
                    f"({dead / read:.0%}, limit {limits.max_dead_share:.0%}). Count them by reason in {dead_letters} "
                    "and tell the producer. When the cause is mended, take them in with the step dlq.replay",
                )
            )
        return found
