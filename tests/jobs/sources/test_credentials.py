"""Credentials by name; errors say what is wrong and never show a value."""

from __future__ import annotations

import json
import traceback

import boto3
import pytest

from jobs.lake.errors import ConfigurationError
from jobs.sources import credentials

KEYS = ("username", "password")


def store(lake: str, text: str) -> str:
    """Stores a Salesforce secret; the project has the name of the test's bucket."""
    name = f"{lake}/salesforce/credentials"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=text)
    return name


def refused() -> str:
    """The message; the value must be nowhere, not even in the traceback."""
    with pytest.raises(ConfigurationError) as caught:
        credentials.read("salesforce", KEYS)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_secret_is_found_under_the_projects_name(lake: str) -> None:
    store(lake, json.dumps({"username": "u", "password": "hunter2", "port": 8080}))

    assert credentials.read("salesforce", KEYS) == {"username": "u", "password": "hunter2", "port": "8080"}


def test_next_job_reads_the_secret_that_was_changed_meanwhile(lake: str) -> None:
    name = store(lake, json.dumps({"username": "first", "password": "hunter2"}))
    before = credentials.read("salesforce", KEYS)
    boto3.client("secretsmanager").put_secret_value(
        SecretId=name, SecretString=json.dumps({"username": "second", "password": "hunter2"})
    )

    assert (before["username"], credentials.read("salesforce", KEYS)["username"]) == ("first", "second")


def test_missing_secret_is_named_with_its_keys(lake: str) -> None:
    message = refused()

    assert f"{lake}/salesforce/credentials" in message
    assert "username, password" in message


@pytest.mark.parametrize("text", ["hunter2", '{"password": "hunter2"', '["hunter2"]', '"hunter2"'])
def test_secret_that_is_not_a_json_object_is_never_shown(lake: str, text: str) -> None:
    name = store(lake, text)

    assert f"{name} is not a JSON object" in refused()


@pytest.mark.parametrize("value", [{"password": "hunter2"}, {"password": "hunter2", "username": ""}])
def test_missing_key_of_a_secret_is_named_and_no_value_is_shown(lake: str, value: dict[str, str]) -> None:
    store(lake, json.dumps(value))

    assert "lacks username:" in refused()
