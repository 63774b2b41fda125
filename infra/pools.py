"""Airflow's pools as data: one slot per table. `python -m infra.pools` prints what `airflow pools import` reads.

A pool only keeps a job from being started while another one writes its table: what makes a second writer
impossible is the lease that a job takes. The lists come from the registry, so that a new table has its pool.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from jobs.lake import tables


def pools() -> dict[str, dict[str, Any]]:
    """Pool name -> its settings, in the format of `airflow pools import`; with the name inside it is the REST API's.

    A pool is named as its table. It counts deferred tasks: ours wait for their job runs in the triggerer, and
    their tables are being written all the while.
    """
    return {
        table.name: {"slots": 1, "description": f"writes {table.name}", "include_deferred": True}
        for table in tables.every()
    }


if __name__ == "__main__":
    json.dump(pools(), sys.stdout, indent=2)
    print()
