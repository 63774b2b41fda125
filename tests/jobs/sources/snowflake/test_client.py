"""How Snowflake is asked; its errors are in test_errors."""

from __future__ import annotations

from typing import Any

import pytest
import snowflake.connector

from jobs.sources.snowflake import client


def test_connector_is_asked_for_exact_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    keys = ("account", "username", "password", "warehouse", "database", "schema")
    monkeypatch.setattr(client.credentials, "read", lambda *_: dict.fromkeys(keys, "x"))
    monkeypatch.setattr(snowflake.connector, "connect", lambda **options: asked.update(options))
    monkeypatch.setenv("SNOWFLAKE_ENDPOINT_URL", "http://127.0.0.1:8103")

    client.connect()

    assert asked["arrow_number_to_decimal"] is True  # else NUMBER arrives as a double
    assert asked["session_parameters"] == {"TIMEZONE": "UTC"}
    assert (asked["host"], asked["port"], asked["protocol"]) == ("127.0.0.1", 8103, "http")
