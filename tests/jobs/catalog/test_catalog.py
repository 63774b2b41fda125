"""Registrations beside others that change the same catalog, and tables that the lake has lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from jobs.catalog import catalog as catalog_module
from jobs.catalog import entry, register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import tables
from jobs.lake.errors import TransientError
from jobs.lake.state import objects
from tests.jobs.lakehouse import put, silver_order

SILVER = "silver.orders"
SCHEMA = {"type": "struct", "fields": [{"name": "id", "type": "string", "metadata": {}}]}
WANTED = entry.of_delta("orders", "d", "team", "s3://lake/silver/orders", SCHEMA)
OTHER = {**WANTED, "Description": "by another program"}


@pytest.fixture
def glue(lake: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty catalog: all tests share moto's catalog."""
    monkeypatch.setattr(catalog_module, "PAUSE", 0.001)
    client: Any = boto3.client("glue")
    for database in client.get_databases()["DatabaseList"]:
        client.delete_database(Name=database["Name"])
    return client


class Raced:
    """A client of Glue before whose calls of one kind another program acts; as often as there are acts."""

    def __init__(self, glue: Any, call: str, *acts: Callable[[Any], object]) -> None:
        self._glue, self._call, self._acts = glue, call, list(acts)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._glue, name)
        if name != self._call:
            return real

        def raced(**arguments: Any) -> Any:
            if self._acts:
                self._acts.pop(0)(self._glue)
            return real(**arguments)

        return raced


def create_database(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "silver"})


def create(table: dict[str, Any]) -> Callable[[Any], None]:
    return lambda glue: glue.create_table(DatabaseName="silver", TableInput=table)


def delete_table(glue: Any) -> None:
    glue.delete_table(DatabaseName="silver", Name="orders")


def delete_database(glue: Any) -> None:
    glue.delete_database(Name="silver")


def refuse(code: str) -> Callable[[Any], None]:
    """Glue's own answer, which moto does not give."""

    def act(_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "by another"}}, "UpdateTable")

    return act


def mend(glue: Any) -> None:
    """Another registration was quicker, as Glue says to the second one."""
    glue.update_table(DatabaseName="silver", TableInput=WANTED)
    refuse("ConcurrentModificationException")(glue)


BUSY = refuse("ConcurrentModificationException")
NONE, EMPTY, DRIFTED = [], [create_database], [create_database, create(OTHER)]


@pytest.mark.parametrize(
    ("before", "call", "acts", "done"),
    [
        (NONE, "create_database", [create_database], "registered, 1 columns"),
        (EMPTY, "create_table", [create(WANTED)], "up to date"),
        (EMPTY, "create_table", [create(OTHER)], "updated, Glue differed: description"),
        (EMPTY, "create_table", [delete_database], "registered, 1 columns"),
        (DRIFTED, "update_table", [delete_table], "registered, 1 columns"),
        (DRIFTED, "update_table", [delete_database], "registered, 1 columns"),
        (DRIFTED, "update_table", [mend], "up to date"),
        (DRIFTED, "update_table", [BUSY] * 7, "updated, Glue differed: description"),
        (DRIFTED, "update_table", [refuse("ResourceNotReadyException")], "updated, Glue differed: description"),
    ],
    ids=[
        "database made", "same table made", "other table made", "database gone before", "table gone", "database gone",
        "mended by another", "changed seven times", "not ready",
    ],
)  # fmt: skip
def test_registration_that_is_overtaken_looks_again(
    glue: Any, lake: str, before: list[Any], call: str, acts: list[Any], done: str
) -> None:
    for act in before:
        act(glue)

    assert Catalog(Raced(glue, call, *acts), lake).put(SILVER, WANTED) == f"{SILVER}: {done}"
    assert Catalog(glue, lake).put(SILVER, WANTED) == f"{SILVER}: up to date"


def test_catalog_that_never_stands_still_is_told_as_transient_and_names_the_table(glue: Any, lake: str) -> None:
    for act in DRIFTED:
        act(glue)
    raced = Raced(glue, "update_table", *[BUSY] * 8)

    with pytest.raises(TransientError, match=r"silver\.orders: the Glue catalog changed under each of 8 tries"):
        Catalog(raced, lake).put(SILVER, WANTED)


def test_refusal_that_is_no_race_is_not_tried_again(glue: Any, lake: str) -> None:
    raced = Raced(glue, "get_database", refuse("AccessDeniedException"))

    with pytest.raises(ClientError, match="AccessDenied"):
        Catalog(raced, lake).put(SILVER, WANTED)


def test_update_names_the_version_that_was_read(glue: Any, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise what another program put into the entry in between would be lost."""
    for act in DRIFTED:
        act(glue)
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(glue, "update_table", lambda **arguments: asked.append(arguments))

    Catalog(glue, lake).put(SILVER, WANTED)

    version = glue.get_table(DatabaseName="silver", Name="orders")["Table"]["VersionId"]
    assert [call["VersionId"] for call in asked] == [version]


def test_many_registrations_at_once_all_succeed(glue: Any, lake: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(lambda _: Catalog(glue, lake).put(SILVER, WANTED), range(8)))

    assert {line.partition(",")[0] for line in lines} <= {f"{SILVER}: registered", f"{SILVER}: up to date"}
    assert f"{SILVER}: registered, 1 columns" in lines


def test_table_that_is_gone_from_the_lake_gets_a_word_with_what_to_do(
    glue: Any, lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(SILVER, [silver_order()])
    register = ["--db", "silver", "--lake-bucket", lake, "--region", "eu-west-1"]
    assert register_glue_tables.main(register) == 0
    retired = {**WANTED, "Name": "retired"}
    retired["StorageDescriptor"] = {**WANTED["StorageDescriptor"], "Location": f"s3://{lake}/silver/retired"}
    create(retired)(glue)
    create({**retired, "Name": "of_others", "StorageDescriptor": {"Location": "s3://elsewhere/x"}})(glue)
    capsys.readouterr()
    objects.delete_prefix("silver/orders/")

    assert register_glue_tables.main(register) == 1

    out = capsys.readouterr().out.splitlines()
    assert [line.partition(": Glue lists it, but ")[0] for line in out] == [
        "WARNING silver.orders", "WARNING silver.retired",
    ]  # fmt: skip
    assert f"s3://{lake}/silver/orders holds no Delta table any more" in out[0]
    assert "`aws glue delete-table --database-name silver --name orders`" in out[0]


def test_table_that_never_was_gets_none(glue: Any, lake: str) -> None:
    assert register_glue_tables.register_layers(Catalog(glue, lake), ("silver",), tables.every()) == []
    assert register_glue_tables.unlisted(Catalog(glue, lake), ("silver",)) == []
