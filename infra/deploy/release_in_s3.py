"""A release in the code bucket, as Terraform has to know it; and which releases were tried there, and work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.errors import DeployError
from infra.package.release import SUMS
from infra.package.upload import is_there

TRIED = "airflow/tried_releases.json"
KEPT = 50  # releases in that list


@dataclass(frozen=True)
class DeployedRelease:
    """What Terraform's variable `release` says.

    Attributes:
        name: its hash.
        plugins_version, requirements_version: of the objects; MWAA takes them anew only when a version changes.
        startup: text of its start-up script, without the settings.
    """

    name: str
    plugins_version: str
    requirements_version: str
    startup: str

    def variables(self) -> dict[str, Any]:
        """The content of `release.tfvars.json`."""
        return {"release": self.__dict__}


def find(s3: Any, bucket: str, name: str) -> DeployedRelease:
    """A release that was uploaded whole.

    Raises:
        DeployError: the bucket has no such release, or a part of it only.
    """
    place = f"releases/{name}"
    if not is_there(s3, bucket, f"{place}/{SUMS}"):
        raise DeployError(
            f"s3://{bucket}/{place}/ is no whole release. Releases that worked here: "
            f"{', '.join(tried(s3, bucket)[::-1]) or 'none yet'}. A new one comes by `make deploy`."
        )
    plugins, requirements = (
        # A bucket that keeps no versions answers none.
        s3.head_object(Bucket=bucket, Key=f"{place}/{file}").get("VersionId", "")
        for file in ("plugins.zip", "requirements.txt")
    )
    startup = s3.get_object(Bucket=bucket, Key=f"{place}/startup.sh")["Body"].read().decode()
    return DeployedRelease(name, plugins, requirements, startup)


def dags(s3: Any, bucket: str, name: str) -> list[str]:
    """The ids of the release's DAGs: each file is named as its DAG."""
    folder = f"releases/{name}/dags/dags/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return sorted(key.removeprefix(folder).removesuffix(".py") for key in keys if key.endswith(".py"))


def tried(s3: Any, bucket: str) -> list[str]:
    """Names of the releases that worked in this environment, the last one at the end. A name may be there twice."""
    return [entry["release"] for entry in _tried(s3, bucket)]


def note(s3: Any, bucket: str, name: str) -> None:
    """Keeps that a release was tried and works: a later deployment goes back to it when it fails."""
    entries = [*_tried(s3, bucket), {"release": name, "at": datetime.now(UTC).isoformat(timespec="seconds")}]
    s3.put_object(Bucket=bucket, Key=TRIED, Body=json.dumps(entries[-KEPT:], indent=1).encode())


def _tried(s3: Any, bucket: str) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = json.loads(s3.get_object(Bucket=bucket, Key=TRIED)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return []
    return found
