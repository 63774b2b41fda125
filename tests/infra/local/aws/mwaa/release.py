"""A release of this checkout in a code bucket, without the archives and jars that a laptop has already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.package import content, release


def upload(s3: Any, bucket: str) -> dict[str, str]:
    """Uploads it to its prefix; gives its name and the versions of its plugins and requirements, as Terraform asks."""
    read = content.read()
    name = content.name(read)
    versions = {
        file: s3.put_object(Bucket=bucket, Key=f"releases/{name}/{file}", Body=body).get("VersionId", "")
        for file, body in {**release.of_mwaa(read, name), **release.code(read)}.items()
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
