"""A release of this checkout in a code bucket, without the archives and jars that a laptop has already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.package import content, release


def upload(s3: Any, bucket: str) -> dict[str, str]:
    """Uploads it, and what MWAA takes by version below `airflow/`.

    Returns:
        Its name, its DAG prefix, and the versions of plugins and requirements, as Terraform's variable `release`.
    """
    read = content.read()
    name = content.name(read)
    files = {**release.of_mwaa(read, name), **release.code(read)}
    for file, body in files.items():
        s3.put_object(Bucket=bucket, Key=f"releases/{name}/{file}", Body=body)
    versions = {
        file: s3.put_object(Bucket=bucket, Key=f"airflow/{file}", Body=files[file])["VersionId"]
        for file in ("plugins.zip", "requirements.txt")
    }
    return {
        "name": name,
        "dags": f"releases/{name}/dags",
        "plugins_version": versions["plugins.zip"],
        "requirements_version": versions["requirements.txt"],
    }


def startup(settings: Mapping[str, str]) -> str:
    """The start-up script with settings in it, as `infra/terraform/settings.tf` writes it."""
    lines = [f"export {name}='{value}'" for name, value in sorted(settings.items())]
    return (content.REPOSITORY / content.STARTUP).read_text().replace("@SETTINGS@", "\n".join(lines))
