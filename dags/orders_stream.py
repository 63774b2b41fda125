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
| … `OffsetsLostError`, `CheckpointLostError` | the same | a person decides: docs/operations.md, "The orders stream" |
| has not begun | other job runs of the application, its maximum capacity | make room |
| it has not reported | the stream's log: it waits for another job, Kafka or S3, or hangs | if it hangs: `restart` |
| Kafka does not answer | brokers, network, the secret `<project>/kafka/credentials` | it goes on by itself |
| it falls behind | batch seconds in the figures; what producers send | add workers; a lag that shrinks is fine |
| dead-letter rate | step `dlq.count`, then `dlq.sample` | tell the producer; when the cause is mended, `dlq.replay` |
| release … runs, and … is deployed | keep_alive's log: why the hand-over failed | mend it; the next run hands over |
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.stream_dag import stream_dag

dag = stream_dag(LAKEHOUSE, deployment(), doc=__doc__)
