from __future__ import annotations

from infra.local.athena import Result
from infra.local.tables import Column, text


def test_numbers_are_aligned_right_and_texts_left() -> None:
    shown = text([Column("name"), Column("revenue", number=True)], [("Ada", "7"), ("B", "1200.50")])
    assert shown.splitlines() == ["name  revenue", "----  -------", "Ada         7", "B     1200.50"]


def test_nulls_are_shown_as_such() -> None:
    assert text([Column("a"), Column("b")], [("x", None)]).splitlines()[2] == "x  null"


def test_a_value_with_control_characters_keeps_the_table_in_shape() -> None:
    assert "a\\nb" in text([Column("t")], [("a\nb",)])


def test_a_result_without_rows_still_has_its_columns() -> None:
    assert str(Result((Column("order_id"),), (), 0.25)).splitlines() == ["order_id", "--------", "(0 rows, 0.2 s)"]
