"""Kills the stream's driver, the broker or S3 while events flow: `python -m tests.faults.stream_kills EVENTS KILLS`.

Everything is real and a process of its own: the broker, an S3 that keeps its objects, the job as EMR's stand-in
starts it. At the end each offset must be in exactly one of the two tables, and the counts by kind those of the
producer's own ledger.
"""

from __future__ import annotations

import json
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

from confluent_kafka import Producer

from infra.local.aws import throw_away
from infra.local.kafka import produce, topics
from infra.local.kafka.events import Message, messages
from jobs.lake import settings
from jobs.lake.delta import log
from tests.faults.stream_scene import Scene, reached, wait
from tests.jobs.topics import DEAD, EVENTS, rows

VICTIMS = ("driver", "broker", "s3")
BROKEN = 0.02
AWAY = (0.5, 4.0)  # seconds that broker or S3 stay away
BETWEEN = (1.0, 6.0)  # seconds of work between a batch and the next kill


def send(scene: Scene, sent: list[Message], rate: float, ledger: produce.Ledger, allowed: Callable[[], int]) -> None:
    """Sends at a rate, each message once, whatever happens to the broker.

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


def run(number: int, kills: int, *, rate: float, seed: int = 1, say: Callable[[str], object] = print) -> dict[str, Any]:
    """Lets events flow and kills as often as asked; returns what was sent and what the tables hold."""
    random = Random(f"kills {seed}")
    sent = list(messages(number, broken=BROKEN, customers=["C1", "C2"], day=datetime.now(UTC).date(),
                         now=datetime.now(UTC), seed=seed))  # fmt: skip
    ledger = produce.Ledger()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, throw_away.server(Path(folder)) as aws:
        scene = Scene(Path(folder))
        try:
            scene.start(aws.url)
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
    commits = [c.counts for c in log.commits(settings.lake().uri(EVENTS)) if c.counts]
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
    result = run(events, kills, rate=float(sys.argv[3]) if len(sys.argv) > 3 else 1000.0)
    print(json.dumps(result, indent=1))
    assert result["missing"] == result["twice"] == result["unknown"] == 0
    assert result["kinds_sent"] == result["kinds_found"]
