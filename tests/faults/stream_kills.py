"""Kills the stream's driver, the broker or S3 while events flow: `python -m tests.faults.stream_kills EVENTS KILLS`.

Everything is real and a process of its own: the broker, an S3 that keeps its objects, the job as EMR's stand-in
starts it. At the end each offset must be in exactly one of the two tables, and the counts by kind those of the
producer's own ledger.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import boto3
import requests
from confluent_kafka import Producer

from infra.local import parts, secrets
from infra.local.addresses import REPOSITORY
from infra.local.aws.spark_submit import submission
from infra.local.kafka import produce, topics
from infra.local.kafka.events import Message, messages
from jobs.lake import delta_log, objects, settings, stream_control
from tests import aws
from tests import spark as test_spark
from tests.jobs.topics import DEAD, EVENTS, rows
from tests.kafka_broker import Broker

PORT = 18580
LAKE = "kills"
STEP = EVENTS
VICTIMS = ("driver", "broker", "s3")
BROKEN = 0.02
AWAY = (0.5, 4.0)  # seconds that broker or S3 stay away
BETWEEN = (1.0, 6.0)  # seconds of work between a batch and the next kill


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

    def start(self, moto: str) -> None:
        """Broker, S3 and the secret; this process's environment becomes that of a job."""
        self.start_s3()
        self.broker.start()
        topics.ensure(self.addresses)
        job = {
            **self.addresses.environment(),
            "AWS_ENDPOINT_URL": moto,
            "SLUICE_LAKE_BUCKET": LAKE,
            "SLUICE_PROJECT": LAKE,
        }
        os.environ.update(test_spark.environment(job))
        boto3.client("s3").create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": aws.REGION})
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
        objects.write_json(stream_control.wish_key(EVENTS), vars(stream_control.Wish(wanted=stream_control.STOPPED)))
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


def send(scene: Scene, sent: list[Message], rate: float, ledger: produce.Ledger, allowed: Callable[[], int]) -> None:
    """Sends at a rate, each message once, through whatever happens to the broker.

    Args:
        scene: has the broker.
        sent: the messages.
        rate: messages a second.
        ledger: of what the broker took.
        allowed: how many may be sent by now, so that some are left to flow at the last kill.
    """
    options = topics.client_settings(scene.addresses)
    patient = {"message.timeout.ms": 600_000, "queue.buffering.max.messages": 1_000_000, "log_level": 0}
    producer = Producer(options | {"enable.idempotence": True, "linger.ms": 20} | patient)
    due = time.monotonic()
    for number, message in enumerate(sent):
        answer = _answer(ledger, message)
        producer.produce(produce.TOPIC, message.value, key=message.key, on_delivery=answer)
        producer.poll(0)
        if number % 100 == 0:
            due = max(due + 100 / rate, time.monotonic())
            time.sleep(due - time.monotonic() if due > time.monotonic() else 0.0)
            while number >= allowed():
                producer.poll(0.1)
    assert producer.flush(300) == 0
    assert not ledger.errors


def _answer(ledger: produce.Ledger, message: Message) -> Callable[[Any, Any], None]:
    return lambda error, delivered: ledger.delivered(message.broken, error, delivered)


def reached() -> int:
    """Messages in both tables, by the newest batch's position; -1 while S3 is away."""
    try:
        commits = delta_log.commits(settings.lake().uri(EVENTS))
        position = next((c.metadata["position"] for c in commits if "position" in c.metadata), {})
    except Exception:  # whatever delta-rs makes of an S3 that was killed: it is asked again
        return -1
    return sum(position.values())


def run(number: int, kills: int, *, rate: float, seed: int = 1, say: Callable[[str], object] = print) -> dict[str, Any]:
    """Lets events flow and kills so many times; gives what was sent and what the tables hold."""
    random = Random(f"kills {seed}")
    sent = list(messages(number, broken=BROKEN, customers=["C1", "C2"], day=datetime.now(UTC).date(),
                         now=datetime.now(UTC), seed=seed))  # fmt: skip
    ledger = produce.Ledger()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, aws.server(Path(folder)) as moto:
        scene = Scene(Path(folder))
        try:
            scene.start(moto)
            scene.keep_driver()
            done: list[str] = []
            share = number // (kills + 1)
            sender = threading.Thread(
                target=send,
                args=(scene, sent, rate, ledger, lambda: number if len(done) == kills else share * (len(done) + 1)),
                daemon=True,
            )
            sender.start()
            for victim, pause, away in points(random, kills):
                before = max(0, reached())
                wait(lambda before=before: reached() > before, 120, "no batch comes")
                time.sleep(pause)
                say(f"{reached():>7} messages in the tables: kills the {victim}")
                scene.kill(victim, away)
                done.append(victim)
            sender.join(600)
            wait(lambda: reached() == number, 90, "not all messages came")
            scene.drain()
            return found(ledger, scene)
        except BaseException:
            say((scene.home / "driver.log").read_text()[-6000:])
            raise
        finally:
            scene.stop()


def points(random: Random, kills: int) -> Iterator[tuple[str, float, float]]:
    """Victim, pause before and time away; each victim comes in turn, in a seeded order."""
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
    random.shuffle(victims)
    for victim in victims:
        yield victim, random.uniform(*BETWEEN), random.uniform(*AWAY)


def found(ledger: produce.Ledger, scene: Scene) -> dict[str, Any]:
    """The tables against the producer's ledger."""
    places: Counter[tuple[int, int]] = Counter()
    kinds: Counter[str | None] = Counter()
    for table, columns in ((EVENTS, ("partition", "offset")), (DEAD, ("partition", "offset", "reason"))):
        for row in rows(table, columns):
            places[row["partition"], row["offset"]] += 1
            kinds[row.get("reason")] += 1
    expected = {(p, offset) for p, (first, last) in ledger.offsets.items() for offset in range(first, last + 1)}
    commits = [c.metadata["counts"] for c in delta_log.commits(settings.lake().uri(EVENTS)) if "counts" in c.metadata]
    return {
        "sent": sum(ledger.kinds.values()),
        "twice": sum(1 for number in places.values() if number > 1),
        "missing": len(expected - places.keys()),
        "unknown": len(places.keys() - expected),
        "kinds_sent": {kind.value if kind else None: count for kind, count in ledger.kinds.items()},
        "kinds_found": dict(kinds),
        "read_by_commits": sum(counts["read"] for counts in commits),
        "batches": len(commits),
        "starts": scene.starts,
    }


if __name__ == "__main__":
    events, kills = int(sys.argv[1]), int(sys.argv[2])
    told = run(events, kills, rate=float(sys.argv[3]) if len(sys.argv) > 3 else 1000.0)
    print(json.dumps(told, indent=1))
    assert told["missing"] == told["twice"] == told["unknown"] == 0
    assert told["kinds_sent"] == told["kinds_found"]
