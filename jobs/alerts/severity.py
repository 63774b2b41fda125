"""THE MAP OF ALERTS: how bad an error is, whom it reaches, what it means and what is safe to do. Standard library only.

An error is looked up by its name (a class of `jobs.lake.errors`, or what Airflow's side calls it), then by its kind.
The table of docs/operations.md, "Alerts", says the same; a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

CRITICAL, HIGH, MEDIUM, LOW = "critical", "high", "medium", "low"
SEVERITIES = (CRITICAL, HIGH, MEDIUM, LOW)  # the worst first

# Each severity has a topic, `<project>-alerts-<severity>`. These ways to reach a person are subscribed to it.
CHANNELS: dict[str, tuple[str, ...]] = {
    CRITICAL: ("email", "sms", "slack", "pagerduty"),
    HIGH: ("email", "sms", "slack", "pagerduty"),
    MEDIUM: ("email", "slack"),
    LOW: ("email", "slack"),
}


@dataclass(frozen=True)
class Answer:
    """What a person has to know of an error.

    Attributes:
        severity: one of `SEVERITIES`.
        meaning: what it means for the data.
        action: what is safe to do.
        section: heading of docs/operations.md that says more.
    """

    severity: str
    meaning: str
    action: str
    section: str = "Troubleshooting"


RUN_AGAIN = "Mend the cause, then clear the task: every step is safe to run again."

BY_KIND: dict[str, Answer] = {
    "data": Answer(
        HIGH,
        "The input breaks a rule. It is never retried. Tables keep their last good version; nothing was lost.",
        "Mend the data at its source, or the rule; then clear the task.",
    ),
    "configuration": Answer(
        HIGH,
        "A setting, a secret or a permission is missing or wrong. A retry does not help. Nothing was lost.",
        RUN_AGAIN,
        "Secrets",
    ),
    "transient": Answer(
        MEDIUM,
        "A source or a service is down, slow or throttling, and all retries are used up. Nothing was lost.",
        "See whether the service is up. Then clear the task; or leave it to the next run, which takes all that is new.",
    ),
    "system": Answer(
        HIGH,
        "Something failed inside the platform, and all retries are used up. What was committed is whole.",
        "Read the end of the task's log. " + RUN_AGAIN,
    ),
}

BY_ERROR: dict[str, Answer] = {
    "GateError": Answer(
        CRITICAL,
        "A gate found a critical failure, or could not judge. Gold keeps what it published last.",
        "See which rules failed; mend the data or the rule, then clear the gate.",
    ),
    "OffsetsLostError": Answer(
        CRITICAL,
        "Kafka has deleted messages before they were read. They are lost to the stream, and it stands still.",
        "Ask the producer to send them again. A person decides when the stream goes on without them.",
        "The orders stream",
    ),
    "CheckpointLostError": Answer(
        CRITICAL,
        "The stream's second witness is gone or contradicts the table. The stream stands still.",
        "A person decides where it goes on.",
        "The orders stream",
    ),
    "StreamDown": Answer(
        CRITICAL,
        "No job run of the stream is live. Messages wait in Kafka, and are lost only when Kafka deletes them.",
        "Read why the last one ended in the log of keep_alive, mend it, then trigger the DAG with action=run.",
        "The orders stream",
    ),
    "StreamSilent": Answer(
        HIGH,
        "The stream does not report: it has not begun, can't reach Kafka or S3, or hangs. Messages wait in Kafka.",
        "Look at its log. If it hangs, trigger the DAG with action=restart: nothing is lost or doubled.",
        "The orders stream",
    ),
    "StreamBehind": Answer(
        HIGH,
        "More messages come than the stream reads. They wait in Kafka, and are lost only when Kafka deletes them.",
        "See whether batches have become slow. Then give the stream more workers.",
        "The orders stream",
    ),
    "KafkaSilent": Answer(
        HIGH,
        "Kafka does not answer the stream. Nothing is lost while Kafka still keeps the messages.",
        "Look at the brokers, the network and the secret of Kafka. The stream goes on by itself.",
        "The orders stream",
    ),
    "DeadLetters": Answer(
        MEDIUM,
        "Many messages are not valid events. They are kept in the dead-letter queue, each with its reason.",
        "Count them by reason with dlq.count and tell the producer. Once mended, dlq.replay brings them home.",
        "The orders stream",
    ),
    "ReleaseNotHandedOver": Answer(
        MEDIUM,
        "The stream runs another release than the deployed one. It reads on, and loses nothing.",
        "Read in the log of keep_alive why the hand-over fails. The next run tries it again.",
        "The orders stream",
    ),
    "DeadlineMissed": Answer(
        HIGH,
        "A DAG run takes longer than it may. It has not failed, and goes on; its tables are older than they should be.",
        "See which task runs or waits. Clear nothing that runs; a job run that hangs may be cancelled.",
    ),
    "AlertStorm": Answer(
        HIGH,
        "Many causes at once. Often one thing is behind them, such as AWS, S3 or the network.",
        "Look for what they have in common before you mend them one by one.",
    ),
    "DailyReport": Answer(
        LOW, "How the lakehouse did in a day.", "Read it. Nothing has to be done.", "The daily report"
    ),
    "ReleaseTried": Answer(LOW, "A release was deployed and tried. It works.", "Nothing has to be done.", "The canary"),
    "WeeklyTrend": Answer(
        LOW,
        "More rules failed, or more rows were split off, than in the four weeks before, where it says so.",
        "Look at the tables that got worse on the data quality page. Nothing has to be done at once.",
        "The daily report",
    ),
}


def answer(kind: str, error: str) -> Answer:
    """What a person has to know of an error of this kind and name; a kind that nobody knows counts as `system`."""
    return BY_ERROR.get(error) or BY_KIND.get(kind) or BY_KIND["system"]


def worst(severities: list[str]) -> str:
    """The worst of these; at least one."""
    return min(severities, key=SEVERITIES.index)
