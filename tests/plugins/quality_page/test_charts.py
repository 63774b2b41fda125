"""Charts: shapes that tell what the numbers say."""

from __future__ import annotations

import re

from tests import airflow_home

airflow_home.use()


def test_strip_draws_tall_bars_for_failed_days_and_none_for_unjudged_ones() -> None:
    from quality_page.charts import FAILED, HELD, strip

    svg = strip([HELD, HELD, None, FAILED, HELD], "told")

    bars = re.findall(r'<rect class="(\w+)" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/>', svg)
    assert bars == [("held", "0", "8", "2", "4"), ("failed", "3", "0", "1", "12"), ("held", "4", "8", "1", "4")]
    assert 'role="img" aria-label="told"' in svg


def test_line_breaks_where_nothing_is_known() -> None:
    from quality_page.charts import line

    svg = line([1.0, 0.9, None, 1.0], 0.9, 1.0, 'a "label" <b>')

    assert len(re.findall(r'class="line"', svg)) == 2
    assert [float(y) for y in re.findall(r'cy="([\d.]+)"', svg)] == [5.0, 51.0, 5.0]
    assert "a &#34;label&#34; &lt;b&gt;" in svg


def test_flat_line_is_drawn() -> None:
    from quality_page.charts import line

    assert 'cy="51.0"' in line([0.0], 0.0, 0.0, "flat")
