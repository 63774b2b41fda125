"""The errors of a task whose job run failed. They carry why, so that an alert need not read their text."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sluice_airflow.emr.driver_log import Failure


class StepFailed(AirflowException):
    """A job run failed of what a retry may mend.

    Attributes:
        step: that the job run executed.
        failure: why it failed.
    """

    def __init__(self, text: str, *, step: str, failure: Failure) -> None:
        super().__init__(text)
        self.step = step
        self.failure = failure


class StepFailedForGood(AirflowFailException):
    """A job run failed of bad data or bad set-up: no retry. Attributes as `StepFailed`."""

    def __init__(self, text: str, *, step: str, failure: Failure) -> None:
        super().__init__(text)
        self.step = step
        self.failure = failure
