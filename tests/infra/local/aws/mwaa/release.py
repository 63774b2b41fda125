"""A release of this checkout in a code bucket, without the archives and jars that a laptop has already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.package import content, release


def upload(s3: Any, bucket: str, read: content.Content | None = None) -> dict[str, str]:
    """Uploads it to its prefix; gives its name and the versions of its plugins and requirements, as Terraform asks.

    Args:
        s3: boto3 client.
        bucket: for code.
        read: what it is made of; this checkout if not given.
    """
    read = read or content.read()
    name = content.name(read)
    files = {**release.of_mwaa(read, name), **release.code(read), release.SUMS: b"as of a whole one"}
    versions = {
        file: s3.put_object(Bucket=bucket, Key=f"releases/{name}/{file}", Body=body).get("VersionId", "")
        for file, body in files.items()
    }
    return {
        "name": name,
        "plugins_version": versions["plugins.zip"],
        "requirements_version": versions["requirements.txt"],
    }


def startup(settings: Mapping[str, str]) -> str:
    """The start-up script with settings in it, as `infra/terraform/settings.tf` writes it."""
    lines = [f"export {name}='{value}'" for name, value in sorted(settings.items())]
    return (content.REPOSITORY / content.STARTUP).read_text().replace("@SETTINGS@", "\n".join(lines))
