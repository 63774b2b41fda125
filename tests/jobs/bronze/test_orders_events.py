"""The stream of order events, from a real broker into both tables."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from pyspark.sql import SparkSession

from jobs.bronze import orders_dlq, orders_events
from jobs.catalog import register_glue_tables
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.run import Run
from jobs.lake.state import leases, objects, stream_control
from jobs.sources.kafka import batches, broker, compaction, present_login, reporting, stream
from tests.jobs import lakehouse
from tests.jobs.topics import DEAD, EVENTS, Topic, event, rows, wait, write_desired_state


def newest(table: str) -> CommitRecord:
    """The commit record of the table's newest batch."""
    return next(c.record for c in log.commits(settings.lake().uri(table)) if c.record and c.counts)


def test_each_message_is_in_exactly_one_table_with_its_offset_and_the_secret_nowhere(
    topic: Topic, capfd: pytest.CaptureFixture[str], spark: SparkSession
) -> None:
    topic.send([event("O1"), b"{", event("O2"), None], headers=[("trace", b"1")])
    topic.send([event("O3")], partition=1, key=b"O3")

    with topic.streaming():
        wait(lambda: len(topic.places()) == 5)
        (query,) = [query for query in spark.streams.active if query.name == topic.name]
        query.explain(extended=True)
        plan = query._jsq.toString() + str(query.lastProgress)
        listed = spark._jsparkSession.sharedState().statusStore().executionsList()  # what the UI and event logs have
        shown = [listed.apply(number).physicalPlanDescription() for number in range(listed.size())]

    out, err = capfd.readouterr()
    assert "Scan" in out or "Relation" in out, "the plan was shown"
    assert any("MicroBatchScan" in text for text in shown)
    assert topic.secret not in out + err + plan + "".join(shown)
    assert topic.places() == [(DEAD, 0, 1), (DEAD, 0, 3), (EVENTS, 0, 0), (EVENTS, 0, 2), (EVENTS, 1, 0)]
    (kept,) = [row for row in rows(EVENTS, ("partition", "topic", "key", "headers", "_source")) if row["partition"]]
    assert kept == {"partition": 1, "topic": topic.name, "key": b"O3", "headers": None, "_source": "kafka/orders"}
    headers = {str(row["headers"]) for table in (EVENTS, DEAD) for row in rows(table, ("partition", "headers"))}
    assert headers == {"None", "[{'key': 'trace', 'value': b'1'}]"}


def test_event_keeps_its_values_and_the_message_as_it_came(topic: Topic) -> None:
    message = event("O1", amount=0.1, order_date="2026-09-30", event_timestamp="2026-10-01T10:00:00.000001+02:00", x=1)
    topic.send([message])

    topic.read(1)

    columns = ("order_id", "customer_id", "order_date", "currency", "amount", "status", "event_timestamp", "value")
    (row,) = rows(EVENTS, columns)
    moment = row.pop("event_timestamp")
    assert moment.astimezone(UTC) == datetime(2026, 10, 1, 8, 0, 0, 1, UTC)
    assert row == {
        "order_id": "O1", "customer_id": "C1", "order_date": date(2026, 9, 30), "currency": "EUR",
        "amount": Decimal("0.10"), "status": "PLACED", "value": message.decode(),
    }  # fmt: skip


@pytest.mark.slow
def test_next_stream_goes_on_where_the_table_ends_and_joins_small_files(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send([event("O1"), event("O2")])
    topic.read(2)
    monkeypatch.setattr(compaction, "EVERY", 2)
    topic.send([event("O3")])
    with topic.streaming("stream-2"):
        wait(lambda: len(topic.places()) == 3)
        assert newest(EVENTS).counts.read == 1
        topic.send([event("O4")])
        wait(lambda: len(lakehouse.files(EVENTS)) == 1)

    assert topic.places() == [(EVENTS, 0, offset) for offset in range(4)]


def test_batch_accounts_for_every_message_in_its_commit_the_ledger_and_cloudwatch(topic: Topic) -> None:
    topic.send([event("O1"), b"{", b"[]", b"{"])

    topic.read(4)

    made = newest(EVENTS)
    counts = {name: number for name, number in vars(made.counts).items() if number}
    assert counts == {"read": 4, "written": 1, "dead_lettered": 3}
    assert made.reasons == {"not_json": 2, "not_an_object": 1}
    assert made.position == {"0": 4, "1": 0}
    assert made.facts == {"offsets_without_message": 0}
    record = lakehouse.record(EVENTS)
    assert (record["read"], record["written"], record["dead_lettered"], record["lag"]) == (4, 1, 3, 0)
    dimensions = {"Project": settings.lake().project, "Table": EVENTS}
    sent = boto3.client("cloudwatch").list_metrics(Namespace="Sluice")["Metrics"]
    mine = {m["MetricName"] for m in sent if {d["Name"]: d["Value"] for d in m["Dimensions"]} == dimensions}
    assert mine == {"MessagesRead", "MessagesDeadLettered", "EventsPerSecond", "BatchSeconds", "Lag"}


@pytest.mark.slow
def test_message_that_the_next_release_judges_differently_after_a_kill_is_in_one_table(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send([event("O1", currency="XAU"), event("O2")])
    topic.refused = "XAU"
    with lakehouse.killed_at(batches.BatchWriter, "_append_events"), monkeypatch.context() as patch:
        patch.setattr(stream, "GIVE_UP", timedelta(0))
        topic.run()
    assert topic.places() == [(DEAD, 0, 0)]
    topic.refused = ""

    topic.read(2, "stream-2")

    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1)]


