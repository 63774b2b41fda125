"""Airflow's pools as data: one slot per table; and how a deployment gives them to Airflow.

`python -m infra.pools` prints what `airflow pools import` reads; `python -m infra.pools ENVIRONMENT` makes them in an
MWAA environment, by its REST API. The deployment does so after each change of code: a task of a missing pool waits for
ever, without an error. Who does it needs `airflow:InvokeRestApi` on `role/<environment>/Op`.

A pool only keeps a job from being started while another one writes its table: what makes a second writer
impossible is the lease that a job takes. The lists come from the registry, so that a new table has its pool.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import boto3

from jobs.lake import tables


class PoolsRefusedError(Exception):
    """Airflow takes one of the pools not; none has changed."""


def pools() -> dict[str, dict[str, Any]]:
    """Pool name -> its settings, in the format of `airflow pools import`; with the name inside it is the REST API's.

    A pool is named as its table. It counts deferred tasks: ours wait for their job runs in the triggerer, and
    their tables are being written all the while.
    """
    return {
        table.name: {"slots": 1, "description": f"writes {table.name}", "include_deferred": True}
        for table in tables.every()
    }


def request(wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is asked of `PATCH /pools`: to create these, or to set them right. Other pools stay."""
    entities = [{"name": name, **settings} for name, settings in wanted.items()]
    return {"actions": [{"action": "create", "entities": entities, "action_on_existence": "overwrite"}]}


def check(answer: Mapping[str, Any]) -> None:
    """Judges the answer to `request`.

    Raises:
        PoolsRefusedError: with what Airflow says.
    """
    if errors := answer["create"]["errors"]:
        raise PoolsRefusedError(f"Airflow refused the pools: {errors}")


def set_on_mwaa(environment: str, mwaa: Any) -> list[str]:
    """Makes all pools in an MWAA environment; gives their names.

    Args:
        environment: its name.
        mwaa: boto3 client.

    Raises:
        PoolsRefusedError: Airflow takes one not.
        ClientError: the environment is not there, or Airflow or the role refuses.
    """
    wanted = pools()
    asked = {"Name": environment, "Path": "/pools", "Method": "PATCH", "Body": request(wanted)}
    check(mwaa.invoke_rest_api(**asked)["RestApiResponse"])
    return list(wanted)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        made = set_on_mwaa(sys.argv[1], boto3.client("mwaa"))
        print(f"{sys.argv[1]} has the pools of {len(made)} tables")
    else:
        json.dump(pools(), sys.stdout, indent=2)
        print()
