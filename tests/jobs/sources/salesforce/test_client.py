"""The client's errors as the lake's, and where its requests go."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
)

from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.sources.salesforce import client


def _refused(status: int, code: str) -> SalesforceError:
    return SalesforceError("url", status, "Account", [{"errorCode": code, "message": "m"}])


def _malformed(code: str) -> SalesforceError:
    return SalesforceMalformedRequest("url", 400, "Account", [{"errorCode": code, "message": "m"}])


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (SalesforceAuthenticationFailed("INVALID_LOGIN", "m"), ConfigurationError, "INVALID_LOGIN"),
        (SalesforceAuthenticationFailed(503, "m"), TransientError, "can't be read"),
        (_malformed("INVALID_FIELD"), DataError, "INVALID_FIELD: m"),
        (_malformed("QUERY_TIMEOUT"), TransientError, "QUERY_TIMEOUT: m"),
        (_refused(403, "REQUEST_LIMIT_EXCEEDED"), TransientError, "REQUEST_LIMIT_EXCEEDED"),
        (SalesforceError("url", 502, "Account", b"<html>"), TransientError, "502"),
        (SalesforceOperationError("m"), TransientError, "SalesforceOperationError"),
        (requests.ConnectionError("no route"), TransientError, "ConnectionError"),
        (requests.ReadTimeout("slow"), TransientError, "ReadTimeout"),
    ],
    ids=["log-in", "log-in down", "query", "slow query", "limit", "no JSON", "job", "down", "hangs"],
)
def test_error_of_the_client_names_the_source_and_its_kind(error: Exception, kind: type[LakeError], says: str) -> None:
    with pytest.raises(kind, match=f"^salesforce: .*{says}.*Nothing was written"), client.named_errors():
        raise error


def test_error_of_the_lake_stays_as_it_is() -> None:
    with pytest.raises(DataError, match=r"^mine$"), client.named_errors():
        raise DataError("mine")


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("http://127.0.0.1:8104", "http://127.0.0.1:8104/services/data/v59.0/query/?q=SELECT"),
        (None, "https://na1.salesforce.com/services/data/v59.0/query/?q=SELECT"),
    ],
)
def test_every_request_goes_to_the_endpoint_when_one_is_set_and_has_a_time_limit(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, address: str
) -> None:
    sent: list[tuple[str | None, Any]] = []

    def send(self: object, request: requests.PreparedRequest, stream: bool, **options: Any) -> requests.Response:
        sent.append((request.url, options["timeout"]))
        return requests.Response()

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    request = requests.Request("GET", "https://na1.salesforce.com/services/data/v59.0/query/?q=SELECT").prepare()

    client.Wire(endpoint).send(request, timeout=None)

    assert sent == [(address, client.TIMEOUT)]
