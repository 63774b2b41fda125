"""Small JSON and Parquet objects in the lake's bucket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from jobs.lake import s3, settings
from jobs.lake.errors import TransientError

# Answers to a conditional PUT. 409: two such writes at the same moment; perhaps neither succeeded. 404: the object that
# is to be replaced is gone.
CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404")


def write(key: str, body: bytes, *, content_type: str = "binary/octet-stream") -> str:
    """Writes one object and returns its URI. Readers see the whole object or nothing of it."""
    bucket = settings.lake().bucket
    s3.client().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    return f"s3://{bucket}/{key}"


def write_json(key: str, value: Any) -> str:
    """Writes one line of JSON; times become ISO 8601."""
    return write(key, _line(value))


def write_json_if(key: str, value: Any, *, etag: str | None) -> str | None:
    """Writes one line of JSON, unless the object has changed since it was seen: S3's conditional PUT.

    Args:
        key: of the object.
        value: to write.
        etag: of the object as it was seen; None when there was none.

    Returns:
        The object's new ETag; None when somebody else has written or deleted the object.
    """
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    try:
        answer = s3.client().put_object(Bucket=settings.lake().bucket, Key=key, Body=_line(value), **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in CHANGED:
            return None
        raise
    return str(answer["ETag"])


def read_json(key: str) -> Any | None:
    """The object's value; None when it doesn't exist."""
    found = read_json_with_etag(key)
    return None if found is None else found[0]


def read_json_with_etag(key: str) -> tuple[Any, str] | None:
    """The object's value and its ETag, for `write_json_if`; None when it doesn't exist."""
    try:
        answer = s3.client().get_object(Bucket=settings.lake().bucket, Key=key)
    except ClientError as error:
        if s3.absent(error):
            return None
        raise
    return json.loads(answer["Body"].read()), str(answer["ETag"])


def read(key: str) -> bytes:
    """The object's bytes."""
    answer = s3.client().get_object(Bucket=settings.lake().bucket, Key=key)
    return bytes(answer["Body"].read())


def keys(prefix: str) -> list[str]:
    """Every key that starts with `prefix`, in S3's order."""
    pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=settings.lake().bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def folders(prefix: str) -> list[str]:
    """What keys that start with `prefix` have in common up to their next slash, each once, in S3's order."""
    pages = (
        s3.client()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=settings.lake().bucket, Prefix=prefix, Delimiter="/")
    )
    return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]


def delete(key: str) -> None:
    """Deletes one object, if it exists."""
    s3.client().delete_object(Bucket=settings.lake().bucket, Key=key)


def delete_all(keys: Sequence[str]) -> None:
    """Deletes these objects, as far as they exist, a thousand in a request.

    Raises:
        TransientError: S3 kept some of them.
    """
    for begin in range(0, len(keys), 1_000):
        named = [{"Key": key} for key in keys[begin : begin + 1_000]]
        answer = s3.client().delete_objects(Bucket=settings.lake().bucket, Delete={"Objects": named, "Quiet": True})
        if errors := answer.get("Errors"):
            raise TransientError(f"S3 deleted {len(named) - len(errors)} of {len(named)} objects: {errors[0]['Code']}")


def delete_prefix(prefix: str) -> None:
    """Deletes every object whose key starts with `prefix`."""
    bucket = settings.lake().bucket
    client = s3.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if keys:
            client.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _line(value: Any) -> bytes:
    return (json.dumps(value, default=_plain, sort_keys=True) + "\n").encode()


def _plain(value: Any) -> str:
    """Times as ISO 8601 with a T, which Athena's `from_iso8601_timestamp` asks for."""
    return value.isoformat() if isinstance(value, date) else str(value)
