"""The broker, S3 and secrets for `orders_stream`: the platform's own parts, on other ports and in another folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local import clients, lifecycle, parts
from infra.local.addresses import REGION, REPOSITORY, Addresses
from infra.local.environment import of_parts
from infra.local.kafka import topics
from infra.local.kafka.events import Message
from infra.local.kafka.produce import enqueue
from infra.local.polling import wait_until_serving
from infra.local.secrets import kafka_credentials
from infra.setup import spark_conf

PARTS = ("s3", "aws", "kafka")
PORT_OFFSETS = (1, 2, 6, 7, 8)
PARTITIONS = topics.TOPICS["orders"]
PACE = 50  # messages between two looks at the clock


def say(text: str) -> None:
    """Prints progress to standard error, apart from the figures."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@contextmanager
def running(port: int) -> Iterator[Addresses]:
    """Starts the parts, takes over their environment, and ends them afterwards."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with tempfile.TemporaryDirectory(prefix="sluice-benchmark-") as folder, ExitStack() as started:
        addresses = Addresses(home=Path(folder).resolve(), port=port)
        lifecycle.refuse_taken_ports({port + offset: "the benchmark" for offset in PORT_OFFSETS})
        (addresses.home / "tmp").mkdir()
        environment = spark_conf.environment(of_parts(addresses)) | {"PYTHONDONTWRITEBYTECODE": "1"}
        os.environ.clear()
        os.environ.update(environment)
        for part in sorted(parts.stand_ins(addresses), key=lambda part: part.stage):
            if part.name in PARTS:
                started.enter_context(_running(part, addresses.home / f"{part.name}.log"))
        name = f"{addresses.project}/kafka/credentials"
        known = json.dumps(kafka_credentials(addresses))
        clients.client(addresses, "secretsmanager").create_secret(Name=name, SecretString=known)
        yield addresses


def _interrupt(number: int, _: object) -> None:
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)  # a second Ctrl-C would leave orphans
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def _running(part: parts.Part, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        # A session of its own, so that Ctrl-C only reaches this process. It then ends the parts in the right sequence.
        process = subprocess.Popen(
            part.command, env={**os.environ, **part.environment}, cwd=REPOSITORY, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until_serving(partial(part.check, time.time()), process, log, seconds=part.healthy_within)
        yield
    finally:
        process.terminate()
        try:
            process.wait(part.stop_within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def bucket(addresses: Addresses, name: str) -> str:
    """Makes a bucket, the lake of one round."""
    made = f"lake-{name}"
    clients.client(addresses, "s3").create_bucket(Bucket=made, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


def topic(addresses: Addresses, name: str) -> str:
    """Makes a topic, with as many partitions as the platform's."""
    admin = AdminClient(topics.client_settings(addresses))  # it must live as long as its futures
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(30)
    return name


def send(addresses: Addresses, topic: str, messages: Iterable[Message], rate: float | None = None) -> float:
    """Sends messages, and returns the seconds that it took. Kafka's time of a message is when it was sent.

    Each topic partition gets the same number. Otherwise Spark would need one more batch for the last few messages.

    Args:
        addresses: the platform's.
        topic: where to send them.
        messages: what to send.
        rate: messages per second; None for as fast as possible.

    Raises:
        RuntimeError: the broker did not take all of them.
    """
    refused: list[str] = []

    def answered(error: KafkaError | None, _: object) -> None:
        if error is not None:
            refused.append(error.str())

    producer = Producer(
        topics.client_settings(addresses) | {"enable.idempotence": True, "linger.ms": 5, "log_level": 0}
    )
    begun = time.monotonic()
    for number, message in enumerate(messages):
        if rate and number % PACE == 0 and (early := begun + number / rate - time.monotonic()) > 0:
            time.sleep(early)
        enqueue(producer, topic, message, partition=number % PARTITIONS, on_delivery=answered)
    unanswered, took = producer.flush(60), time.monotonic() - begun
    if unanswered or refused:
        raise RuntimeError(f"{topic}: {unanswered} messages got no answer, refused were: {refused[:3]}")
    return took
