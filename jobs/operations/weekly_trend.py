"""The week's data quality as an alert of low severity: what got worse against the four weeks before comes first.

The figures are those of the data quality page: the summaries that gates and steps keep (`dq/summary.py`). They hold
counts and rates, and no value of data.
"""

from __future__ import annotations

from datetime import date

from dq import summary, trend
from jobs.alerts import publish
from jobs.alerts.notice import notice
from jobs.lake import settings, tables
from jobs.lake.errors import LakeError
from jobs.lake.state import objects


def tell(day: date) -> None:
    """Tells the last whole week before a day. Costs one request for each table. A silent topic stops nothing."""
    trends = [trend.of(found, day) for table in tables.every() if (found := objects.read_json(summary.key(table.name)))]
    if not trends:
        print("The week's trend is not told: nothing is known of any table yet", flush=True)
        return
    text = trend.text(trends)
    print(text, flush=True)
    monday = trends[0].monday
    worse = sum(each.worse for each in trends)
    told = notice(
        "report",
        "WeeklyTrend",
        source="daily_report",
        title=f"Data quality of the week of {monday}: {worse} of {len(trends)} tables got worse",
        what=text,
        key=f"weekly_trend/{monday}",
        project=settings.project(),
    )
    try:
        publish.publish(told, settings.alert_topics())
    except LakeError as error:
        print(f"the week's trend could not be told: {error}", flush=True)
