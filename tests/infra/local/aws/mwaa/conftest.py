"""The MWAA stand-in over moto's S3, with a web server of a few lines in place of Airflow, and real clients."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from infra.local.addresses import HOST, REGION
from infra.local.aws.mwaa.bucket import DAGS, PLUGINS, REQUIREMENTS
from infra.local.aws.mwaa.containers import Plan
from infra.local.aws.mwaa.errors import BrokenEnvironmentError
from infra.local.aws.mwaa.responses import Mwaa
from infra.local.aws.mwaa.service import Environments
from infra.local.polling import wait_until

BUCKET, PLAIN = "mwaa-source", "mwaa-plain"  # one with versions, one without
ROLE = "arn:aws:iam::123456789012:role/sluice-airflow"
BROKEN = "# does not start"  # as text of a plugin: its Airflow does not start
SYNC_SECONDS = 0.1


class _Echo(BaseHTTPRequestHandler):
    """Answers what it was asked; below `/api/v2/answer/N` with status N."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        status = int(self.path.rpartition("/")[2]) if "/answer/" in self.path else 200
        document = {"method": self.command, "path": self.path, "body": json.loads(body) if body else None}
        said = b"" if status == 204 else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Stub:
    """In place of Airflow's processes. It lacks every package."""

    plan: Plan
    running: list[Stub]
    server: ThreadingHTTPServer | None = None
    revived: int = 0

    def prepare(self) -> None:
        if (self.plan.files / REQUIREMENTS).exists():
            raise BrokenEnvironmentError("requirements.txt is not satisfied")

    def start(self) -> None:
        if any(BROKEN in file.read_text() for file in (self.plan.files / PLUGINS).rglob("*.py")):
            raise BrokenEnvironmentError("scheduler ended")
        self.server = ThreadingHTTPServer((HOST, self.plan.port), _Echo)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.running.append(self)

    def revive(self) -> None:
        self.revived += 1

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.running.remove(self)
            self.server = None

    def read(self, name: str) -> str:
        return (self.plan.files / name).read_text()

    def dags(self) -> set[str]:
        root = self.plan.files / DAGS
        return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


@dataclass
class Service:
    """A service with its clients.

    Attributes:
        running: what of its environments runs.
    """

    environments: Environments
    address: str
    running: list[Stub] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, proxies={}),
        )

    @property
    def mwaa(self) -> Any:
        return self.client("mwaa")

    def put(self, key: str, body: str | bytes) -> str:
        """Writes an object; gives its version."""
        version: str = self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]
        return version

    def put_plugins(self, text: str) -> str:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("package/plugin.py", text)
        return self.put("airflow/plugins.zip", packed.getvalue())

    def create(self, name: str, **asked: Any) -> dict[str, Any]:
        """Creates an environment and waits until that has ended; gives it."""
        asked = {
            "ExecutionRoleArn": ROLE,
            "SourceBucketArn": f"arn:aws:s3:::{BUCKET}",
            "DagS3Path": "releases/one/dags",
            "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
            **asked,
        }
        self.mwaa.create_environment(Name=name, **asked)
        return self.ended(name)

    def ended(self, name: str) -> dict[str, Any]:
        busy = ("CREATING", "UPDATING", "ROLLING_BACK", "MAINTENANCE")
        wait_until(lambda: self.get(name)["Status"] not in busy, seconds=20, pause=0.02)
        return self.get(name)

    def get(self, name: str) -> dict[str, Any]:
        environment: dict[str, Any] = self.mwaa.get_environment(Name=name)["Environment"]
        return environment


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for a module; each test has an environment of its own name."""
    with pytest.MonkeyPatch.context() as patch:
        yield from serve(tmp_path_factory.mktemp("mwaa"), patch)


def serve(root: Path, patch: pytest.MonkeyPatch) -> Iterator[Service]:
    running: list[Stub] = []
    environments = Environments(root, lambda plan: Stub(plan, running), sync=SYNC_SECONDS)
    application = Mwaa(DomainDispatcherApplication(create_backend_app), environments)
    server = make_server(HOST, 0, application, threaded=True)
    address = f"http://{HOST}:{server.port}"
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        patch.setenv(name, address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "test")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("NO_PROXY", HOST)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environments.recover()
    service = Service(environments, address, running)
    s3 = service.client("s3")
    if BUCKET not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        for bucket in (BUCKET, PLAIN):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield service
    environments.close()
    server.shutdown()
    server.server_close()
