"""The programs of a platform, each with a command, an environment and a check in its own protocol."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from infra.local import health, ministack
from infra.local.addresses import Addresses

SOURCES, AWS, AIRFLOW = 10, 20, 30

Check = Callable[[float], None]


@dataclass(frozen=True)
class Part:
    """One program of the platform.

    Attributes:
        check: raises as long as the part doesn't serve. Its argument is when the part's process started, in epoch
            seconds.
        address: where it listens; empty if it doesn't.
        environment: what it needs besides `environment.of_parts`.
        stage: parts of a higher stage use those of lower ones, and stop before them.
        restart: start it again when it dies. False where a new process would lack what the old one knew.
        healthy_within: seconds that a start may take.
        stop_within: seconds that a stop may take. Then the part is killed.
    """

    name: str
    command: tuple[str, ...]
    check: Check
    address: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    stage: int = SOURCES
    restart: bool = True
    healthy_within: float = 60.0
    stop_within: int = 10


def python_module(name: str) -> tuple[str, ...]:
    """The command line of a module. Its Python is this one, which is the job environment's."""
    return (sys.executable, "-m", name)


def stand_ins(addresses: Addresses) -> tuple[Part, ...]:
    """AWS and the sources."""
    return (
        Part(
            name="s3",
            command=python_module("infra.local.aws.object_store"),
            check=partial(health.s3, addresses),
            address=addresses.s3,
            environment=ministack.kept(addresses),
        ),
        Part(
            name="aws",
            command=python_module("infra.local.aws.server"),
            check=partial(health.aws, addresses),
            address=addresses.aws,
            stage=AWS,
            restart=False,  # its secrets, catalog and application would be gone
            stop_within=60,  # it ends Airflow and running jobs first; these may commit, or give leases back
        ),
        _source("snowflake", addresses.snowflake, partial(health.snowflake, addresses)),
        _source("salesforce", addresses.salesforce, partial(health.salesforce, addresses)),
        _source("ecb", addresses.ecb, partial(health.ecb, addresses)),
        Part(
            name="kafka",
            command=python_module("infra.local.kafka"),
            check=partial(health.kafka, addresses),
            address=addresses.kafka,
            stop_within=30,  # it closes the log segments of its topic partitions
        ),
    )


def _source(name: str, address: str, check: Check) -> Part:
    return Part(name, python_module(f"infra.local.sources.{name}"), check, address)
