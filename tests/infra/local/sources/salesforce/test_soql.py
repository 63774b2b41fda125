"""SOQL on a store in this process: what it finds, and which mistakes it reports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.fields import Field
from infra.local.sources.salesforce.store import Store

ROWS = [
    ("A", "Aster", None, 10.0, "2026-10-01T00:00:00Z", False),
    ("B", "bravo", "Retail", 20.0, "2026-10-02T00:00:00Z", False),
    ("C", "O'Hara", "Retail", None, "2026-10-02T00:00:00Z", False),
    ("D", "Delta", "Energy", 5.5, "2026-10-03T00:00:00.250Z", True),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store(tmp_path_factory.mktemp("org") / "org.sqlite")
    opened.upsert(
        {
            "Id": id_,
            "Name": name,
            "Industry": industry,
            "AnnualRevenue": revenue,
            "SystemModstamp": stamp,
            "IsDeleted": deleted,
        }
        for id_, name, industry, revenue, stamp, deleted in ROWS
    )
    yield opened
    opened.close()


def found(store: Store, rest: str, *, include_deleted: bool = True) -> str:
    _, records = store.query(f"SELECT Id FROM Account {rest}", include_deleted=include_deleted)
    return "".join(str(record["Id"]) for record in records)


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("SystemModstamp >= 2026-10-02T00:00:00Z AND SystemModstamp < 2026-10-03T00:00:00Z", "BC"),
        ("SystemModstamp = 2026-10-02T02:00:00+02:00", "BC"),
        ("SystemModstamp > 2026-10-03T00:00:00.249+0000", "D"),
        ("Name = 'ASTER'", "A"),
        (r"Name = 'O\'Hara'", "C"),
        ("Name LIKE '%a%'", "ABCD"),
        ("Name LIKE 'a_ter'", "A"),
        ("Industry = null", "A"),
        ("Industry != null", "BCD"),
        ("Industry != 'Retail'", "AD"),
        ("Industry <> 'Retail' AND Industry != null", "D"),
        ("Industry IN ('retail', 'Banking')", "BC"),
        ("Industry NOT IN ('Retail')", "AD"),
        ("NOT Industry = 'Retail'", "AD"),
        ("IsDeleted = true", "D"),
        ("AnnualRevenue > 5.5", "AB"),
        ("NOT (AnnualRevenue > 5.5)", "CD"),
        ("AnnualRevenue <= 10 OR (Name = 'bravo' AND IsDeleted = FALSE)", "ABD"),
        ("(SystemModstamp > 2026-10-02T00:00:00Z OR (SystemModstamp = 2026-10-02T00:00:00Z AND Id > 'B'))", "CD"),
    ],
)
def test_a_condition_finds_what_salesforce_would(store: Store, condition: str, ids: str) -> None:
    assert found(store, f"WHERE {condition} ORDER BY Id") == ids


@pytest.mark.parametrize(
    ("rest", "ids"),
    [
        ("ORDER BY SystemModstamp DESC, Id", "DBCA"),
        ("order by SystemModstamp desc, Id desc", "DCBA"),
        ("ORDER BY Industry, Name", "ADBC"),
        ("ORDER BY Industry NULLS LAST, Name", "DBCA"),
        ("ORDER BY Id LIMIT 2", "AB"),
        ("ORDER BY Id LIMIT 2 OFFSET 1", "BC"),
        ("ORDER BY Id LIMIT 0", ""),
    ],
)
def test_order_and_limit_apply(store: Store, rest: str, ids: str) -> None:
    assert found(store, rest) == ids


def test_deleted_records_are_hidden_from_query(store: Store) -> None:
    assert found(store, "ORDER BY Id", include_deleted=False) == "ABC"


def test_count_counts_without_records(store: Store) -> None:
    query = "SELECT COUNT() FROM Account WHERE Industry = 'Retail'"
    assert store.query(query, include_deleted=False) == ((), [{"count": 2}])


def test_field_names_come_back_in_the_objects_own_letter_case(store: Store) -> None:
    fields, records = store.query("select id, name from account where NAME = 'bravo'", include_deleted=False)
    assert [field.name for field in fields] == ["Id", "Name"]
    assert records == [{"Id": "B", "Name": "bravo"}]


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Id, Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"),
        ("SELECT Id FROM Account WHERE SystemModstamp > '2026-10-01T00:00:00Z'", "INVALID_FIELD", "in quotes"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Account WHERE Name = 1", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FRM Account", "MALFORMED_QUERY", "Column:11"),
        ("SELECT FROM Account", "MALFORMED_QUERY", "unexpected token: 'Account'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Account WHERE (Name = 'x'", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY", "'x"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account WHERE SystemModstamp > 2026-10-01", "MALFORMED_QUERY", "2026-10-01"),
        ("SELECT Id FROM Account WHERE SystemModstamp > 2026-13-01T00:00:00Z", "MALFORMED_QUERY", "dateTime"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", "'x'"),
        ("SELECT Id FROM Account; DROP", "MALFORMED_QUERY", "; DROP"),
    ],
)
def test_a_wrong_query_is_refused_by_salesforces_code(store: Store, soql: str, code: str, part: str) -> None:
    with pytest.raises(ApiError) as refused:
        store.query(soql, include_deleted=False)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert part in refused.value.message


@pytest.mark.parametrize(
    ("record", "part"),
    [
        ({"Id": "Z"}, "SystemModstamp"),
        ({"Id": "Z", "SystemModstamp": "2026-10-01T00:00:00"}, "has no zone"),
        ({"Id": "Z", "SystemModstamp": "2026-10-01T00:00:00Z", "Nope": 1}, "no field Nope"),
        ({"Id": "Z", "SystemModstamp": "2026-10-01T00:00:00Z", "AnnualRevenue": "1"}, "is a currency"),
    ],
)
def test_one_wrong_value_refuses_the_whole_record(store: Store, record: dict[str, object], part: str) -> None:
    good = {"Id": "Y", "SystemModstamp": "2026-10-01T00:00:00Z"}
    with pytest.raises(ValueError, match=part):
        store.upsert([good, record])
    assert found(store, "WHERE Id IN ('Y', 'Z')") == ""


def test_records_and_fields_are_there_after_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path / "org.sqlite")
    first.upsert([{"Id": "A", "SystemModstamp": "2026-10-01T00:00:00Z"}])
    first.change_fields(put=[Field("Tier__c", "string")], drop=["industry"])
    first.close()

    second = Store(tmp_path / "org.sqlite")
    assert found(second, "WHERE Tier__c = null") == "A"
    assert "industry" not in second.fields()
    second.close()
