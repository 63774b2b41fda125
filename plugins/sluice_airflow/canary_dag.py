"""The DAG by which a deployment tries a release before it trusts it."""

from __future__ import annotations

import pkgutil
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, Context

from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.manual_dag import manual_dag

if TYPE_CHECKING:
    from jobs.lake.settings import Deployment

MINUTES = 30  # of the job run
LIMIT = timedelta(minutes=10)  # of a task on a worker
PLUGINS = Path(__file__).resolve().parents[1]
RETRIES = {"retries": 1, "retry_delay": timedelta(seconds=30), "max_retry_delay": timedelta(minutes=1)}


class LoadOperator(BaseOperator):
    """Imports every module of the plugins. Airflow itself loads a page or a trigger only when it is needed."""

    def execute(self, context: Context) -> int:
        """Import them; answers how many there are.

        Raises:
            Exception: what a module raises while it is imported.
        """
        found = [module.name for module in pkgutil.walk_packages([str(PLUGINS)])]
        for name in found:
            import_module(name)
        return len(found)


class NoticeOperator(BaseOperator):
    """Tells people of low severity that a release was tried: by the role, the key and the topics of real alerts."""

    def __init__(self, *, tried: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tried = tried

    def execute(self, context: Context) -> None:
        """Publish the notice.

        Raises:
            LakeError: SNS does not take it; the message says why.
        """
        from jobs.alerts import publish
        from jobs.alerts.notice import notice
        from jobs.lake import settings

        told = notice(
            "deployment",
            "ReleaseTried",
            source=self.dag_id,
            title=f"Release {self.tried} was tried",
            what=f"Its code can be loaded, its job run wrote a row, and alerts go out. DAG run {context['run_id']}.",
            key=f"canary/{self.tried}",
            project=settings.project(),
        )
        publish.publish(told, settings.alert_topics())


def canary_dag(owner: str, deployment: Deployment, *, doc: str | None) -> DAG:
    """One job run and a look at the plugins, then one notice.

    The DAG's tag names the release of its file's tree: by that, a deployment waits for it.

    Args:
        owner: the team that is called when it fails.
        deployment: whose release is tried.
        doc: the DAG file's docstring.
    """
    release = deployment.release.rpartition("/")[2] or "unreleased"
    with manual_dag(
        "canary",
        deployment,
        description="Tries the deployed release: its code, a job run, a row in Athena, and an alert of low severity.",
        doc=doc,
        task_defaults={"owner": owner, "execution_timeout": LIMIT, **RETRIES},
        params={},
    ) as dag:
        dag.tags.add(f"release:{release}")
        tried = EmrJobOperator(task_id="canary", step="canary", windowed=False, execution_timeout_minutes=MINUTES)
        loaded = LoadOperator(task_id="load", doc="Imports all plugins.")
        [tried, loaded] >> NoticeOperator(task_id="tell", tried=release, doc="Tells people of low severity.")
    return dag
