"""Puts the seeds into the running Snowflake and Salesforce stand-ins: `python -m infra.local.sources.seed`.

It loads SLUICE_SEED_SIZE orders (default 1000) up to ECB's newest day. Each source keeps a note of the loaded seeds.
The same seeds are not loaded twice, so that rows changed by hand stay changed. Other seeds replace all rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import snowflake.connector

from infra.local import seeds
from infra.local.addresses import Addresses
from infra.local.secrets import snowflake_credentials
from infra.local.seeds import Account, Order, Seeds, generate, wanted_size
from infra.local.sources.ecb.history import newest

CHUNK = 20_000  # rows of one INSERT
TIMEOUT_SECONDS = 60

# With the schema's name, as CREATE SCHEMA changes the schema of the session.
_ORDERS = """CREATE OR REPLACE TABLE PUBLIC.ORDERS (
    ORDER_ID VARCHAR, CUSTOMER_ID VARCHAR, ORDER_DATE DATE, CURRENCY VARCHAR, AMOUNT NUMBER(18,2),
    STATUS VARCHAR, UPDATED_AT TIMESTAMP_NTZ(9))"""
# One parameter per chunk: to parse a statement with thousands of literals takes a hundred times longer.
_INSERT = """INSERT INTO PUBLIC.ORDERS SELECT
    VALUE[0]::VARCHAR, VALUE[1]::VARCHAR, VALUE[2]::DATE, VALUE[3]::VARCHAR, VALUE[4]::NUMBER(18,2),
    VALUE[5]::VARCHAR, VALUE[6]::TIMESTAMP_NTZ
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(%s)))"""


@dataclass(frozen=True)
class Recipe:
    """All that decides what the seeds are, besides the code."""

    size: int
    newest: date

    def generate(self) -> Seeds:
        return generate(self.size, self.newest)

    def note(self) -> str:
        """Identifies these seeds and the code that makes them, without making them."""
        code = hashlib.sha256()
        for file in sorted(Path(seeds.__file__).parent.glob("*.py")):
            code.update(file.read_bytes())
        return f"{self.size} orders to {self.newest}, generator {code.hexdigest()[:12]}"


def connect(addresses: Addresses) -> Any:
    """The real connector to the Snowflake stand-in, with the seeded credentials."""
    known = snowflake_credentials(addresses)
    address = urlsplit(addresses.snowflake)
    return snowflake.connector.connect(
        account=known["account"],
        user=known["username"],
        password=known["password"],
        host=address.hostname,
        port=address.port,
        protocol=address.scheme,
        warehouse=known["warehouse"],
        database=known["database"],
        schema=known["schema"],
        login_timeout=TIMEOUT_SECONDS,
    )


def load_orders(connection: Any, recipe: Recipe) -> bool:
    """Fills SALES.PUBLIC.ORDERS. Returns False if it already holds these seeds."""
    cursor = connection.cursor()
    cursor.execute("CREATE SCHEMA IF NOT EXISTS SEEDS")
    cursor.execute("CREATE TABLE IF NOT EXISTS SEEDS.LOADED (NOTE VARCHAR)")
    if cursor.execute("SELECT NOTE FROM SEEDS.LOADED").fetchall() == [(recipe.note(),)]:
        return False
    # The note is deleted first and written last, so that an interrupted load is done again.
    cursor.execute("DELETE FROM SEEDS.LOADED")
    cursor.execute(_ORDERS)
    orders = recipe.generate().orders
    for start in range(0, len(orders), CHUNK):
        cursor.execute(_INSERT, (json.dumps([order_row(row) for row in orders[start : start + CHUNK]]),))
    cursor.execute("INSERT INTO SEEDS.LOADED VALUES (%s)", (recipe.note(),))
    return True


def order_row(order: Order) -> list[str | None]:
    """A row of ORDERS as texts, which Snowflake casts to the types of the columns."""
    return [
        order.order_id,
        order.customer_id,
        order.order_date.isoformat(),
        order.currency,
        None if order.amount is None else str(order.amount),
        order.status,
        order.updated_at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "),
    ]


def load_accounts(address: str, recipe: Recipe) -> bool:
    """Fills the org's Accounts. Returns False if it already holds these seeds."""

    def call(method: str, path: str, document: dict[str, object] | None = None) -> Any:
        url = f"{address}/_control/{path}"
        response = requests.request(method, url, json=document, timeout=TIMEOUT_SECONDS)
        response.raise_for_status()
        return response.json()

    if call("GET", "notes/seeds")["text"] == recipe.note():
        return False
    call("PUT", "notes/seeds", {"text": None})
    call("POST", "records/purge", {})
    for chunk in _chunks(recipe.generate().accounts):
        call("POST", "records", {"records": [account_record(account) for account in chunk]})
    call("PUT", "notes/seeds", {"text": recipe.note()})
    return True


def _chunks(accounts: Sequence[Account]) -> Iterator[Sequence[Account]]:
    for start in range(0, len(accounts), CHUNK):
        yield accounts[start : start + CHUNK]


def account_record(account: Account) -> dict[str, object]:
    """An Account as the control API takes it."""
    return {
        "Id": account.id,
        "AccountNumber": account.account_number,
        "Name": account.name,
        "Type": account.type,
        "Industry": account.industry,
        "BillingCountry": account.billing_country,
        "AnnualRevenue": None if account.annual_revenue is None else float(account.annual_revenue),
        "NumberOfEmployees": account.number_of_employees,
        "CreatedDate": account.created_date.isoformat(),
        "LastModifiedDate": account.last_modified_date.isoformat(),
        "SystemModstamp": account.system_modstamp.isoformat(),
        "IsDeleted": account.is_deleted,
    }


def main() -> None:
    """Loads what is missing, and prints what is there."""
    addresses = Addresses.from_environment()
    recipe = Recipe(wanted_size(), newest())
    with connect(addresses) as connection:
        loaded = load_orders(connection, recipe), load_accounts(addresses.salesforce, recipe)
    if not any(loaded):
        print(f"seeds are loaded: {recipe.note()}")
        return
    made = recipe.generate()
    print(f"loaded {len(made.orders)} order rows and {len(made.accounts)} accounts: {recipe.note()}")
    for defect, rows in made.counts().items():
        print(f"  {defect:<22}{rows:>8} rows")


if __name__ == "__main__":
    main()
