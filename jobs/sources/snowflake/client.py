"""A connection to Snowflake, and its errors as the lake's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import snowflake.connector
from snowflake.connector.errors import DatabaseError, Error, OperationalError, ProgrammingError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.sources import credentials

BAD_LOGIN = (250001, 251001, 390100)


def connect() -> snowflake.connector.SnowflakeConnection:
    """A connection by the secret `<project>/snowflake/credentials`."""
    keys = ("account", "username", "password", "warehouse", "database", "schema")
    secret = credentials.read("snowflake", keys)
    options: dict[str, Any] = {}
    endpoint = settings.replacement("SNOWFLAKE_ENDPOINT_URL")
    if endpoint:
        address = urlsplit(endpoint)
        options = {"host": address.hostname, "port": address.port, "protocol": address.scheme}
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


def translated(error: Error, what: str) -> LakeError:
    """The connector's error as one of the lake's; `what` names the object that was read."""
    if error.errno in BAD_LOGIN and "password" in str(error.msg).lower():
        return ConfigurationError(
            f"snowflake: log-in refused ({error.errno}). Nothing was written. Check username and password in the "
            "secret <project>/snowflake/credentials."
        )
    if isinstance(error, ProgrammingError):
        return DataError(f"snowflake: the query on {what} failed ({error.errno}: {error.msg}). Nothing was written.")
    if isinstance(error, (OperationalError, DatabaseError)):
        return TransientError(
            f"snowflake: can't be read ({error.errno}: {type(error).__name__}). Nothing was written. Sluice "
            "will try again. If it keeps failing, check the account name and Snowflake's status page."
        )
    return LakeError(f"snowflake: {type(error).__name__} {error.errno}. Nothing was written.")
