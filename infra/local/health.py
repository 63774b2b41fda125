"""Checks of the parts, each in the part's own protocol. A check raises as long as the part doesn't serve."""

from __future__ import annotations

from datetime import datetime

import requests
from confluent_kafka.admin import AdminClient

from infra.local import clients
from infra.local.addresses import Addresses
from infra.local.kafka import topics
from infra.local.secrets import salesforce_credentials, snowflake_credentials

TIMEOUT = 5.0  # seconds; a check is repeated, so one slow answer does no harm

_SOAP_LOGIN = """<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n1="urn:partner.soap.sforce.com">
  <env:Body><n1:login><n1:username>{username}</n1:username><n1:password>{secret}</n1:password></n1:login></env:Body>
</env:Envelope>"""


class UnhealthyError(Exception):
    """The part answers, but not as it should."""


def s3(addresses: Addresses, _: float) -> None:
    """Lists buckets."""
    clients.client(addresses, "s3", attempts=1).list_buckets()


def aws(addresses: Addresses, _: float) -> None:
    """Lists secrets (moto's) and EMR Serverless applications (ours)."""
    clients.client(addresses, "secretsmanager", attempts=1).list_secrets()
    clients.client(addresses, "emr-serverless", attempts=1).list_applications()


def snowflake(addresses: Addresses, _: float) -> None:
    """Logs in as the jobs do, and out again."""
    known = snowflake_credentials(addresses)
    login = {
        "ACCOUNT_NAME": known["account"],
        "LOGIN_NAME": known["username"],
        "PASSWORD": known["password"],
        "SESSION_PARAMETERS": {},
    }
    session = requests.post(f"{addresses.snowflake}/session/v1/login-request", json={"data": login}, timeout=TIMEOUT)
    answer = _json(session)
    if not answer.get("success"):
        raise UnhealthyError(f"log-in refused: {answer.get('message')}")
    token = answer["data"]["token"]
    out = requests.post(
        f"{addresses.snowflake}/session",
        params={"delete": "true"},
        headers={"Authorization": f'Snowflake Token="{token}"'},
        json={},
        timeout=TIMEOUT,
    )
    out.raise_for_status()


def salesforce(addresses: Addresses, _: float) -> None:
    """Logs in by SOAP, as simple-salesforce does, and asks for the org's limits."""
    known = salesforce_credentials(addresses)
    body = _SOAP_LOGIN.format(username=known["username"], secret=known["password"] + known["security_token"])
    login = requests.post(
        f"{addresses.salesforce}/services/Soap/u/59.0",
        data=body,
        headers={"Content-Type": "text/xml", "SOAPAction": "login"},
        timeout=TIMEOUT,
    )
    session = login.text.partition("<sessionId>")[2].partition("</sessionId>")[0]
    if not session:
        raise UnhealthyError(f"log-in refused: HTTP {login.status_code} {login.text[:300]}")
    limits = requests.get(
        f"{addresses.salesforce}/services/data/v59.0/limits/",
        headers={"Authorization": f"Bearer {session}"},
        timeout=TIMEOUT,
    )
    limits.raise_for_status()


def ecb(addresses: Addresses, _: float) -> None:
    """Asks for the feed's headers."""
    requests.head(addresses.environment()["FX_RATES_URL"], timeout=TIMEOUT).raise_for_status()


def kafka(addresses: Addresses, _: float) -> None:
    """Logs in by SASL_SSL, as the jobs do, and asks for the brokers."""
    AdminClient(topics.client_settings(addresses)).list_topics(timeout=TIMEOUT)


def airflow_api(addresses: Addresses, _: float) -> None:
    """Asks Airflow for the state of its database."""
    _component(addresses, "metadatabase")


def airflow_component(addresses: Addresses, name: str, started: float) -> None:
    """Asks Airflow for a component's state. A heartbeat of an earlier process doesn't count.

    Args:
        addresses: the platform's.
        name: `scheduler`, `triggerer` or `dag_processor`.
        started: when the component's process started, in epoch seconds.
    """
    heartbeat = _component(addresses, name).get(f"latest_{name}_heartbeat")
    if not heartbeat or datetime.fromisoformat(heartbeat).timestamp() < started:
        raise UnhealthyError(f"no heartbeat of {name} since its start")


def _component(addresses: Addresses, name: str) -> dict[str, str]:
    answer = requests.get(f"{addresses.airflow}/api/v2/monitor/health", timeout=TIMEOUT)
    state: dict[str, str] = _json(answer)[name]
    if state["status"] != "healthy":
        raise UnhealthyError(f"{name} is {state['status']}")
    return state


def _json(answer: requests.Response) -> dict[str, dict[str, str]]:
    answer.raise_for_status()
    document: dict[str, dict[str, str]] = answer.json()
    return document
