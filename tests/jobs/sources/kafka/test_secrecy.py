"""No plan shows the log-in to the brokers: plans go to logs, the UI and event logs."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs.lake import session
from jobs.sources.kafka.broker import Login

PASSWORD = 's3"cr\\et, "word'  # the JAAS line escapes what it has to
LOGIN = Login("127.0.0.1:1", "the-key", PASSWORD, "g", None)


@pytest.mark.parametrize("form", ["simple", "extended", "cost", "formatted"])
@pytest.mark.parametrize("password", [PASSWORD, "plain-word"])
def test_plan_of_a_stream_shows_no_password(
    spark: SparkSession, capsys: pytest.CaptureFixture[str], form: str, password: str
) -> None:
    login = Login("127.0.0.1:1", "the-key", password, "g", None)
    line = login.spark_options()["kafka.sasl.jaas.config"]
    messages = spark.readStream.format("kafka").options(**login.spark_options(), subscribe="orders").load()

    messages.explain(mode=form)
    shown = capsys.readouterr().out + messages._jdf.queryExecution().toString()

    assert "kafka" in shown
    assert line not in shown
    assert not any(word in shown for word in (password, "plain-word", 's3\\"cr', "et, ", "the-key"))


def test_secret_words_of_options_are_those_that_spark_hides() -> None:
    hidden = session.CONF["spark.redaction.regex"]
    assert all(word in hidden for word in ("secret", "password", "token", "jaas"))
