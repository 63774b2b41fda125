from __future__ import annotations

from pathlib import Path

from infra.local.addresses import Addresses
from infra.local.secrets import secrets


def test_secrets_have_the_names_and_keys_of_the_runbook() -> None:
    found = secrets(Addresses(home=Path("home"), port=1, project="lake"))
    assert {name: set(document) for name, document in found.items()} == {
        "lake/salesforce/credentials": {"username", "password", "security_token", "instance_url"},
        "lake/snowflake/credentials": {"account", "username", "password", "warehouse", "database", "schema"},
        "lake/kafka/credentials": {"bootstrap_servers", "api_key", "api_secret", "group_id"},
    }


def test_log_ins_depend_on_the_project_alone() -> None:
    here = Addresses(home=Path("a"), port=1)
    assert secrets(here) == secrets(Addresses(home=Path("b"), port=1))
    other = secrets(Addresses(home=Path("a"), port=1, project="lake"))
    assert not {str(document) for document in secrets(here).values()} & {str(d) for d in other.values()}
