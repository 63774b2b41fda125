"""Why a task failed, as an alert may say it: the cause that it shares with other tasks, no text of unknown origin."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout
from botocore.exceptions import ClientError

from sluice_airflow.emr import patience
from sluice_airflow.emr.driver_log import Failure


@dataclass(frozen=True)
class Cause:
    """What one alert is about, however many tasks fail of it.

    An error of ours says what is wrong with one step, so that it belongs to that step. Any other error (AWS out of
    reach, S3 down, a killed worker) belongs to the whole DAG: tasks that fail of it share one cause.

    Attributes:
        dag_id: of the DAG.
        kind: `data`, `configuration`, `transient`, `system`, `stream` or `deadline`.
        error: name of the error.
        step: that it belongs to; empty for the whole DAG.
    """

    dag_id: str
    kind: str
    error: str
    step: str = ""

    @property
    def key(self) -> str:
        """Names the cause for good: the DAG, and a digest of the rest."""
        rest = hashlib.sha256(json.dumps([self.kind, self.error, self.step]).encode()).hexdigest()[:12]
        return f"{self.dag_id}/{rest}"


@dataclass(frozen=True)
class Told:
    """A failure, ready to be told.

    Attributes:
        cause: of the failure.
        text: what may be repeated of it; empty when the error is of unknown origin.
    """

    cause: Cause
    text: str = ""


def of(dag_id: str, error: Any) -> Told:
    """The cause of a task's failure.

    Args:
        dag_id: of the task.
        error: as Airflow's context has it: the exception; or its text, or None, when the task's process is gone.
    """
    failure = getattr(error, "failure", None)
    if isinstance(failure, Failure):
        name = failure.error or _without_report(failure)
        step = getattr(error, "step", "") if failure.alert else ""
        return Told(Cause(dag_id, failure.kind, name, step), failure.alert)
    if not isinstance(error, BaseException):
        return Told(Cause(dag_id, "system", "TaskLost"))
    if patience.transient(error):
        return Told(Cause(dag_id, "transient", "AwsUnreachable"))
    if isinstance(error, ClientError):
        return Told(Cause(dag_id, "configuration", f"Aws{patience.code(error)}"))
    if isinstance(error, AirflowFailException):
        return Told(Cause(dag_id, "configuration", "TaskRefused"))
    if isinstance(error, AirflowTaskTimeout):
        return Told(Cause(dag_id, "system", "TaskTimeout"))
    if type(error) is AirflowException:
        return Told(Cause(dag_id, "system", "TaskFailed"))
    return Told(Cause(dag_id, "system", type(error).__name__))


def _without_report(failure: Failure) -> str:
    """A name for a job run that ended without saying why: it was killed, or never began."""
    return "JobRunFailed" if failure.kind == "system" else f"JobRunFailed ({failure.kind})"
