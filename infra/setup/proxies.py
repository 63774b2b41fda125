"""Keeps calls within this machine away from the proxy that a shell names.

A platform calls itself at 127.0.0.1. A proxy on another machine, or none at all behind a stale variable, would cut it
off from itself. Clients read NO_PROXY in one case or the other, and some read the lower case alone when both are set:
so both name the same hosts. A JVM has its proxy from options.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

HOSTS = ("127.0.0.1", "localhost")
_JVM_OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


def bypass(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that do it: what an environment has in them, and this machine."""
    named = [*environment.get("NO_PROXY", "").split(","), *environment.get("no_proxy", "").split(","), *HOSTS]
    hosts = ",".join(dict.fromkeys(host.strip() for host in named if host.strip()))
    return {"NO_PROXY": hosts, "no_proxy": hosts, **_of_jvms(environment)}


def bypass_here() -> None:
    """Sets them in this process, and so for every process that it starts."""
    os.environ.update(bypass(os.environ))


def _of_jvms(environment: Mapping[str, str]) -> dict[str, str]:
    """Options that name a proxy, with exceptions behind them: of two equal options the last counts."""
    found = {name: environment[name] for name in _JVM_OPTIONS if "proxyhost" in environment.get(name, "").lower()}
    hosts = "|".join(HOSTS)
    exceptions = f" -Dhttp.nonProxyHosts={hosts} -DsocksNonProxyHosts={hosts}"
    return {name: options if options.endswith(exceptions) else options + exceptions for name, options in found.items()}