def test_stream_gives_way_to_a_job_that_waits_and_goes_on_after_it(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "REPORT_SECONDS", 1.0)
    topic.send([event("O1")])
    with topic.streaming():
        wait(lambda: len(topic.places()) == 1)
        with leases.hold(Run("by-hand", "restore"), EVENTS):
            topic.send([event("O2")])
            wait(lambda: (_report()["state"], _report()["lag"]) == ("waiting", 1))
            first = _report()["reported_at"]
            wait(lambda: _report()["reported_at"] > first, seconds=10)
            assert len(topic.places()) == 1, "nobody else writes the table"
        wait(lambda: len(topic.places()) == 2)

    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1)]


def test_running_stream_takes_the_secrets_new_log_in_and_keeps_its_own_while_that_one_is_wrong(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(present_login, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(broker, "SECONDS", 2.0)
    said: list[str] = []

    def times_said(text: str) -> int:
        said.append(capsys.readouterr().out)
        return "".join(said).count(text)

    topic.send([event("O1")])
    with topic.streaming():
        wait(lambda: len(topic.places()) == 1)
        _change_secret(api_secret="wrong")
        wait(lambda: times_said(f"{topic.name}: goes on with the log-in that it has") > 0)
        topic.send([event("O2")])
        wait(lambda: len(topic.places()) == 2)
        _change_secret(api_secret=topic.secret, group_id="another")
        wait(lambda: times_said(f"{topic.name}: takes the new log-in of the secret") == 1)
        wait(lambda: times_said(f"{topic.name}: reads from") == 2)
        topic.send([event("O3")])
        wait(lambda: len(topic.places()) == 3)

    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1), (EVENTS, 0, 2)]
    assert times_said("wrong") == 0


def test_tables_can_be_queried_as_soon_as_the_stream_has_started(topic: Topic) -> None:
    topic.send([event("O1")])

    topic.read(1)

    glue = boto3.client("glue")
    for name, table in ((EVENTS, orders_events), (DEAD, orders_dlq)):
        known = glue.get_table(DatabaseName="bronze", Name=name.removeprefix("bronze."))["Table"]
        columns = {column["Name"]: column["Comment"] for column in known["StorageDescriptor"]["Columns"]}
        assert columns.items() >= {field.name: field.metadata["comment"] for field in table.SCHEMA}.items()
        assert known["StorageDescriptor"]["Location"] == settings.lake().uri(name)


@pytest.mark.slow
def test_stream_goes_on_without_a_catalog_and_says_what_makes_up_for_it(
    topic: Topic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://glue")

    monkeypatch.setattr(register_glue_tables.Catalog, "register", away)
    topic.send([event("O1")])

    topic.read(1)

    assert topic.places() == [(EVENTS, 0, 0)]
    message = f"{topic.name}: tables not registered, EndpointConnectionError; `register` makes up for it"
    assert message in capsys.readouterr().out


@pytest.mark.slow
def test_stream_of_another_release_drains(topic: Topic) -> None:
    topic.send([event("O1")])
    with topic.streaming(code="old"):
        wait(lambda: len(topic.places()) == 1)
        write_desired_state(stream_control.DesiredState(code="new"))
        wait(lambda: _report()["state"] == "ended")
        topic.send([event("O2")])
        time.sleep(3)

    assert topic.places() == [(EVENTS, 0, 0)]
    assert (_report()["code"], _report()["lag"]) == ("old", 0)


def _change_secret(**values: str) -> None:
    secrets, name = boto3.client("secretsmanager"), f"{settings.lake().project}/kafka/credentials"
    known = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(known | values))


def _report() -> dict[str, Any]:
    return dict(objects.read_json(stream_control.report_key(EVENTS)) or {"state": None})
