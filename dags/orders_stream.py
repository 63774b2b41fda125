"""### The orders stream, looked after every five minutes

Kafka's topic `orders` is read by one EMR Serverless job run that never ends. It commits every few seconds: valid
events to `bronze.orders_events`, all other messages, each with its reason, to `bronze.orders_dlq`. This DAG does not
carry data: if it is paused, the stream goes on.

- **keep_alive** makes sure that exactly one job run of the deployed release is live. If none is, it starts one, after
  a rest that doubles with each failure in a row (30 s to 15 min). If one of another release is, that one finishes its
  batch, then the new one starts. The button *Job run* leads to the stream's log. The task's own log says why the last
  job run ended.
- **watch** is red when a person has to look. It says what is wrong, with figures, and what to do.

| to | trigger this DAG with `action` | what happens |
|---|---|---|
| stop | `stop` | it commits the batch in hand and ends (cancelled after 3 min); from then on both tasks are skipped |
| start | `run` | it starts at once, even while it rests after failures |
| restart | `restart` | as stop, then as start |

None of this loses or doubles a message, nor does a kill: the tables themselves record where to continue. Only one
thing must not happen: a stream that stands still for longer than Kafka keeps messages.

| watch says | look | do |
|---|---|---|
| no job run is live | keep_alive's log: why the last one failed | mend it; `run` starts the stream at once |
| … `OffsetsLostError`, `CheckpointLostError` | the same | a person decides: README, "The orders stream" |
| has not begun | other job runs of the application, its maximum capacity | make room |
| it has not reported | the stream's log: it waits for another job, Kafka or S3, or hangs | if it hangs: `restart` |
| Kafka does not answer | brokers, network, the secret `<project>/kafka/credentials` | it goes on by itself |
| it falls behind | batch seconds in the figures; what producers send | add workers; a lag that shrinks is fine |
| dead-letter rate | step `dlq.count`, then `dlq.sample` | tell the producer; when the cause is mended, `dlq.replay` |
| release … runs, and … is deployed | keep_alive's log: why the hand-over failed | mend it; the next run hands over |
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, TaskGroup

from jobs.lake.settings import deployment
from jobs.lake.state.stream_control import desired_state_key, report_key
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY, BoundedTimetable
from sluice_airflow.job_settings import JobSettings
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.watch import StreamWatchOperator
from sluice_airflow.table_tasks import asset

DEPLOYMENT = deployment()
# EMR's image has no Kafka source; the release of Spark is that of its label.
KAFKA_SOURCE = {"spark.jars.packages": "org.apache.spark:spark-sql-kafka-0-10_2.13:4.1.1"}

with DAG(
    "orders_stream",
    description="Keeps the Kafka stream of orders alive, and says when it does not do well.",
    doc_md=__doc__,
    schedule=BoundedTimetable("*/5 * * * *", first=DEPLOYMENT.schedule_start),
    start_date=NEVER_TOO_EARLY,
    catchup=False,
    max_active_runs=1,  # two that look after one stream would start two
    tags=["lakehouse", "stream"],
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=2),
        "job_settings": JobSettings.of(DEPLOYMENT),
    },
    params={"action": Param("run", enum=["run", "stop", "restart"], description="What to do with the stream")},
) as dag:
    for table in (table for table in LAKEHOUSE.continuous if table.continuous and table.written_with is None):
        others = [other.name for other in LAKEHOUSE.continuous if other.written_with == table.name]
        with TaskGroup(table.short):
            keep = EmrStreamOperator(
                task_id="keep_alive",
                step=table.name,
                desired_state_key=desired_state_key(table.name),
                spark_conf=KAFKA_SOURCE,
                pool=table.name,
                outlets=[asset(name, DEPLOYMENT.lake_bucket) for name in (table.name, *others)],
            )
            watch = StreamWatchOperator(
                task_id="watch",
                keeper=keep.task_id,
                desired_state_key=desired_state_key(table.name),
                report_key=report_key(table.name),
                dead_letters=", ".join(others),
                trigger_rule="all_done",  # whatever came of the other: it may have failed, and the stream be well
            )
            keep >> watch
