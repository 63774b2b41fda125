"""`python -m infra.deploy deploy ENV [name=value …]`, `python -m infra.deploy rollback ENV RELEASE [name=value …]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.deployment import Deployment
from infra.deploy.errors import DeployError
from infra.package import release, upload
from infra.provision import settings
from infra.provision.errors import ProvisionError
from infra.provision.terraform import Workspace
from infra.setup.steps import SetupError


def say(line: str) -> None:
    """Shows progress, with the time in UTC."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Runs a command; 1 when the environment does not run what was asked for."""
    action, name, *rest = [*arguments, "", ""][: max(2, len(arguments))]
    given = [word for word in rest if "=" in word]
    try:
        environment = settings.read(name)
        session = boto3.Session(region_name=environment.region)
        deployment = Deployment(environment, Workspace.of(name), session.client, say, given)
        if action == "deploy":
            deploy(deployment)
        elif action == "rollback":
            roll_back(deployment, next((word for word in rest if "=" not in word), ""))
        else:
            raise DeployError(f"no command {action!r}: {__doc__}")
    except (DeployError, ProvisionError, SetupError) as error:
        print(f"infra.deploy: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"infra.deploy: AWS refused: {error}. It is safe to run it again", file=sys.stderr)
        return 1
    return 0


def deploy(deployment: Deployment) -> None:
    """Builds this checkout's release, uploads it, switches to it and tries it.

    Raises:
        DeployError: it does not work; the release before runs again.
        ProvisionError: Terraform failed before anything was switched.
        SetupError: the release can't be built.
    """
    folder = release.build()
    found = deployment.settings() or deployment.make_all_but_airflow(folder.name)
    deployment.say(f"uploading release {folder.name}")
    upload.whole(found["SLUICE_CODE_BUCKET"])
    deployment.bring(folder.name, found)
    deployment.say(f"{deployment.environment.name} runs release {folder.name}")


def roll_back(deployment: Deployment, name: str) -> None:
    """Goes to an earlier release, and tries it.

    Raises:
        DeployError: it is not there, or does not work; the release before runs again.
        ProvisionError: nothing is deployed, or Terraform failed.
    """
    found = deployment.settings()
    if not found:
        raise ProvisionError(f"nothing is deployed to {deployment.environment.name}: begin with `make deploy`")
    deployment.bring(name, found)
    deployment.say(f"{deployment.environment.name} runs release {name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
