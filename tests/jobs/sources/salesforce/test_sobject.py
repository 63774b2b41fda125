"""Salesforce's values as text: as they were written, whatever JSON can spell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.bronze.salesforce_accounts import ACCOUNT
from jobs.sources.salesforce import client

USUAL = dict.fromkeys(ACCOUNT.fields)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.0E16", "1.0E16"),
        ("1234567890123456.78", "1234567890123456.78"),
        ("0.10", "0.10"),
        ("12", "12"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ("true", "true"),
        ("null", None),
        ('""', None),
        ('" "', " "),
        ('"a\\u0000b"', "a\0b"),
        ('"cut \\ud83d"', "cut \\ud83d"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_value_becomes_the_text_that_salesforce_wrote(written: str, text: str | None) -> None:
    """`parse_float` is as the client is asked for it."""
    record = {**USUAL, "AnnualRevenue": json.loads(written, parse_float=str)}

    assert ACCOUNT.rows([record])["annual_revenue"].to_pylist() == [text]


def test_client_is_asked_for_numbers_as_they_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    keys = ("username", "password", "security_token", "instance_url")
    monkeypatch.setattr(
        client.credentials,
        "read",
        lambda *_, **__: {**dict.fromkeys(keys, "x"), "instance_url": "https://x.my.salesforce.com"},
    )
    monkeypatch.setattr(client, "Salesforce", lambda **options: asked.update(options))

    client.connect()

    assert asked["parse_float"] is str
