"""Orders that differ from the source's own count are refused, and so is a source that lost many rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from jobs.lake.errors import DataError
from jobs.lake.run import Window
from tests.jobs.bronze.snowflake_source import WINDOW, Answers, Cursor, batch, drained, extract, orders


def test_read_reports_what_the_source_counts(answers: Answers) -> None:
    answers(Cursor([orders(3, "0.10")], 9, (3, "0.30")))

    assert drained(extract())[1] == {"source_rows": 3, "source_sum": "0.30", "source_total": 9}


def test_amounts_that_are_null_count_as_rows_and_not_in_the_sum(answers: Answers) -> None:
    answers(Cursor([batch(AMOUNT=pa.array([None], pa.decimal128(38, 2)))], 9, (1, None)))

    assert drained(extract())[1] == {"source_rows": 1, "source_sum": "0.00", "source_total": 9}


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        ((5, "5.00"), ["counts 5 rows with a sum of 5.00", "3 rows with a sum of 3.00 arrived", "2 are missing"]),
        ((3, "3.01"), ["counts 3 rows with a sum of 3.01", "3 rows with a sum of 3.00 arrived", "0 are missing"]),
        ((2, "2.00"), ["counts 2 rows with a sum of 2.00", "-1 are missing"]),
    ],
    ids=["rows are missing", "an amount differs", "rows too many"],
)
def test_read_that_differs_from_the_count_of_its_own_result_is_refused(
    answers: Answers, counted: tuple[int, str], words: list[str]
) -> None:
    answers(Cursor([orders(3)], 9, counted))

    with pytest.raises(DataError, match="snowflake: ORDERS counts") as caught:
        drained(extract())

    assert [word for word in [*words, "Nothing was written"] if word not in str(caught.value)] == []


def test_rows_are_counted_in_the_result_of_the_one_statement_that_was_read(answers: Answers) -> None:
    cursor = answers(Cursor([orders(3)], 9, (3, "3.00")))

    drained(extract())

    account, read, counted = cursor.statements
    assert account.startswith("SELECT COUNT(*), COUNT_IF(UPDATED_AT IS NULL)")
    assert read.startswith("SELECT ORDER_ID, ")
    assert counted.endswith("FROM TABLE(RESULT_SCAN(%s))")


BEGINNING = Window(None, WINDOW.end)


def test_read_from_the_beginning_takes_rows_without_a_time_and_of_the_future_and_names_them(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    cursor = answers(Cursor([orders(6)], 10, (6, "6.00"), outside=(2, 1, 4)))

    facts = drained(extract(BEGINNING))[1]

    assert "(UPDATED_AT < %s) OR UPDATED_AT IS NULL OR UPDATED_AT >= %s" in cursor.statements[1]
    assert facts is not None
    assert (facts["source_total"], facts["source_rows"]) == (10, 6)
    assert facts["outside"] == {"no_time": 2, "future": 1, "later": 4}
    assert "of 10 rows of ORDERS, outside of any window: {'no_time': 2" in capsys.readouterr().out


def test_read_from_the_beginning_that_left_rows_of_a_quiet_source_out_is_refused(answers: Answers) -> None:
    answers(Cursor([orders(5)], 10, (5, "5.00"), outside=(0, 0, 4)))

    with pytest.raises(DataError, match="ORDERS has 10 rows, of which 4 are for later windows, but 5 were read"):
        drained(extract(BEGINNING))


def test_source_that_changes_while_it_is_read_from_the_beginning_is_no_loss(answers: Answers) -> None:
    answers(Cursor([orders(5)], [10, 9], (5, "5.00"), outside=(0, 0, 4)))

    facts = drained(extract(BEGINNING))[1]

    assert facts is not None
    assert (facts["source_total"], facts["source_rows"]) == (9, 5)


def test_backfill_reads_exactly_its_interval_and_says_nothing_of_the_rest(answers: Answers) -> None:
    cursor = answers(Cursor([orders(1)], 10, (1, "1.00"), outside=(2, 1, 4)))

    facts = drained(extract(exact=True))[1]

    assert cursor.statements[1].endswith("WHERE UPDATED_AT >= %s AND UPDATED_AT < %s")
    assert facts == {"source_rows": 1, "source_sum": "1.00", "source_total": 10}


def test_source_without_any_row_is_refused(answers: Answers) -> None:
    answers(Cursor([], 0, (0, None)))

    with pytest.raises(DataError, match="snowflake: ORDERS has no rows at all"):
        drained(extract())


def test_window_without_rows_is_not_an_error(answers: Answers) -> None:
    answers(Cursor([], 9, (0, None)))

    nothing = {"source_rows": 0, "source_sum": "0.00", "source_total": 9}
    assert drained(extract()) == ([], nothing)


@pytest.mark.parametrize("total", [49, 1, 0])
def test_source_that_lost_more_than_half_is_refused_before_it_is_read(answers: Answers, total: int) -> None:
    cursor = answers(Cursor([orders(1)], total, (1, "1.00")))

    with pytest.raises(DataError, match=f"has {total} rows and had 100 when it was last read") as caught:
        drained(extract(known={"source_total": 100}))

    assert "--accept fewer_rows" in str(caught.value)
    assert len(cursor.statements) == 1


@pytest.mark.parametrize(
    ("total", "known", "accept"),
    [
        (50, 100, ()),
        (200, 100, ()),
        (3, None, ()),
        (0, 0, ("fewer_rows",)),
        (1, 100, ("fewer_rows",)),
        (0, 100, ("null_column", "fewer_rows")),
    ],
    ids=["half", "grown", "first read", "accepted as empty", "accepted as fewer", "accepted as emptied"],
)
def test_source_that_lost_less_or_by_intent_is_read(
    answers: Answers, total: int, known: int | None, accept: tuple[str, ...]
) -> None:
    answers(Cursor([], total, (0, None)))

    facts = drained(extract(known={"source_total": known} if known is not None else {}, accept=accept))[1]

    assert facts == {"source_rows": 0, "source_sum": "0.00", "source_total": total}


def test_accepting_another_damage_does_not_accept_fewer_rows(answers: Answers) -> None:
    answers(Cursor([], 1, (0, None)))

    with pytest.raises(DataError, match="has 1 rows and had 100"):
        drained(extract(known={"source_total": 100}, accept=("null_column",)))
