"""Where failures and successes are reported: it decides what is told, and tells it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sluice_airflow.alerts import aws
from sluice_airflow.alerts.cause import Cause
from sluice_airflow.alerts.open_causes import WHOLE_RUN, Failed, OpenCauses
from sluice_airflow.alerts.storm import HOLD, SHOWN, SUM_UP, Decision, Storm

if TYPE_CHECKING:
    from jobs.alerts.alert import Alert
    from jobs.lake.settings import Deployment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """The alerts of one DAG.

    Attributes:
        deployment: says where the lake is, and where the topics are.
        causes: the DAG's open causes.
        storm: of all DAGs.
    """

    deployment: Deployment
    causes: OpenCauses
    storm: Storm

    @classmethod
    def of(cls, dag_id: str) -> Desk:
        deployment = aws.deployment()
        objects = aws.lake_objects(deployment.lake_bucket)
        return cls(deployment, OpenCauses(objects, dag_id), Storm(objects))

    def failed(
        self, cause: Cause, failed: Failed, about: dict[str, Any], *, told_before: Callable[[], bool] = lambda: False
    ) -> None:
        """A task failed, and no retry follows: told once for its cause.

        Args:
            cause: of the failure.
            failed: the task.
            about: `title`, `what` and `links` of the alert.
            told_before: whether another task of the run has told already; asked only when the lake can't say it.
        """
        alert = self._alert(cause, about)
        try:
            tell = self.causes.add(cause, failed, severity=alert.severity, **about)
        except Exception as error:  # the lake may be what has failed: the alert goes out without it
            log.warning("The lake can't say whether %s was told: %s", cause.key, type(error).__name__)
            if told_before():
                log.warning("Not told again, as another task of the run failed before: %s", alert.title)
            else:
                self._tell(alert)
            return
        if tell:
            self._tell_cause(alert)
        else:
            log.info("Told before: %s", alert.title)

    def succeeded(self, done: Failed, *, tasks: frozenset[str] | None = None) -> None:
        """A task succeeded: tells what that recovers, and what nobody has told yet."""
        for key, value in self.causes.every().items():
            if self.causes.succeed(key, done, tasks=tasks):
                self._tell(self._recovery(key, value))
                self.causes.forget(key)
            elif self.causes.claim_untold(key):
                self._tell_cause(self._alert_of(key, value))
        self.calm()

    def run_failed(self, run_id: str, about: dict[str, Any], *, exact: bool) -> None:
        """A DAG run failed: tells what none of its tasks has told."""
        known = False
        try:
            for key, value in self.causes.every().items():
                known = known or any(one["run_id"] == run_id for one in value.get("failed", []))
                if self.causes.claim_untold(key):
                    self._tell_cause(self._alert_of(key, value))
        except Exception as error:  # as in `failed`
            log.warning("The lake can't say what was told of run %s: %s", run_id, type(error).__name__)
        if not known:
            cause = Cause(self.causes.dag_id, "system", "RunFailed")
            self.failed(cause, Failed(WHOLE_RUN, run_id, exact), about)

    def calm(self) -> None:
        """Sums up what has been held since the storm's last summary, if it is time to."""
        decision = self.storm.flush()
        if decision.what == SUM_UP:
            self._publish(self._summary(decision))

    def _tell_cause(self, alert: Alert) -> None:
        try:
            self._tell(alert)
        except Exception:  # raised again: the next callback tells what was not told
            self.causes.told(alert.key, well=False)
            raise
        self.causes.told(alert.key, well=True)

    def _tell(self, alert: Alert) -> None:
        try:
            decision = self.storm.take(alert.title, alert.severity)
        except Exception as error:  # as in `failed`
            log.warning("The lake can't say how many alerts there were: %s", type(error).__name__)
            self._publish(alert)
            return
        if decision.what in (HOLD, SUM_UP):
            log.warning("A storm of alerts: summed up instead of told: %s", alert.title)
            if decision.what == SUM_UP:
                self._publish(self._summary(decision))
            if alert.event == "recovery":
                self._publish(alert, channels=("pagerduty",))  # what pages is closed in any case
            return
        self._publish(alert)

    def _publish(self, alert: Alert, **limits: Any) -> None:
        from jobs.alerts.publish import publish

        try:
            publish(alert, self.deployment.alert_topics, **limits)
        except Exception as error:  # counted and raised again
            log.error("NOT SENT, %s: [%s] %s\n%s", error, alert.severity, alert.title, alert.what)
            aws.count({"AlertsNotSent": 1})
            raise
        log.info("Told [%s]: %s", alert.severity, alert.title)

    def _alert(self, cause: Cause, about: dict[str, Any]) -> Alert:
        named = {"kind": cause.kind, "error": cause.error, "dag_id": cause.dag_id}
        return self._alert_of(cause.key, {**named, **about})

    def _alert_of(self, key: str, value: dict[str, Any]) -> Alert:
        from jobs.alerts.alert import ALERT, Alert
        from jobs.alerts.severity import answer

        known = answer(value["kind"], value["error"])
        return Alert(
            event=ALERT,
            severity=known.severity,
            kind=value["kind"],
            error=value["error"],
            source=value["dag_id"],
            title=value["title"],
            what=value["what"],
            meaning=known.meaning,
            action=known.action,
            section=known.section,
            key=key,
            links=tuple((text, href) for text, href in value["links"]),
            project=self.deployment.project,
        )

    def _recovery(self, key: str, value: dict[str, Any]) -> Alert:
        from jobs.alerts.alert import RECOVERY

        return replace(
            self._alert_of(key, value),
            event=RECOVERY,
            severity=value["severity"],
            what=f"It has succeeded since. It began at {value['opened_at'][:19]} UTC, and {value['count']} task(s) "
            f"failed of it.\nWhat it was: {value['what']}",
            meaning="The cause is gone, and what failed of it was made up for.",
            action="Nothing has to be done.",
        )

    def _summary(self, decision: Decision) -> Alert:
        from jobs.alerts.alert import SUMMARY, Alert
        from jobs.alerts.severity import answer

        known, lines = answer("storm", "AlertStorm"), decision.lines
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        return Alert(
            event=SUMMARY,
            severity=decision.severity,
            kind="storm",
            error="AlertStorm",
            source="alerts",
            title=f"{len(lines)} alerts in a few minutes",
            what="\n".join([*lines[:SHOWN], *more]),
            meaning=known.meaning,
            action=known.action,
            section="Alerts",
            key="alerts/storm",
            project=self.deployment.project,
        )
