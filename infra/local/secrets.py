"""What Secrets Manager holds on a laptop: the log-ins of the source stand-ins.

The stand-ins check log-ins against the same function. So a wrong secret fails as it does with the real service.
"""

from __future__ import annotations

import hashlib

from infra.local.addresses import Addresses


def secrets(addresses: Addresses) -> dict[str, dict[str, str]]:
    """Secret name -> its JSON document. It only depends on the project name."""
    project = addresses.project

    def made_up(name: str) -> str:
        return hashlib.sha256(f"{project}/{name}".encode()).hexdigest()[:20]

    return {
        f"{project}/salesforce/credentials": {
            "username": f"lakehouse@{project}.example",
            "password": made_up("salesforce/password"),
            "security_token": made_up("salesforce/security_token"),
            "instance_url": f"https://{project}.my.salesforce.com",
        },
        f"{project}/snowflake/credentials": {
            "account": f"{project}-local",
            "username": "LAKEHOUSE",
            "password": made_up("snowflake/password"),
            "warehouse": "LAKEHOUSE_WH",
            "database": "SALES",
            "schema": "PUBLIC",
        },
        f"{project}/kafka/credentials": {
            "bootstrap_servers": addresses.kafka,
            "api_key": "lakehouse",
            "api_secret": made_up("kafka/api_secret"),
            "group_id": "orders-stream-processor",
        },
    }


def salesforce_credentials(addresses: Addresses) -> dict[str, str]:
    """The Salesforce secret's document."""
    return secrets(addresses)[f"{addresses.project}/salesforce/credentials"]


def snowflake_credentials(addresses: Addresses) -> dict[str, str]:
    """The Snowflake secret's document."""
    return secrets(addresses)[f"{addresses.project}/snowflake/credentials"]


def kafka_credentials(addresses: Addresses) -> dict[str, str]:
    """The Kafka secret's document."""
    return secrets(addresses)[f"{addresses.project}/kafka/credentials"]
