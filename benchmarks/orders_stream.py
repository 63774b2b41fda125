"""Compares the orders stream with other ways to read its topic: `make benchmark`.

Throughput: one process reads a topic to its end several times. The first times warm it up, as a stream that runs for
weeks is warm. The best of the last three counts. The seconds begin when Spark's query starts, or when the client is
made. They end when S3 has the commit of the last message. So the start of a JVM and a pause after the end don't count.

Latency: from Kafka's time of a message until S3 has the commit that holds it. Messages come at a steady rate, and the
first seconds of the query don't count.

Each contender runs alone, with the same log-in. Its table must hold each message that was sent exactly once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from benchmarks import stream_contender, stream_figures, stream_platform
from benchmarks.stream_peers import Round
from benchmarks.stream_platform import say
from infra.local.addresses import Addresses
from infra.local.kafka.events import Message, messages

PORT = 18950
WARM, TURNS = 8, 3  # reads of the first topic that don't count; reads of each topic that count
LEAD = 10  # seconds at the steady rate that don't count
CONTENDERS = {
    "ours": "ours: bronze.orders_events",
    "plain": "(a) Spark to Delta, nothing judged",
    "tuned": "(a) asking the broker as ours does",
    "writer": "(b) confluent-kafka, contract, delta-rs",
    "limit": "(c) consume, contract, Parquet; no S3",
}


@dataclass(frozen=True)
class Topic:
    """A topic that is read to its end.

    Attributes:
        messages: how many it holds.
        broken: how many of these are broken.
        warm: how many reads don't count.
    """

    name: str
    messages: int
    broken: int
    warm: int


@dataclass(frozen=True)
class Result:
    """The figures of a contender.

    Attributes:
        reads: by topic, seconds and CPU seconds of each read that counts.
        latencies: seconds of each message; None for a contender without a table.
    """

    reads: dict[str, list[tuple[float, float]]]
    latencies: np.ndarray | None


def make_messages(number: int, broken: float = 0.0) -> list[Message]:
    """Messages as `make events` sends them."""
    now, customers = datetime.now(UTC), [f"C{number:05d}" for number in range(2_000)]
    return list(messages(number, broken=broken, customers=customers, day=now.date(), now=now, seed=1))


def fill_topic(addresses: Addresses, name: str, number: int, broken: float, warm: int) -> Topic:
    """A new topic with messages in it. `broken` is a share, 0 to 1."""
    sent = make_messages(number, broken)
    size = sum(len(message.value or b"") for message in sent)
    stream_platform.send(addresses, stream_platform.topic(addresses, name), sent)
    dead = sum(message.broken is not None for message in sent)
    say(f"topic {name}: {number:,} messages, {dead:,} of them broken, {size / 1e6:,.0f} MB")
    return Topic(name, number, dead, warm)


def measure(addresses: Addresses, name: str, topics: Sequence[Topic], steady: Sequence[Message], rate: int) -> Result:
    """Runs all rounds of a contender, and then reads its tables."""

    def round_of(topic: str, turn: str, number: int) -> Round:
        return Round(f"{topic}-{turn}", topic, stream_platform.bucket(addresses, f"{name}-{topic}-{turn}"), number)

    say(f"{name}: load {os.getloadavg()[0]:.1f} before it starts")
    reads = {
        topic: [round_of(topic.name, str(turn), topic.messages) for turn in range(topic.warm + TURNS)]
        for topic in topics
    }
    rounds = [each for turns in reads.values() for each in turns]
    if latency := bool(steady) and name in stream_contender.WITH_TABLE:
        rounds.append(round_of(stream_platform.topic(addresses, f"steady-{name}"), "0", len(steady)))
    begun, ended, used = {}, {}, {}
    with stream_contender.running(addresses, name, rounds) as process:
        for each in rounds:
            begun[each], before = process.wait(each, "begun"), process.wait(each, "cpu_begun")
            if latency and each is rounds[-1]:
                took = stream_platform.send(addresses, each.topic, steady, rate)
                say(f"{name}: sent {len(steady) / took:,.0f} events/s of {rate:,} planned")
            ended[each], used[each] = process.wait(each, "ended"), process.wait(each, "cpu_ended") - before
            took = ended[each] - begun[each]
            say(f"{name} {each.name}: {took:.1f} s, CPU {used[each]:.1f} s  {process.wait(each, 'batches')}")
    seconds = {}
    for topic, turns in reads.items():
        if name in stream_contender.WITH_TABLE:  # the warm-up must hold all messages as well
            ended |= {each: stream_figures.landed(addresses, each, topic.broken).queryable.max() for each in turns}
        seconds[topic.name] = [(ended[each] - begun[each], used[each]) for each in turns[topic.warm :]]
    return Result(
        reads=seconds,
        latencies=stream_figures.landed(addresses, rounds[-1]).latencies(LEAD) if latency else None,
    )


def show(results: dict[str, Result], topics: Sequence[Topic], rate: int) -> None:
    """Prints the figures."""
    ours = results.get("ours")
    print(f"{'reading a topic to its end':<42}{'events/s':>10}{'seconds':>9}{'CPU s':>8}  ours is")
    for name, result in results.items():
        for topic in topics:
            if topic.name not in result.reads:
                continue
            best, used = min(result.reads[topic.name])
            title = CONTENDERS[name] + (f", {topic.broken / topic.messages:.0%} broken" if topic.broken else "")
            goal = " (goal: at least 0.8)" if name == "plain" else ""
            ratio = f"{best / min(ours.reads[topic.name])[0]:.2f} of it{goal}" if ours and name != "ours" else ""
            print(f"{title:<42}{topic.messages / best:>10,.0f}{best:>9.2f}{used:>8.2f}  {ratio}".rstrip())
    print(f"\n{f'seconds until queryable, {rate:,} events/s':<42}{'p50':>10}{'p99':>9}{'most':>9}")
    for name, result in results.items():
        if result.latencies is not None:
            middle, late, most = np.percentile(result.latencies, [50, 99, 100])
            goal = "  (goal: p99 below 10)" if name == "ours" else ""
            print(f"{CONTENDERS[name]:<42}{middle:>10.2f}{late:>9.2f}{most:>9.2f}{goal}")


def main(arguments: Sequence[str]) -> int:
    """Prints the figures. Returns 0 whatever they are; a lost message raises."""
    parser = argparse.ArgumentParser(prog="orders_stream", description="Measures the orders stream and other readers.")
    parser.add_argument("--messages", type=int, default=200_000, help="messages in a topic that is read to its end")
    parser.add_argument("--broken", type=float, default=5, help="percentage of broken messages in the second topic")
    parser.add_argument("--rate", type=int, default=5_000, help="events per second while latency is measured")
    parser.add_argument("--seconds", type=int, default=60, help="seconds at that rate; 0 skips latency")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="contenders to run")
    given = parser.parse_args(arguments)
    before = os.getloadavg()
    with stream_platform.running(PORT) as addresses:
        good = fill_topic(addresses, "good", given.messages, 0, WARM)
        broken = fill_topic(addresses, "broken", given.messages, given.broken / 100, 1)  # the process is warm by then
        steady = make_messages(given.rate * (given.seconds + LEAD)) if given.seconds else []
        results = {
            name: measure(addresses, name, (good, broken) if name == "ours" else (good,), steady, given.rate)
            for name in given.only
        }
    loads = "load {:.1f} {:.1f} {:.1f}"
    print(f"{os.cpu_count()} cores, {loads.format(*before)} before, {loads.format(*os.getloadavg())} after\n")
    show(results, (good, broken), given.rate)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
