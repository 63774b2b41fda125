"""Reading by REST, in cases where the stand-in can't behave as an org does."""

from __future__ import annotations

from typing import Any, cast

import pytest
from simple_salesforce.api import Salesforce

from jobs.lake.errors import TransientError
from jobs.sources.salesforce import rest


class Org:
    """An org whose result has `total` records and comes in these pages."""

    def __init__(self, total: int, *pages: int) -> None:
        self.total, self.pages = total, list(pages)

    def query(self, soql: str, include_deleted: bool) -> dict[str, Any]:
        return self.query_more("first", identifier_is_url=True)

    def query_more(self, url: str, identifier_is_url: bool) -> dict[str, Any]:
        size = self.pages.pop(0)
        return {
            "totalSize": self.total,
            "records": [{"Id": str(number)} for number in range(size)],
            "done": not self.pages,
            "nextRecordsUrl": "next",
        }


def read(org: Org) -> int:
    return len(list(rest.records(cast(Salesforce, org), "SELECT Id FROM Account")))


def test_result_that_breaks_off_is_never_accepted_as_complete() -> None:
    with pytest.raises(TransientError, match="a result of 5 records broke off after 4"):
        read(Org(5, 2, 2))


def test_page_without_records_is_not_the_end_of_a_result() -> None:
    assert read(Org(4, 2, 0, 2)) == 4
