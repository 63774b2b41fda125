"""Nothing of a confidential or restricted column comes into results."""

from __future__ import annotations

from typing import Any

import pytest

from dq import shown
from dq.suite import Rule
from dq.validate import Judgement
from jobs.lake import table_module, tables
from jobs.lake.schema import SHOWN

MAX = "expect_column_max_to_be_between"


@pytest.mark.parametrize(
    ("table", "keys"),
    [("silver.orders", ("order_id",)), ("gold.dim_customers", ()), ("silver.fx_rates", ("ccy", "as_of_date"))],
)
def test_only_key_columns_that_may_be_shown(table: str, keys: tuple[str, ...]) -> None:
    assert shown.key_columns(table) == keys


@pytest.mark.parametrize("table", [table for table in tables.every() if table.keys], ids=lambda table: table.name)
def test_no_key_column_of_any_table_is_shown_against_its_class(table: Any) -> None:
    classes = {field.name: field.metadata["class"] for field in table_module.load(table).SCHEMA}
    assert {classes[name] for name in shown.key_columns(table.name)} <= set(SHOWN)


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        (Rule(MAX, {"column": "updated_at"}, "warning"), True),
        (Rule(MAX, {"column": "amount"}, "warning"), False),
        (Rule("expect_column_sum_to_be_between", {"column": "amount"}, "warning"), False),
        (Rule("expect_column_proportion_of_non_null_values_to_be_between", {"column": "amount"}, "warning"), True),
        (Rule("expect_column_pair_values_to_be_equal", {"column_A": "status", "column_B": "amount"}, "info"), False),
        (Rule("expect_table_row_count_to_be_between", {}, "critical"), True),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)  # fmt: skip
def test_aggregate_of_a_hidden_column_is_left_out_unless_it_only_counts(rule: Rule, seen: bool) -> None:
    (found,) = shown.masked("silver.orders", [Judgement(rule, False, {"observed_value": 7, "unexpected_count": 1})])

    assert ("observed_value" in found.observed) is seen
    assert found.observed["unexpected_count"] == 1


def test_value_in_an_errors_text_is_left_out() -> None:
    error = "[CAST_INVALID_INPUT] The value 'Ann Other' of the type \"STRING\" can't be cast"
    hidden = Judgement(Rule(MAX, {"column": "amount"}, "warning"), False, {}, error=error)
    open_ = Judgement(Rule(MAX, {"column": "status"}, "warning"), False, {}, error=error)

    found = shown.masked("silver.orders", [hidden, open_])

    assert "Ann" not in str(found[0].record())
    assert "CAST_INVALID_INPUT" in str(found[0].error)
    assert found[0].critical
    assert found[1].error == error
