"""AWS on this machine as Terraform makes it: the infrastructure of dev, its sources, and releases that are deployed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.deploy.airflow import Airflow
from infra.deploy.deployment import Deployment
from infra.local import environment, parts
from infra.local.aws.access import caller, policies
from infra.local.kafka import topics
from infra.local.polling import wait_until
from infra.local.secrets import secrets
from infra.package.content import Content
from infra.policies import granted
from infra.provision import settings, state
from infra.provision.terraform import Workspace
from tests.infra.local.aws.mwaa import release
from tests.infra.local.aws.stand_in import Server, for_terraform, start_server

PERSON, DEPLOYER = "test", "github-sluice-deploy"
SOURCES = ("snowflake", "salesforce", "ecb", "kafka")


@dataclass
class Cloud:
    """One account: what Terraform made in it, and the way to change it."""

    server: Server
    home: Path
    said: list[str] = field(default_factory=list)

    @cached_property
    def deployment(self) -> Deployment:
        addresses = self.server.addresses
        sources = {
            "FX_RATES_URL": addresses.environment()["FX_RATES_URL"],
            "SNOWFLAKE_ENDPOINT_URL": addresses.snowflake,
            "SALESFORCE_ENDPOINT_URL": addresses.salesforce,
            "KAFKA_SSL_CA_FILE": str(addresses.kafka_authority),
        }
        size = {"vcpu": 8, "memory": 16, "disk": 40}
        emr = {"maximum": size, "ready": {"Driver": {"count": 2, "vcpu": 1, "memory": 2}}}
        given = ("create_budget=false", f"sources={json.dumps(sources)}", f"emr={json.dumps(emr)}")
        return Deployment(settings.read("dev"), Workspace(self.home / "dev"), self.as_deployer, self.say, given)

    def say(self, line: str) -> None:
        self.said.append(line)
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)

    def client(self, service: str) -> Any:
        """A client of a person, who may do all."""
        return self.as_deployer(service, aws_access_key_id=PERSON, aws_secret_access_key=PERSON)

    def as_deployer(self, service: str, **keys: str) -> Any:
        """A client of the role that deploys, as which Terraform calls too: the environment has its keys."""
        return boto3.client(
            service,
            endpoint_url=self.server.addresses.aws,
            region_name=settings.read("dev").region,
            config=Config(inject_host_prefix=False, proxies={}, read_timeout=90),
            **keys,
        )

    @cached_property
    def settings(self) -> dict[str, str]:
        """What Terraform says that DAGs need."""
        return self.deployment.settings()

    @property
    def airflow(self) -> Airflow:
        return Airflow(self.client("mwaa"), self.settings["SLUICE_MWAA_ENVIRONMENT"])

    def upload(self, read: Content | None = None) -> str:
        """Uploads a release; gives its name."""
        return release.upload(self.client("s3"), self.settings["SLUICE_CODE_BUCKET"], read)["name"]

    def put_secrets(self) -> None:
        """A person gives the secrets that Terraform made their values."""
        for name, document in secrets(self.server.addresses).items():
            self.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(document))

    def enforce(self) -> list[str]:
        """Lets this AWS refuse what the policies that Terraform made do not allow; gives the roles."""
        made: dict[str, str] = self.deployment.workspace.outputs()["policies"]
        documents: dict[str, dict[str, Any]] = {}
        for name, policy in made.items():
            role = name if name.startswith("job-") else "airflow"
            known = documents.setdefault(f"sluice-{role}", {"Statement": []})
            known["Statement"] += json.loads(policy)["Statement"]
        documents |= granted.of_deployment(settings.read("dev"))
        policies.file(self.server.addresses.home).write_text(json.dumps(documents))
        return sorted(documents)

    def run(self, dag_id: str, run_id: str, *, seconds: float = 1_200) -> str:
        """Starts a run by hand and waits for its end; gives the state, and prints what job runs said of it."""
        self.airflow.unpause(dag_id)
        self.airflow.start(dag_id, run_id)
        state = wait_until(lambda: self._ended(dag_id, run_id), seconds=seconds, pause=2)
        if state == "failed":
            logs = (self.server.addresses.home / "emr").rglob("stdout")
            print(*(line for log in logs for line in log.read_text().splitlines() if "SLUICE-ERROR" in line), sep="\n")
        return state

    def _ended(self, dag_id: str, run_id: str) -> str | None:
        state = self.airflow.state(dag_id, run_id)
        return state if state in ("success", "failed") else None

    def ask(self, query: str) -> list[tuple[str, ...]]:
        """The rows of a query of Athena, as text."""
        athena = self.client("athena")
        asked = athena.start_query_execution(QueryString=query, WorkGroup=self.settings["SLUICE_PROJECT"])
        asked = {"QueryExecutionId": asked["QueryExecutionId"]}

        def status() -> dict[str, Any] | None:
            found: dict[str, Any] = athena.get_query_execution(**asked)["QueryExecution"]["Status"]
            return found if found["State"] not in ("QUEUED", "RUNNING") else None

        ended = wait_until(status, seconds=120)
        assert ended["State"] == "SUCCEEDED", ended
        rows = athena.get_query_results(**asked)["ResultSet"]["Rows"][1:]
        return [tuple(cell.get("VarCharValue", "") for cell in row["Data"]) for row in rows]


@contextmanager
def made(home: Path, port: int) -> Iterator[Cloud]:
    """An account with nothing in it but the bucket of Terraform's state; and sources that answer."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        server = start_server(home, port, LOCAL_EMR_MINUTE_SECONDS="60")
        stack.callback(server.end)
        for name, value in {**for_terraform(server.addresses), **caller.credentials(DEPLOYER)}.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it may have other keys
        for part in parts.stand_ins(server.addresses):
            if part.name in SOURCES:
                _start(part, server, stack)
        topics.ensure(server.addresses)
        cloud = Cloud(server, home)
        state.make(cloud.client("s3"), settings.read("dev"))
        yield cloud


def _start(part: parts.Part, server: Server, stack: ExitStack) -> None:
    (server.addresses.home / "tmp").mkdir(exist_ok=True)
    known = {**environment.of_parts(server.addresses), **part.environment}
    log = stack.enter_context((server.addresses.home / f"{part.name}.log").open("wb"))
    started = time.time()
    process = subprocess.Popen(part.command, env=known, stdout=log, stderr=log)
    stack.callback(process.wait, 60)
    stack.callback(process.terminate)

    def serves() -> bool:
        with suppress(Exception):  # not yet
            part.check(started)
            return True
        return False

    wait_until(serves, seconds=part.healthy_within)
