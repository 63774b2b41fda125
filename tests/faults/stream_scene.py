"""What `stream_kills` kills: broker, S3 and the stream's driver, each real and a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import requests
from deltalake.exceptions import DeltaError

from infra.local import parts, secrets
from infra.local.addresses import REGION, REPOSITORY
from infra.local.aws.emr.spark_submit import submission
from infra.local.kafka import topics
from infra.setup import spark_conf
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.state import objects, stream_control
from tests.jobs.topics import EVENTS
from tests.kafka_broker import Broker

PORT = 18580
LAKE = "kills"
STEP = EVENTS


class Scene:
    """The processes, and what may be done to them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.broker = Broker(home, PORT)
        self.addresses = self.broker.addresses
        self._s3: subprocess.Popen[bytes] | None = None
        self._driver: subprocess.Popen[bytes] | None = None
        self._keeping = threading.Event()
        self.starts = 0

    def start(self, aws: str) -> None:
        """Broker, S3 and the secret; this process's environment becomes that of a job."""
        self.start_s3()
        self.broker.start()
        topics.ensure(self.addresses)
        job = {
            **self.addresses.environment(),
            "AWS_ENDPOINT_URL": aws,
            "SLUICE_LAKE_BUCKET": LAKE,
            "SLUICE_PROJECT": LAKE,
        }
        os.environ.update(spark_conf.environment(job))
        boto3.client("s3").create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
        known = json.dumps(secrets.kafka_credentials(self.addresses))
        boto3.client("secretsmanager").create_secret(Name=f"{LAKE}/kafka/credentials", SecretString=known)

    def start_s3(self) -> None:
        (part,) = [part for part in parts.stand_ins(self.addresses) if part.name == "s3"]
        (self.home / "tmp").mkdir(exist_ok=True)
        with (self.home / "s3.log").open("ab") as log:
            environment = {**os.environ, **self.addresses.environment(), **part.environment}
            self._s3 = subprocess.Popen(part.command, env=environment, stdout=log, stderr=log)
        wait(lambda: answers(self.addresses.s3), 60, "S3 does not answer")

    def keep_driver(self) -> None:
        """Starts the job, and again whenever it has ended, as EMR and the DAG would."""

        def keep() -> None:
            while not self._keeping.is_set():
                self.starts += 1
                self._driver = self._start_driver()
                self._driver.wait()

        self._keeper = threading.Thread(target=keep, daemon=True)
        self._keeper.start()

    def _start_driver(self) -> subprocess.Popen[bytes]:
        words = [STEP, "--run-id", "kills", "--job", "orders_stream/kills"]
        driver = {"sparkSubmit": {"entryPoint": str(REPOSITORY / "jobs" / "run.py"), "entryPointArguments": words}}
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        wanted = submission(driver, {}, name="kills", environment=environment, fetch=lambda uri: uri)
        with (self.home / "driver.log").open("ab") as log:
            return subprocess.Popen(
                wanted.arguments, env=dict(wanted.environment), cwd=self.home, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def kill(self, victim: str, away: float) -> None:
        """Kills with SIGKILL; broker and S3 come back after a while."""
        if victim == "driver":
            assert self._driver
            kill_session(self._driver)
        elif victim == "broker":
            self.broker.kill()
            time.sleep(away)
            self.broker.start()
        else:
            assert self._s3
            self._s3.kill()
            self._s3.wait(30)
            time.sleep(away)
            self.start_s3()

    def drain(self) -> None:
        """Asks the stream to end, as Airflow does."""
        self._keeping.set()
        stopped = stream_control.DesiredState(wanted=stream_control.STOPPED)
        objects.write_json(stream_control.desired_state_key(EVENTS), vars(stopped))
        self._keeper.join(120)
        assert not self._keeper.is_alive(), "the stream does not drain"

    def stop(self) -> None:
        self._keeping.set()
        if self._driver and self._driver.poll() is None:
            kill_session(self._driver)
        if self._s3:
            self._s3.kill()
            self._s3.wait(30)
        self.broker.kill()


def kill_session(leader: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the driver and its Python workers."""
    subprocess.run(["pkill", "-KILL", "-s", str(leader.pid)], check=False)
    leader.wait(30)


def answers(url: str) -> bool:
    try:
        requests.get(url, timeout=2)
    except requests.RequestException:
        return False
    return True


def wait(condition: Callable[[], bool], seconds: float, why: str) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, why
        time.sleep(0.2)


def reached() -> int:
    """Messages in both tables, by the newest batch's position; -1 while S3 is away."""
    try:
        commits = log.commits(settings.lake().uri(EVENTS))
        position = next((c.record.position for c in commits if c.record and c.record.position), {})
    except (OSError, DeltaError):  # what delta-rs makes of an S3 that was killed
        return -1
    return sum(position.values())
