"""What an environment takes from its source bucket, with the credentials of its execution role."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.aws.access import caller
from infra.local.aws.mwaa.environment import ARTEFACTS
from infra.local.aws.mwaa.errors import BrokenEnvironmentError
from infra.local.aws.s3 import s3_client

DAGS, PLUGINS, REQUIREMENTS, STARTUP = "dags", "plugins", "requirements.txt", "startup.sh"
_FILES = {"PluginsS3Path": "plugins.zip", "RequirementsS3Path": REQUIREMENTS, "StartupScriptS3Path": STARTUP}
_TAGS = "dags.json"  # key -> entity tag, of what was downloaded


class Source:
    """The source bucket of an environment."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Opens it, for an environment of these settings."""
        self._settings = settings
        self._bucket = settings["SourceBucketArn"].partition(":::")[2]
        self._s3 = s3_client(caller.credentials(settings["ExecutionRoleArn"]))

    def fetch(self, folder: Path) -> dict[str, str]:
        """Brings everything into an empty folder.

        Returns:
            The versions of plugins, requirements and start-up script that it took, by their names in the settings.

        Raises:
            BrokenEnvironmentError: an object is not there, or is not what it should be.
        """
        folder.mkdir(parents=True)
        (folder / PLUGINS).mkdir()
        try:
            if self._s3.get_bucket_versioning(Bucket=self._bucket).get("Status") != "Enabled":
                raise BrokenEnvironmentError(f"The source bucket {self._bucket} must have versioning enabled.")
            versions = {}
            for path, version in ARTEFACTS.items():
                if key := self._settings.get(path):
                    versions[version] = self._artefact(key, self._settings.get(version), folder / _FILES[path])
            self.sync(folder)
        except (BotoCoreError, ClientError) as error:
            raise BrokenEnvironmentError(f"The source bucket {self._bucket} can't be read: {error}") from error
        if (folder / _FILES["PluginsS3Path"]).exists():
            _unpack(folder / _FILES["PluginsS3Path"], folder / PLUGINS)
        return versions

    def _artefact(self, key: str, version: str | None, target: Path) -> str:
        asked = {"VersionId": version} if version else {}
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=key, **asked)
        except ClientError as error:
            what = f"s3://{self._bucket}/{key}" + (f" in version {version}" if version else "")
            raise BrokenEnvironmentError(f"{what} can't be read: {error}") from error
        target.write_bytes(found["Body"].read())
        return str(found.get("VersionId") or version or "")

    def sync(self, folder: Path) -> int:
        """Brings the DAG folder to what the prefix holds now; gives how many files it wrote or removed."""
        prefix = self._settings["DagS3Path"].strip("/")
        prefix = f"{prefix}/" if prefix else ""
        root, index = folder / DAGS, folder / _TAGS
        root.mkdir(exist_ok=True)
        before: dict[str, str] = json.loads(index.read_text()) if index.exists() else {}
        now = {}
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):
                    now[entry["Key"].removeprefix(prefix)] = entry["ETag"]
        changed = [name for name, tag in now.items() if before.get(name) != tag]
        for name in changed:
            _write(_inside(root, name), self._s3.get_object(Bucket=self._bucket, Key=prefix + name)["Body"].read())
        removed = before.keys() - now.keys()
        for name in removed:
            _inside(root, name).unlink(missing_ok=True)
        if changed or removed:
            _write(index, json.dumps(now).encode())
        return len(changed) + len(removed)


def _unpack(file: Path, folder: Path) -> None:
    """Unpacks plugins with the modes that the archive gives them, as MWAA does."""
    try:
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
            for entry in archive.infolist():
                target = _inside(folder, entry.filename)
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                _write(target, archive.read(entry))
                if mode := (entry.external_attr >> 16) & 0o777:
                    target.chmod(mode)
    except zipfile.BadZipFile as error:
        raise BrokenEnvironmentError(f"plugins.zip is no zip archive: {error}") from error


def _inside(root: Path, name: str) -> Path:
    if ".." in PurePosixPath(name).parts or name.startswith("/"):
        raise BrokenEnvironmentError(f"{name} would lie outside its folder")
    return root / name


def _write(target: Path, body: bytes) -> None:
    """Writes a file whole: a DAG processor may read it at any time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = target.with_name(f".{target.name}.new")
    written.write_bytes(body)
    written.replace(target)
