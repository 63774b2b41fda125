"""boto3 clients of a platform's AWS. Credentials and profile of the shell play no role."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from infra.local.addresses import REGION, Addresses


def client(addresses: Addresses, service: str, *, attempts: int = 2) -> Any:
    """A client of one service, by boto3's name. A call is tried so many times in all."""
    exports = addresses.environment()
    session = boto3.Session(
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"total_max_attempts": attempts},
        proxies={},
        s3={"addressing_style": "path"},
    )
    endpoint = addresses.s3 if service == "s3" else addresses.aws
    return session.client(service, endpoint_url=endpoint, config=config)
