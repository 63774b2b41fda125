"""Takes a release to the code bucket, where job runs and MWAA find it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.package import release
from infra.package.content import name, read
from jobs.lake import settings
from jobs.lake.errors import ConfigurationError
from jobs.lake.release import prefix

AT_ONCE = 8


def whole(bucket: str = "") -> str:
    """Builds and uploads the release, if it is not there. Returns its URI, `s3://<code bucket>/releases/<name>`.

    The bucket is that of SLUICE_CODE_BUCKET unless another one is given. The release's checksums come last: a release
    that has them is whole. A release that is whole is never written again.
    """
    folder = release.build()
    bucket, s3 = bucket or _code_bucket(), boto3.client("s3")
    place = f"releases/{folder.name}"
    if not is_there(s3, bucket, f"{place}/{release.SUMS}"):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / release.SUMS)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            keys = [f"{place}/{path.relative_to(folder).as_posix()}" for path in files]
            list(pool.map(lambda path, key: s3.upload_file(str(path), bucket, key), files, keys))
        s3.upload_file(str(folder / release.SUMS), bucket, f"{place}/{release.SUMS}")
    return prefix(bucket, folder.name)


def code() -> str:
    """Uploads the code of the jobs alone, for an EMR Serverless that has packages and jars already: the laptop's.

    The release has the same name as the whole one.
    """
    content = read()
    bucket, s3, named = _code_bucket(), boto3.client("s3"), name(content)
    for file, body in release.code(content).items():
        s3.put_object(Bucket=bucket, Key=f"releases/{named}/{file}", Body=body)
    return prefix(bucket, named)


def _code_bucket() -> str:
    bucket = settings.deployment().code_bucket
    if not bucket:
        raise ConfigurationError("SLUICE_CODE_BUCKET is not set: set it to the bucket that releases are uploaded to")
    return bucket


def is_there(s3: Any, bucket: str, key: str) -> bool:
    """Whether an object is there. A refusal is raised: it is no answer."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return False
        raise
    return True
