"""Runs a topic into its tables for as long as it is wanted.

A session is one streaming query under the leases of both tables, from the position that the tables themselves tell.
Spark's own checkpoint lives on the driver's disk and ends with the session: there is no second position that could
contradict the tables, and a new session is the answer to everything: a broker or S3 that was away, another job that
wants the tables, a new log-in in the secret, a restart. Kill it at any moment; the next session goes on after the
newest batch that was committed.

A message whose time Spark's source can't hold fails the query. The next session commits the messages around it by a
plain client, with the same writer, and only then starts the query again.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Consumer
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from jobs.lake.error_line import in_a_line
from jobs.lake.errors import ConfigurationError, DataError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases, objects, stream_control
from jobs.lake.state.leases import Lease
from jobs.lake.state.stream_control import DesiredState
from jobs.sources.kafka import broker, newest, offset_log, plain, position, redrive
from jobs.sources.kafka.batches import BatchWriter, CommittedBatch, begin, create_tables, remove_unfinished
from jobs.sources.kafka.compaction import Compaction
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.present_login import PresentLogin
from jobs.sources.kafka.record_time import SPARK_HOLDS
from jobs.sources.kafka.reporting import Reporter
from jobs.sources.kafka.topic import StreamedTopic, of_table

# Makes tables known to who queries; gives a line for each.
Register = Callable[[Sequence[Table]], Sequence[str]]

__all__ = ["of_table", "run"]  # what a module for continuous tables has

TRIGGER = "5 seconds"  # between batches that keep up; a batch that takes longer is followed at once
MESSAGES_PER_BATCH = 200_000  # after a pause; bytes are not bounded: 268 MB where 5 % are broken
# The broker answers a fetch at once, also one behind the last message: left to itself it waits half a second for more,
# and with it whatever is asked next on the same connection, so that 200,000 messages took 2.0 s to read and not 0.9.
# A tenth of it is due to fewer, larger answers; they bound what a task keeps of its partition.
FETCH = {
    "kafka.fetch.max.wait.ms": "10",
    "kafka.max.poll.records": "5000",
    "kafka.max.partition.fetch.bytes": str(2 << 20),
}
LOOK_SECONDS = 2  # between looks at the desired state, the leases and the query
GIVE_UP = timedelta(minutes=10)  # without a batch or a healthy session: whoever restarts the job decides
LONGEST_PAUSE = 30.0  # seconds, between sessions that fail


def run(spark: SparkSession, run: Run, topic: StreamedTopic, register: Register = lambda _: ()) -> None:
    """Streams until the desired state says otherwise; then the batch in hand is finished and everything is given back.

    Args:
        spark: the session.
        run: run id and step for the commits.
        topic: that is read.
        register: called with the two tables when a session begins.

    Raises:
        CheckpointLostError: table and checkpoint contradict each other.
        OffsetsLostError: Kafka has deleted messages that were not read, or the topic was made anew.
        LakeError: no session has worked for ten minutes; its own error is the reason.
    """
    healthy, pause, overflown = time.monotonic(), 1.0, False
    reporter = Reporter(run, topic)
    while _desired_state(topic).keeps(run.code):
        session = _Session(spark, run, topic, reporter, register, plainly=overflown)
        try:
            session.run()
        except (ConfigurationError, DataError):
            raise
        except Exception as error:
            if session.worked:
                healthy, pause = time.monotonic(), 1.0
            before, overflown = overflown, "java.lang.ArithmeticException" in str(error)
            another_way = overflown and not before
            if time.monotonic() - healthy > GIVE_UP.total_seconds() and not another_way:
                raise
            print(f"{topic.name}: {in_a_line(error)}; starts again in {pause:.0f} s", flush=True)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            healthy, pause, overflown = time.monotonic(), 1.0, False
    print(f"{topic.name}: drained, as it was asked to", flush=True)


class _Session:
    """One streaming query, from taking the leases to giving them back.

    Attributes:
        worked: whether it has committed a batch.
    """

    def __init__(
        self,
        spark: SparkSession,
        run: Run,
        topic: StreamedTopic,
        reporter: Reporter,
        register: Register,
        *,
        plainly: bool,
    ) -> None:
        self._spark, self._run, self._topic, self._reporter = spark, run, topic, reporter
        self._register, self._plainly = register, plainly
        self._tables = (topic.events.name, topic.dead.name)
        self._one_at_a_time = threading.Lock()  # a batch, or the end
        self._ended = False
        self._failure: Exception | None = None
        self.worked = False

    def run(self) -> None:
        """Returns when the stream is to end, to give way to a job that waits for its tables, or to log in anew."""
        self._present = PresentLogin(self._topic.name)
        self._login = self._present.login
        self._admin = self._login.admin()
        with self._login.consumer() as self._reporter.consumer:
            self._run_logged_in()

    def _run_logged_in(self) -> None:
        topic = self._topic
        known = position.of_table(topic.events) or Position()
        with leases.hold(self._run, *self._tables, waiting=lambda: self._reporter.report(known, "waiting")) as held:
            reached = self._begin(held)
            self._batches = BatchWriter(self._spark, self._run, topic, held, reached, self._confirm)
            self._compaction = Compaction(self._spark, self._run, held)
            print(f"{topic.name}: reads from {reached.offsets}", flush=True)
            if self._plainly:
                self._read_plainly()
            with tempfile.TemporaryDirectory(prefix="stream-") as self._scratch:
                running = self._start(self._batches.position)
                try:
                    self._watch(running)
                finally:
                    with self._one_at_a_time:
                        self._ended = True
                    running.stop()
            self._reporter.record(self._batches.position, last=True)
        goes_on = _desired_state(topic).keeps(self._run.code)
        self._reporter.report(self._batches.position, "waiting" if goes_on else "ended")
        if leases.awaited(*self._tables):
            print(f"{topic.name}: gives way to a job that waits for its tables", flush=True)
            time.sleep(3 * LOOK_SECONDS)  # a waiter looks once a second

    def _begin(self, held: Mapping[str, Lease]) -> Position:
        """Makes and registers the tables, mends what a killed session left, and gives the position to start from."""
        topic, consumer = self._topic, self._reporter.consumer
        create_tables(self._spark, topic, self._run)
        self._make_known()
        known, bounds = position.of_table(topic.events), broker.bounds(consumer, topic.name)
        if known and not known.is_of(topic.name):
            position.refuse_unread(topic.events, known, broker.bounds_if_any(consumer, known.topic))
        reached = position.start(topic.events, topic.name, broker.topic_id(self._admin, topic.name), bounds)
        newest.confirm(self._login, reached, bounds)
        if position.checkpoint(topic.events) is None:
            position.save_checkpoint(topic.events, {})  # from now on its absence means something
        if known is None or (known.topic, known.topic_id) != (reached.topic, reached.topic_id):
            begin(self._spark, self._run, topic, reached, held)
        redrive.finish(self._spark, self._run, topic.events, topic.dead, held)
        if removed := remove_unfinished(self._spark, self._run, topic, reached, held):
            print(f"{topic.dead.name}: removed {removed} messages of a batch that was not committed", flush=True)
        return reached

    def _confirm(self) -> None:
        """Refuses messages of a topic that was made anew while the session ran."""
        found = broker.topic_id(self._admin, self._topic.name)
        position.refuse_another(self._batches.position, self._topic.name, found)

    def _make_known(self) -> None:
        """Makes the tables known to who queries, from the first message on; without a catalog the stream goes on."""
        try:
            said = self._register((self._topic.events, self._topic.dead))
        except (BotoCoreError, ClientError) as error:
            said = [f"{self._topic.name}: tables not registered, {type(error).__name__}; `register` makes up for it"]
        if said:
            print("\n".join(said), flush=True)

    def _read_plainly(self) -> None:
        """Commits by a plain client, until what Spark's source fails over lies behind the position."""
        with self._login.consumer(**plain.OPTIONS) as consumer:
            plain.until_past(lambda: [] if self._to_end() else self._commit_plainly(consumer))

    def _commit_plainly(self, consumer: Consumer) -> list[plain.Record]:
        """One batch, with the messages that it had."""
        name, known = self._topic.name, self._batches.position.offsets
        ends = {number: found.end for number, found in broker.bounds(self._reporter.consumer, name).items()}
        records, reached = plain.read(consumer, name, {number: known.get(number, 0) for number in ends}, ends)
        self._note(self._batches.commit(plain.frame(self._spark, name, records), reached))
        self._reporter.report(self._batches.position)
        bad = sum(record.created not in SPARK_HOLDS for record in records)
        print(f"{name}: read {len(records)} messages plainly, {bad} of a time too large for Spark", flush=True)
        return records

    def _start(self, reached: Position) -> StreamingQuery:
        name = self._topic.name
        offsets = json.dumps({name: {str(partition): offset for partition, offset in reached.offsets.items()}})
        messages = (
            self._spark.readStream.format("kafka")
            .options(**self._login.spark_options(), **FETCH)
            .option("subscribe", name)
            .option("startingOffsets", offsets)
            .option("failOnDataLoss", "true")
            .option("includeHeaders", "true")
            .option("maxOffsetsPerTrigger", MESSAGES_PER_BATCH)
            .load()
        )
        writer = messages.writeStream.queryName(name).foreachBatch(self._batch)
        return writer.option("checkpointLocation", f"file://{self._scratch}").trigger(processingTime=TRIGGER).start()

    def _batch(self, messages: DataFrame, number: int) -> None:
        """Called by Spark for each batch; once the end has begun it commits nothing more."""
        with self._one_at_a_time:
            if self._ended or self._failure:
                return
            try:
                ends = offset_log.ends(self._scratch, number, self._topic.name)
                self._note(self._batches.commit(messages, ends))
            except Exception as error:
                self._failure = error  # what comes through Spark has lost its type
                raise

    def _note(self, done: CommittedBatch | None) -> None:
        if done:
            self.worked = True
            self._reporter.done(done)
            self._compaction.after_batch()

    def _to_end(self) -> bool:
        """Whether another job waits for the tables, the stream is no longer wanted, or there is a new log-in."""
        wanted = _desired_state(self._topic).keeps(self._run.code)
        return leases.awaited(*self._tables) or not wanted or self._present.is_past()

    def _watch(self, running: StreamingQuery) -> None:
        while running.isActive and self._failure is None:
            try:
                running.awaitTermination(LOOK_SECONDS)
            except StreamingQueryException:
                break  # the reason is below
            self._reporter.report(self._batches.position)
            self._reporter.record(self._batches.position)
            if self._to_end():
                return
        if error := self._failure or running.exception():
            raise error


def _desired_state(topic: StreamedTopic) -> DesiredState:
    found = objects.read_json(stream_control.desired_state_key(topic.events.name))
    return DesiredState(**found) if found else DesiredState()
