"""The timetable of DAGs that release 0.1 has serialised: they name `bounded_timetable.BoundedTimetable`.

It stays for two releases, 0.2 and 0.3, so that the DAG of a run that is active during an upgrade can still be read.
Then delete this file, and what `timetable_plugin.py` takes from it.
"""

from __future__ import annotations

from sluice_airflow import bounded_timetable


class BoundedTimetable(bounded_timetable.BoundedTimetable):
    """The same timetable under its former name."""
