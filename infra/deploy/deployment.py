"""One environment, and the way of a release into it: switch, wait, pools, canary; and back when one of these fails."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import pools
from infra.deploy import release_in_s3
from infra.deploy.airflow import Airflow, AirflowAwayError
from infra.deploy.errors import DeployError
from infra.deploy.release_in_s3 import DeployedRelease
from infra.deploy.trial import Trial
from infra.provision.__main__ import change
from infra.provision.errors import ProvisionError
from infra.provision.settings import Environment
from infra.provision.terraform import RELEASE, Workspace
from infra.setup.steps import REPOSITORY, VENV

WITHOUT_AIRFLOW = "create_mwaa=false"
# What a release that does not work may make a step of a deployment raise.
FAILURES = (AirflowAwayError, BotoCoreError, ClientError, DeployError, ProvisionError, pools.PoolsRefusedError)


@dataclass(frozen=True)
class Deployment:
    """An environment that is changed.

    Attributes:
        environment: its file.
        workspace: where Terraform works.
        client: gives a boto3 client by its service's name.
        say: shows progress.
        given: variables, `name=value`, which win over the environment's file.
    """

    environment: Environment
    workspace: Workspace
    client: Callable[[str], Any]
    say: Callable[[str], None]
    given: Sequence[str] = ()

    def settings(self) -> dict[str, str]:
        """Terraform's output `settings`; empty before the first apply."""
        self.workspace.connect(self.environment)
        found: dict[str, str] = self.workspace.outputs().get("settings", {})
        return found

    def make_all_but_airflow(self, name: str) -> dict[str, str]:
        """A first apply: MWAA can't start before the bucket has its release. Gives the settings."""
        self.say(f"{self.environment.name} is new: everything but Airflow is made first")
        self._apply({"release": {"name": name}}, WITHOUT_AIRFLOW)
        return self.settings()

    def bring(self, name: str, settings: dict[str, str]) -> None:
        """Switches to a release that the code bucket has, and tries it. Goes back by itself when that fails.

        Args:
            name: of the release.
            settings: of the environment, as Terraform tells them.

        Raises:
            DeployError: the release does not work, or is not there; the message says what runs now.
        """
        s3, bucket = self.client("s3"), settings["SLUICE_CODE_BUCKET"]
        release = release_in_s3.find(s3, bucket, name)
        before = next(iter(release_in_s3.tried(s3, bucket)[::-1]), "")
        try:
            self._put(release, settings)
        except FAILURES as error:
            if before in ("", name):
                raise DeployError(
                    f"release {name} does not work: {error}. There is no other to go back to: mend it, and deploy again"
                ) from error
            self.say(f"release {name} does not work: {error}")
            self._go_back(name, before, settings)
            raise DeployError(f"release {name} does not work, and {before} runs again: {error}") from error
        release_in_s3.note(s3, bucket, name)

    def _go_back(self, failed: str, name: str, settings: dict[str, str]) -> None:
        self.say(f"going back to release {name}")
        try:
            self._put(release_in_s3.find(self.client("s3"), settings["SLUICE_CODE_BUCKET"], name), settings)
        except FAILURES as error:
            raise DeployError(
                f"release {failed} does not work, nor does the way back to {name}: {error}. Jobs that run go on on "
                f"their own releases. See what Airflow says, then `make rollback ENV={self.environment.name} TO={name}`"
            ) from error

    def _put(self, release: DeployedRelease, settings: dict[str, str]) -> None:
        self.say(f"switching to release {release.name}")
        self._apply(release.variables())
        self._say_what_runs_are_missing(settings["SLUICE_SCHEDULE_START"])
        environment, mwaa = settings["SLUICE_MWAA_ENVIRONMENT"], self.client("mwaa")
        trial = Trial(Airflow(mwaa, environment), self.client("athena"), settings["SLUICE_PROJECT"], self.say)
        dag_ids = release_in_s3.dags(self.client("s3"), settings["SLUICE_CODE_BUCKET"], release.name)
        trial.await_release(release.name, dag_ids)
        trial.set_pools()
        trial.run_canary(release.name)

    def _apply(self, variables: dict[str, Any], *given: str) -> None:
        self.workspace.folder.mkdir(parents=True, exist_ok=True)
        (self.workspace.folder / RELEASE).write_text(json.dumps(variables, indent=1))
        more = [*self.given, *given]
        changes = change(self.workspace, "plan", self.environment, more)
        if changes == 1:
            raise ProvisionError("`terraform plan` failed; its output says why")
        if changes:
            change(self.workspace, "apply", self.environment, more)

    def _say_what_runs_are_missing(self, start: str) -> None:
        """Airflow counts them: its environment has the timetable that schedules them."""
        command = [str(VENV / "airflow" / "bin" / "python"), "-m", "sluice_airflow.missed_runs", start]
        environment = {"PYTHONPATH": f"{REPOSITORY / 'plugins'}:{REPOSITORY}", "PATH": "/usr/bin:/bin"}
        told = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
        if told.returncode:
            raise DeployError(f"the runs since {start} can't be counted: {told.stderr.strip().rpartition(chr(10))[2]}")
        self.say(told.stdout.strip())
