"""A connection to Salesforce."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceOperationError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.sources import credentials
from jobs.sources.salesforce.errors import translated

# Seconds to connect, and between two bytes of an answer: the client itself would wait for ever.
TIMEOUT = (10.0, 300.0)
# The host of an org's own, its My Domain, with or without a sandbox's name; and the hosts of sandboxes without one.
_MY_DOMAIN = re.compile(r"(?P<name>[a-z0-9-]+(\.[a-z0-9-]+)*)\.(my\.salesforce|lightning\.force)\.com")
_SANDBOXES = re.compile(r"(test|cs\d+)\.salesforce\.com")


def connect() -> Salesforce:
    """A logged-in client, by the secret `<project>/salesforce/credentials`.

    The security token is empty where the org trusts the network.

    Raises:
        ConfigurationError: the secret is missing or wrong, or the log-in is refused.
        TransientError: the org is down, or a limit is reached.
    """
    keys = ("username", "password", "security_token", "instance_url")
    secret = credentials.read("salesforce", keys, may_be_empty=("security_token",))
    http = requests.Session()
    http.mount("https://", Wire(settings.replacement("SALESFORCE_ENDPOINT_URL")))
    try:
        return Salesforce(
            username=secret["username"],
            password=secret["password"],
            security_token=secret["security_token"],
            domain=login_domain(secret["instance_url"]),
            session=http,
            # Python's float would lose the digits beyond 17, and write 1e+16 for what Salesforce wrote.
            parse_float=str,
        )
    except SalesforceError as error:
        raise translated(error, secret["password"], secret["security_token"]) from error


def login_domain(instance_url: str) -> str:
    """The host to log in at, without `.salesforce.com`: the org's own My Domain, or the common host for its kind.

    Raises:
        ConfigurationError: it is no address of an org.
    """
    host = instance_url.strip().lower().partition("//")[2] or instance_url.strip().lower()
    host = re.split("[/:?#]", host)[0]
    if found := _MY_DOMAIN.fullmatch(host):
        return f"{found['name']}.my"
    if _SANDBOXES.fullmatch(host):
        return "test"
    if host.endswith(".salesforce.com"):
        return "login"
    raise ConfigurationError(
        f"salesforce: instance_url has the host {host!r}, which is no org's. Nothing was written. Put the org's My "
        "Domain, https://<name>.my.salesforce.com, into the secret <project>/salesforce/credentials."
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
