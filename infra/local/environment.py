"""The environment of everything that a platform starts.

The shell's AWS profile, Airflow home and Python path never reach a part. So a platform behaves the same in every
shell, and a call meant for a stand-in never goes to a real account, nor to a proxy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from infra.local.addresses import Addresses
from infra.setup import jars, proxies

# The shell's own are left out. The platform sets those that it needs.
_FOREIGN = (
    "AIRFLOW", "AWS_", "FX_RATES_URL", "HADOOP_", "KAFKA_", "MOTO_", "PYSPARK_", "PYTHON", "SALESFORCE_", "SLUICE_",
    "SNOWFLAKE_", "SPARK_", "VIRTUAL_ENV",
)  # fmt: skip
_KEPT = ("SLUICE_CACHE", "SLUICE_SEED_SIZE")


def of_parts(addresses: Addresses, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of parts and of the bootstrap's commands.

    It lacks PYTHONDONTWRITEBYTECODE too: uncompiled, Airflow takes twice as long to start.
    """
    inherited = {name: value for name, value in shell.items() if name in _KEPT or not name.startswith(_FOREIGN)}
    return {
        **inherited,
        **addresses.environment(),
        **proxies.bypass(shell),
        "SLUICE_JARS": str(jars.folder()),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
