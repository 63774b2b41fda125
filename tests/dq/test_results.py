"""Lines for the task log."""

from __future__ import annotations

from dq import results
from dq.suite import Rule
from dq.validate import Judgement

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
