"""The environment of an environment's Airflow: what MWAA gives its containers, and nothing of this server's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.addresses import REPOSITORY, Addresses
from infra.local.airflow import on_a_laptop
from infra.local.aws.mwaa.bucket import DAGS, PLUGINS

PROCESS_VARIABLE = "MWAA__LOCAL__PROCESS"  # in each process: which component of which environment it is
PYTHON = REPOSITORY / ".venv" / "airflow" / "bin" / "python"
# MWAA lets its customer change any other setting.
_ESSENTIAL = (
    "AIRFLOW_HOME", "AIRFLOW__API__BASE_URL", "AIRFLOW__API__HOST", "AIRFLOW__API__PORT", "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API__WORKERS", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__CORE__LOAD_EXAMPLES", "AIRFLOW__CORE__PLUGINS_FOLDER",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
)  # fmt: skip


def of_container(name: str, region: str, known: Mapping[str, str], home: Path) -> dict[str, str]:
    """What every container has before anything of the customer's.

    Args:
        name: of the environment.
        region: AWS region.
        known: the role's credentials.
        home: folder of the environment.
    """
    return {
        "PATH": os.pathsep.join([str(PYTHON.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AIRFLOW_ENV_NAME": name,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "PYTHONUNBUFFERED": "1",
        **known,
        **_to_the_local_aws(),
    }


def of_airflow(
    container: Mapping[str, str],
    addresses: Addresses,
    files: Path,
    exported: Mapping[str, str],
    options: Mapping[str, Any],
) -> dict[str, str]:
    """All of an Airflow process's environment. What comes later wins, in MWAA's order.

    Args:
        container: from `of_container`.
        addresses: of this Airflow.
        files: folder with DAGs and plugins.
        exported: by the start-up script.
        options: the environment's Airflow configuration options.
    """
    own = on_a_laptop(addresses, dags=files / DAGS, plugins=files / PLUGINS)
    return {
        **container,
        **own,
        **exported,
        **{f"AIRFLOW__{section.upper()}__{key.upper()}": value for section, key, value in _split(options)},
        **{name: own[name] for name in _ESSENTIAL},
        "PYTHONPATH": str(files / PLUGINS),
    }


def _split(options: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    parts = [(*option.partition(".")[::2], value) for option, value in options.items()]
    return [(section, key, value) for section, key, value in parts if key]


def _to_the_local_aws() -> dict[str, str]:
    """What leads every AWS client to this server. On AWS there is none of it."""
    return {
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
        "AWS_ENDPOINT_URL_S3": os.environ["AWS_ENDPOINT_URL_S3"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        # boto3 would ask `env.127.0.0.1` for InvokeRestApi.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        # Airflow writes titles over the memory in which Linux keeps a process's environment, unless this is set.
        "SPT_NOENV": "1",
    }
