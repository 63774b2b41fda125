"""Result files, and lines for the task log."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dq import results, suite
from dq.suite import Rule
from dq.validate import Judgement
from jobs.lake.run import Run
from jobs.lake.state import objects

RULE = Rule("expect_column_values_to_not_be_null", {"column": "id"}, "critical", why="keys must be there")


def test_summary_counts_what_holds_and_explains_what_does_not() -> None:
    judged = [
        Judgement(RULE, True, {}),
        Judgement(RULE, False, {"unexpected_count": 2, "element_count": 9}),
        Judgement(RULE, False, {}, error="no such column"),
    ]

    assert results.summary("silver.x version 3", judged) == [
        "silver.x version 3: 1 of 3 expectations hold",
        "  critical: id not_be_null: unexpected_count 2, element_count 9 (keys must be there)",
        "  critical: id not_be_null: no such column (keys must be there)",
    ]


def test_result_is_in_the_folder_of_its_day_and_named_by_its_second(lake: str) -> None:
    begun = datetime.now(UTC)

    uris = [results.write(Run("r", "gate"), suite.load("silver.orders"), [Judgement(RULE, True, {})], 3) for _ in "ab"]

    name = re.compile(rf"s3://{lake}/(gold/quality/day=(\d{{4}}-\d\d-\d\d)/orders/(\d{{8}})_\d{{6}}\.json)")
    for uri in uris:
        found = name.fullmatch(uri)
        assert found
        assert found[2].replace("-", "") == found[3]
        assert begun.date() <= datetime.fromisoformat(found[2]).date()
        assert objects.read_json(found[1])["version"] == 3
    assert uris[0] != uris[1], "two within a second are two objects"
