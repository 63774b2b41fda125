"""A connection to Salesforce, and its errors as the lake's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError, SalesforceOperationError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.sources import credentials

# Seconds to connect, and between two bytes of an answer: the client itself would wait for ever.
TIMEOUT = (10.0, 300.0)
# Errors of status 400 that are not the query's fault: a cursor that was closed, a query that took too long.
PASSING = ("INVALID_QUERY_LOCATOR", "QUERY_TIMEOUT")


def connect() -> Salesforce:
    """A logged-in client, by the secret `<project>/salesforce/credentials`."""
    secret = credentials.read("salesforce", ("username", "password", "security_token", "instance_url"))
    http = requests.Session()
    http.mount("https://", Wire(settings.replacement("SALESFORCE_ENDPOINT_URL")))
    domain = "test" if "test." in secret["instance_url"] or "sandbox" in secret["instance_url"] else "login"
    return Salesforce(
        username=secret["username"],
        password=secret["password"],
        security_token=secret["security_token"],
        domain=domain,
        session=http,
        # Python's float would lose the digits beyond 17, and write 1e+16 for what Salesforce wrote.
        parse_float=str,
    )


class Wire(HTTPAdapter):
    """Limits every call's time and, if there is an endpoint, sends the call there.

    simple-salesforce builds https addresses and takes no endpoint.
    """

    def __init__(self, endpoint: str | None) -> None:
        self._to = urlsplit(endpoint) if endpoint else None
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if self._to:
            path = urlsplit(request.url or "")
            request.url = str(urlunsplit((self._to.scheme, self._to.netloc, path.path, path.query, path.fragment)))
        return super().send(request, stream, timeout=timeout or TIMEOUT, verify=verify, cert=cert, proxies=proxies)


@contextmanager
def named_errors() -> Iterator[None]:
    """Raises the client's errors as the lake's."""
    try:
        yield
    except (SalesforceError, SalesforceOperationError, requests.RequestException) as error:
        raise translated(error) from error


def translated(error: Exception) -> LakeError:
    """An error of the client as the lake's."""
    # An org that is down answers its log-in with 503, which the client reports as a failed log-in.
    if isinstance(error, SalesforceAuthenticationFailed) and error.code != 503:
        return ConfigurationError(
            f"salesforce: log-in refused ({error.code}). Nothing was written. Check username, password and "
            "security token in the secret <project>/salesforce/credentials."
        )
    code, reason = _reason(error)
    if isinstance(error, SalesforceError) and error.status == 400 and code not in PASSING:
        return DataError(f"salesforce: the query was refused ({reason}). Nothing was written.")
    return TransientError(
        f"salesforce: can't be read ({reason}). Nothing was written. Sluice will try again. If it keeps failing, "
        "check Salesforce's status page and the org's API limits."
    )


def _reason(error: Exception) -> tuple[str, str]:
    """Salesforce's error code, and the code with its message."""
    if not isinstance(error, SalesforceError):
        return "", type(error).__name__
    content: Any = error.content
    entry = content[0] if isinstance(content, list) and content else content
    if not isinstance(entry, dict):
        return "", str(error.status)
    return str(entry.get("errorCode")), f"{entry.get('errorCode')}: {entry.get('message')}"
