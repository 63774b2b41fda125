"""A proxy that the shell names never stands between the platform and itself."""

from __future__ import annotations

import urllib.request

import pytest
import requests

from infra.setup import proxies

PROXY = "http://127.0.0.9:9"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, PROXY)


@pytest.mark.parametrize(
    "given",
    [{}, {"NO_PROXY": "example.com"}, {"no_proxy": "example.com"}, {"NO_PROXY": "a", "no_proxy": "127.0.0.1, b"}],
)
def test_both_cases_name_what_either_named_and_this_machine(given: dict[str, str]) -> None:
    """Some clients read the lower case alone when it is there."""
    set_ = proxies.bypass(given)
    assert set_["NO_PROXY"] == set_["no_proxy"]
    hosts = set_["NO_PROXY"].split(",")
    assert {"127.0.0.1", "localhost"} <= set(hosts)
    assert {host.strip() for value in given.values() for host in value.split(",")} <= set(hosts)
    assert len(hosts) == len(set(hosts))
    assert proxies.bypass({**given, **set_}) == set_


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize("before", ["", "example.com"])
def test_no_client_takes_the_proxy_to_this_machine(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.setenv("NO_PROXY", before)
    monkeypatch.setenv("no_proxy", before)
    proxies.bypass_here()
    for url in ("http://127.0.0.1:8101/", "http://localhost:8101/"):
        assert requests.utils.get_environ_proxies(url) == {}
        assert urllib.request.proxy_bypass(url.split("/")[2])
    assert requests.utils.get_environ_proxies("http://vendor.example/")["http"] == PROXY


@pytest.mark.parametrize("name", ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"])
def test_a_jvm_s_proxy_has_the_exceptions_too(name: str) -> None:
    options = "-Dhttp.proxyHost=proxy -Dhttp.nonProxyHosts=intranet"
    set_ = proxies.bypass({name: options})
    assert set_[name].startswith(options)  # of two equal options a JVM takes the last
    assert set_[name].rpartition("-Dhttp.nonProxyHosts=")[2].split()[0] == "127.0.0.1|localhost"
    assert proxies.bypass(set_) == set_


def test_a_jvm_without_a_proxy_keeps_its_options() -> None:
    assert "JAVA_TOOL_OPTIONS" not in proxies.bypass({"JAVA_TOOL_OPTIONS": "-Xmx1g"})
