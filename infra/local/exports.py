"""What `make env` prints: exports for any client, and how each client uses them."""

from __future__ import annotations

import os
import shlex

from infra.local.addresses import HOST, Addresses
from infra.local.secrets import salesforce_credentials, snowflake_credentials
from infra.setup import proxies


def text(addresses: Addresses) -> str:
    """Lines for `eval "$(make env)"`: exports and comments."""
    exports = {
        **addresses.environment(),
        **proxies.bypass(os.environ),
        **_snowflake(addresses),
        **_salesforce(addresses),
    }
    return "\n".join(
        [
            f"# Airflow UI: {addresses.airflow}  (no log-in)",
            '# In a shell: eval "$(make env)". AWS: aws (one is in .venv/jobs/bin), boto3 and Terraform need no more.',
            "#",
            "# Snowflake connector:",
            "#   snowflake.connector.connect(host=env['SNOWFLAKE_HOST'], port=env['SNOWFLAKE_PORT'], protocol='http',",
            "#     **{key: env['SNOWFLAKE_' + key.upper()] for key in",
            "#        ('account', 'user', 'password', 'warehouse', 'database', 'schema')})",
            "# simple-salesforce only calls https: mount an adapter that sends its calls to SALESFORCE_ENDPOINT_URL",
            "#   (jobs/sources/salesforce/client.py does), then Salesforce(username=…, password=…, security_token=…,",
            "#   session=…) with the SALESFORCE_* below.",
            "#",
            *(f"export {name}={shlex.quote(value)}" for name, value in exports.items()),
        ]
    )


def _snowflake(addresses: Addresses) -> dict[str, str]:
    known = dict(snowflake_credentials(addresses))
    known["user"] = known.pop("username")
    known |= {"host": HOST, "port": addresses.snowflake.rpartition(":")[2]}
    return {f"SNOWFLAKE_{key.upper()}": value for key, value in known.items()}


def _salesforce(addresses: Addresses) -> dict[str, str]:
    return {f"SALESFORCE_{key.upper()}": value for key, value in salesforce_credentials(addresses).items()}
