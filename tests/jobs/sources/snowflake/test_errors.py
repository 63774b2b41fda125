"""Snowflake's answers, as recorded: each is of the right kind, and tells its reason without a secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from snowflake.connector import errors
from snowflake.connector.errors import DatabaseError, Error, OperationalError, ProgrammingError

from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.sources.snowflake import client
from jobs.sources.snowflake.errors import translated

PASSWORD = "not for eyes"
# What the service answers to a log-in: its code, its words, and the kind of error that they are.
LOG_INS: list[tuple[str, str, type[LakeError]]] = [
    ("390100", "Incorrect username or password was specified.", ConfigurationError),
    ("390101", "User access disabled. Contact your local system administrator.", ConfigurationError),
    (
        "390102",
        "Your user account has been temporarily locked due to too many failed attempts. Try again after 15 minutes or "
        "contact your account administrator for assistance.",
        ConfigurationError,
    ),
    ("390120", "Duo Security authentication is denied.", ConfigurationError),
    ("390123", "User is locked from Duo Security. Contact your local system administrator.", ConfigurationError),
    ("390127", "Incorrect passcode was specified.", ConfigurationError),
    (
        "390189",
        "Role 'LOADER' specified in the connect string does not exist or not authorized. Contact your local system "
        "administrator, or attempt to login with another role, e.g. PUBLIC.",
        ConfigurationError,
    ),
    (
        "390422",
        "Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake. Contact your account "
        "administrator.",
        ConfigurationError,
    ),
    (
        "394507",
        "Failed to authenticate: MFA enrollment is required. Multi-factor authentication is required for this account. "
        "Log in to Snowsight to enroll.",
        ConfigurationError,
    ),
    (
        "394508",
        "Failed to authenticate: MFA with TOTP is required. To authenticate, provide both your password and a current "
        "TOTP passcode.",
        ConfigurationError,
    ),
    ("250001", f"Refused with {PASSWORD}", ConfigurationError),
    ("390114", "Authentication token has expired. The user must authenticate again.", TransientError),
    ("300002", "Internal error: 1f3c. Please contact Snowflake support.", TransientError),
]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Whatever is asked gets this answer, over HTTP."""
    given: dict[str, str] = {}

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(int(given.get("status", 200)))
            self.end_headers()
            body = {"data": {"nextAction": None}, "success": False, "code": given["code"], "message": given["message"]}
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secret = {**dict.fromkeys(("account", "username", "warehouse", "database", "schema"), "x"), "password": PASSWORD}
    monkeypatch.setattr(client.credentials, "read", lambda *_: secret)
    monkeypatch.setenv("SNOWFLAKE_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield given
    server.shutdown()
    server.server_close()


def test_log_in_that_the_service_refuses_is_of_its_kind_and_keeps_the_services_words(answer: dict[str, str]) -> None:
    for code, words, kind in LOG_INS:
        answer |= {"code": code, "message": words}
        with pytest.raises(LakeError) as caught:
            client.connect()
        assert type(caught.value) is kind, code
        assert f"({code}: " in str(caught.value)
        assert words.replace(PASSWORD, "***") in str(caught.value)
        assert PASSWORD not in str(caught.value)
        assert ("log-in refused" in str(caught.value)) == (kind is ConfigurationError)
        assert ("Check username and password" in str(caught.value)) == (code == "390100"), code


def test_account_that_no_host_knows_is_told_so(answer: dict[str, str]) -> None:
    for status in ("403", "404"):
        answer |= {"status": status, "code": "", "message": ""}
        with pytest.raises(ConfigurationError, match=r"Check account and|log-in refused"):
            client.connect()


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (DatabaseError("Incorrect username or password was specified.", errno=250001), ConfigurationError, "Incorrect"),
        (OperationalError("Could not connect to Snowflake backend", errno=250001), TransientError, "Could not connect"),
        (errors.ServiceUnavailableError(msg="unavailable", errno=250001), TransientError, "unavailable"),
        (errors.TooManyRequests(errno=429), TransientError, "429"),
        (errors.HttpError(msg="404 Not Found", errno=290404), ConfigurationError, "404 Not"),
        (errors.HttpError(msg="400 Bad Request", errno=290400), TransientError, "400"),
        (OperationalError("could not connect", errno=250003), TransientError, "could not connect"),
        (ProgrammingError("Account must be specified", errno=251001), ConfigurationError, "Account must be"),
        (
            ProgrammingError(
                "Statement reached its statement or warehouse timeout of 120 second(s) and was canceled.",
                errno=630, sqlstate="57014",
            ),
            TransientError, "timeout of 120",
        ),
        (ProgrammingError("SQL execution canceled", errno=604, sqlstate="57014"), TransientError, "canceled"),
        (ProgrammingError("SQL execution internal error", errno=603, sqlstate="XX000"), TransientError, "internal"),
        (ProgrammingError("Authentication token has expired.", errno=390114), TransientError, "expired"),
        (ProgrammingError("Session no longer exists.", errno=390111), TransientError, "no longer exists"),
        (
            ProgrammingError("No active warehouse selected in the current session.", errno=606, sqlstate="57P03"),
            ConfigurationError, "No active warehouse",
        ),
        (
            ProgrammingError("Object 'ORDERS' does not exist or not authorized.", errno=2003, sqlstate="02000"),
            ConfigurationError, "'ORDERS' does not exist",
        ),
        (
            ProgrammingError("Your account is suspended due to lack of payment method.", errno=666, sqlstate="57014"),
            ConfigurationError, "lack of payment",
        ),
        (ProgrammingError("invalid identifier 'STATUS'", errno=904, sqlstate="42000"), DataError, "'STATUS'"),
        (
            ProgrammingError("Numeric value 'Jane Doe' is not recognized", errno=100038, sqlstate="22018"),
            DataError, r"Numeric value '\*\*\*' is not",
        ),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, Error) else None,
)  # fmt: skip
def test_error_of_the_connector_is_of_its_kind_and_keeps_its_words(
    error: Error, kind: type[LakeError], says: str
) -> None:
    found = translated(error, "ORDERS")

    assert type(found) is kind
    with pytest.raises(kind, match=f"^snowflake: .*{says}.*Nothing was written"):
        raise found
    assert "Jane" not in str(found)
