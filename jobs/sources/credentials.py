"""Credentials from Secrets Manager, by name. Values go to the client and nowhere else."""

from __future__ import annotations

import json

import boto3
from botocore.exceptions import ClientError

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError


def read(system: str, keys: tuple[str, ...], may_be_empty: tuple[str, ...] = ()) -> dict[str, str]:
    """The secret `<project>/<system>/credentials`, a JSON object with at least `keys`.

    Raises:
        ConfigurationError: the secret is missing, not readable, not a JSON object, or lacks a key, or has no value for
            one that may not be empty. The message names the secret and the keys, never a value.
    """
    name = f"{settings.lake().project}/{system}/credentials"
    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException"):
            raise
        raise ConfigurationError(
            f"{system}: secret {name} can't be read ({code}). Create it in Secrets Manager as JSON with the keys "
            f"{', '.join(keys)}, and allow the job's role to read it."
        ) from error
    try:
        value = json.loads(text)
    except ValueError:
        value = None  # not chained: the parser's error would quote the secret
    if not isinstance(value, dict):
        raise ConfigurationError(f"{system}: secret {name} is not a JSON object with the keys {', '.join(keys)}")
    missing = [key for key in keys if key not in value or not (value[key] or key in may_be_empty)]
    if missing:
        raise ConfigurationError(f"{system}: secret {name} lacks {', '.join(missing)}: add it in Secrets Manager")
    return {key: "" if item is None else str(item) for key, item in value.items()}
