"""What of a secret or of its authority must not end a stream that runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import EndpointConnectionError

from jobs.lake.errors import ConfigurationError
from jobs.sources.kafka import broker, present_login
from jobs.sources.kafka.broker import Login

LOGIN = Login("127.0.0.1:1", "the-key", "the-password", "g", None)


@pytest.mark.parametrize(
    "found",
    [
        LOGIN,
        replace(LOGIN, authority="no certificate"),
        ConfigurationError("kafka: secret lake/kafka/credentials lacks api_key: add it in Secrets Manager"),
        EndpointConnectionError(endpoint_url="https://secretsmanager"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
    ids=["the same", "an authority that is no certificate", "a key less", "no answer", "an authority of bytes"],
)
def test_present_log_in_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Login | Exception
) -> None:
    answers = iter([LOGIN, found])

    def from_secret() -> Login:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(broker.Login, "from_secret", from_secret)
    monkeypatch.setattr(present_login, "LOOK_SECONDS", 0)
    present = present_login.PresentLogin("orders")

    assert not present.is_past()

    said = capsys.readouterr().out
    assert said.startswith("orders: goes on with the log-in that it has. ") is (found is not LOGIN)
    assert "the-password" not in said
