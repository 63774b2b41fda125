"""Keys of rows that break a rule, for the people who look for them. A value that broke it is never among them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dq import rules
from dq.suite import Rule
from jobs.lake.errors import ConfigurationError
from jobs.lake.newest_wins import READ_AT

EXAMPLES, LONGEST = 5, 100  # rows that break a rule, and characters of each of their keys
Keys = tuple[dict[str, str | None], ...]


def keys_of(frame: DataFrame, rule: Rule, doubled: DataFrame | None, shown: Sequence[str]) -> Keys:
    """Up to five different keys, in one Spark job that ends once it has them.

    There are none for rules that can't be judged row by row. They only illustrate: what keeps them from being read
    changes no verdict.

    Args:
        frame: that was judged.
        rule: that failed.
        doubled: the doubled values of a rule about keys; None for any other rule.
        shown: the key columns whose values may be shown.
    """
    names = [name for name in shown if name in (frame if doubled is None else doubled).columns]
    if not names:
        return ()
    try:
        broken = doubled
        if broken is None:
            broken = frame.withColumn(READ_AT, F.current_timestamp()).filter(~rules.holds(rule))
        found = broken.select(names).limit(EXAMPLES).collect()
    except ConfigurationError:  # no rule about a single row
        return ()
    except Exception as error:  # examples change no verdict, and a failure to find them is told
        print(f"no examples of rows that break {rule.name}: {type(error).__name__}", flush=True)
        return ()
    rows = [{name: None if value is None else str(value)[:LONGEST] for name, value in row.asDict().items()}
            for row in found]  # fmt: skip
    return tuple({str(row): row for row in rows}.values())
