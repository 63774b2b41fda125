"""A connection to Snowflake."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import snowflake.connector
from snowflake.connector.errors import Error

from jobs.lake import settings
from jobs.sources import credentials
from jobs.sources.snowflake.errors import translated


def connect() -> snowflake.connector.SnowflakeConnection:
    """A connection by the secret `<project>/snowflake/credentials`.

    Raises:
        ConfigurationError: the secret is missing, or the log-in is refused.
        TransientError: Snowflake can't be reached.
    """
    keys = ("account", "username", "password", "warehouse", "database", "schema")
    secret = credentials.read("snowflake", keys)
    options: dict[str, Any] = {}
    endpoint = settings.replacement("SNOWFLAKE_ENDPOINT_URL")
    if endpoint:
        address = urlsplit(endpoint)
        options = {"host": address.hostname, "port": address.port, "protocol": address.scheme}
    try:
        return snowflake.connector.connect(
            account=secret["account"],
            user=secret["username"],
            password=secret["password"],
            warehouse=secret["warehouse"],
            database=secret["database"],
            schema=secret["schema"],
            login_timeout=30,
            network_timeout=120,
            # Otherwise NUMBER with a scale arrives as a double, and cents are lost.
            arrow_number_to_decimal=True,
            # The session's time zone decides how TIMESTAMP_LTZ arrives.
            session_parameters={"TIMEZONE": "UTC"},
            **options,
        )
    except Error as error:
        raise translated(error, "the account", secret["password"]) from error
