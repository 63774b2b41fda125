"""The client's errors as the lake's, where it logs in, and where its requests go."""

from __future__ import annotations

import json
from typing import Any

import boto3
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

PASSWORD = "not for eyes"


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
        (_refused(403, "API_DISABLED_FOR_ORG"), ConfigurationError, "API_DISABLED_FOR_ORG: m"),
        (_malformed("SERVER_UNAVAILABLE"), TransientError, "SERVER_UNAVAILABLE"),
        (SalesforceError("url", 502, "Account", b"<html>"), TransientError, "502"),
        (SalesforceOperationError("m"), TransientError, "SalesforceOperationError"),
        (requests.ConnectionError("no route"), TransientError, "ConnectionError"),
        (requests.ReadTimeout("slow"), TransientError, "ReadTimeout"),
    ],
    ids=[
        "log-in",
        "log-in down",
        "query",
        "slow query",
        "limit",
        "no API",
        "down for a query",
        "no JSON",
        "job",
        "down",
        "hangs",
    ],
)
def test_error_of_the_client_names_the_source_and_its_kind(error: Exception, kind: type[LakeError], says: str) -> None:
    with pytest.raises(kind, match=f"^salesforce: .*{says}.*Nothing was written"), client.named_errors():
        raise error


# What the service answers to a log-in: its code, its words, and the kind of error that they are.
LOG_INS: list[tuple[str, str, type[LakeError]]] = [
    ("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.", ConfigurationError),
    (
        "LOGIN_MUST_USE_SECURITY_TOKEN",
        "When accessing Salesforce from outside of your company's trusted networks, you must add a security token",
        ConfigurationError,
    ),
    ("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.", ConfigurationError),
    ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner", ConfigurationError),
    ("PASSWORD_LOCKOUT", f"locked after {PASSWORD}", ConfigurationError),
    ("ORG_LOCKED", "organization locked", ConfigurationError),
    ("LOGIN_DURING_RESTRICTED_DOMAIN", "cannot login from this IP address", ConfigurationError),
    ("INSUFFICIENT_ACCESS", "Use Any API Auth user permission is required", ConfigurationError),
    ("SERVER_UNAVAILABLE", "Service is temporarily unavailable", TransientError),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", TransientError),
    ("LOGIN_RATE_EXCEEDED", "login rate exceeded", TransientError),
    ("API_CURRENTLY_DISABLED", "API functionality has temporarily been disabled", TransientError),
    ("UNKNOWN_EXCEPTION", "An unexpected error occurred", TransientError),
]


class Answer(requests.adapters.BaseAdapter):
    """The service, as recorded: it gives one answer."""

    def __init__(self, body: str, status: int = 500) -> None:
        super().__init__()
        self.body, self.status, self.asked = body, status, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(request)
        answer = requests.Response()
        answer.status_code, answer._content = self.status, self.body.encode()
        return answer

    def close(self) -> None:
        """Nothing to close."""


def fault(code: str, words: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:sf="urn:fault.partner.soap.sforce.com"'
        ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {words}</faultstring><detail><sf:LoginFault>"
        f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{words}</sf:exceptionMessage>"
        "</sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )


def log_in(monkeypatch: pytest.MonkeyPatch, answer: Answer, **changed: str) -> None:
    usual = {
        "username": "u",
        "password": PASSWORD,
        "security_token": "T",
        "instance_url": "https://a.my.salesforce.com",
    }
    monkeypatch.setattr(client.credentials, "read", lambda *_, **__: {**usual, **changed})
    monkeypatch.setattr(client, "Wire", lambda _: answer)
    client.connect()


@pytest.mark.parametrize(("code", "words", "kind"), LOG_INS, ids=[code for code, *_ in LOG_INS])
def test_log_in_that_the_service_refuses_is_of_its_kind_and_keeps_the_services_words(
    monkeypatch: pytest.MonkeyPatch, code: str, words: str, kind: type[LakeError]
) -> None:
    with pytest.raises(LakeError) as caught:
        log_in(monkeypatch, Answer(fault(code, words)))

    assert type(caught.value) is kind
    assert f"({code}: {words.replace(PASSWORD, '***')}" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    is_wrong = code in ("INVALID_LOGIN", "LOGIN_MUST_USE_SECURITY_TOKEN")
    assert ("Check username, password and security token" in str(caught.value)) == is_wrong


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("<html>Down for maintenance</html>x", 503, TransientError),
        ("Too many requests", 429, TransientError),
        ("Not found", 404, ConfigurationError),
        ("<a/>", 500, TransientError),
    ],
)
def test_answer_to_a_log_in_that_is_not_the_services_own_is_judged_by_its_status(
    monkeypatch: pytest.MonkeyPatch, body: str, status: int, kind: type[LakeError]
) -> None:
    with pytest.raises(kind) as caught:
        log_in(monkeypatch, Answer(body, status))
    assert "<" not in str(caught.value).replace("<project>", "")


@pytest.mark.parametrize(
    ("instance_url", "host"),
    [
        ("https://contest.my.salesforce.com", "contest.my.salesforce.com"),
        ("https://Acme.my.salesforce.com/", "acme.my.salesforce.com"),
        ("acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("https://sandbox-sellers.my.salesforce.com", "sandbox-sellers.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"),
        ("https://acme--uat.cs5.my.salesforce.com:443", "acme--uat.cs5.my.salesforce.com"),
        ("https://acme.lightning.force.com/lightning/page/home", "acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.lightning.force.com", "acme--uat.sandbox.my.salesforce.com"),
        ("https://login.salesforce.com", "login.salesforce.com"),
        ("https://test.salesforce.com", "test.salesforce.com"),
        ("https://na1.salesforce.com", "login.salesforce.com"),
        ("https://cs12.salesforce.com", "test.salesforce.com"),
    ],
)
def test_log_in_is_at_the_orgs_own_host(monkeypatch: pytest.MonkeyPatch, instance_url: str, host: str) -> None:
    answer = Answer(fault("INVALID_LOGIN", "no"))
    with pytest.raises(ConfigurationError, match="INVALID_LOGIN"):
        log_in(monkeypatch, answer, instance_url=instance_url)

    assert [request.url for request in answer.asked] == [f"https://{host}/services/Soap/u/59.0"]


@pytest.mark.parametrize("instance_url", ["https://acme.example.com", "acme", "https://my.salesforce.com.evil.example"])
def test_address_that_is_no_orgs_gets_no_password(monkeypatch: pytest.MonkeyPatch, instance_url: str) -> None:
    answer = Answer("")
    with pytest.raises(ConfigurationError, match="My Domain"):
        log_in(monkeypatch, answer, instance_url=instance_url)
    assert answer.asked == []


def test_empty_security_token_of_a_trusted_network_is_taken(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"username": "u", "password": "p", "security_token": "", "instance_url": "https://a.my.salesforce.com"}
    boto3.client("secretsmanager").create_secret(Name=f"{lake}/salesforce/credentials", SecretString=json.dumps(secret))
    answer = Answer(fault("INVALID_LOGIN", "no"))
    monkeypatch.setattr(client, "Wire", lambda _: answer)

    with pytest.raises(ConfigurationError, match="INVALID_LOGIN"):
        client.connect()
    assert b"<n1:password>p</n1:password>" in bytes(answer.asked[0].body or b"", "utf8")


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
