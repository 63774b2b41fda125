"""The JVM jars that a laptop needs: exact lists, which the Ivy inside pyspark downloads.

`jars.lock` has what EMR's image holds and Spark's wheel lacks, `broker.lock` has Kafka's broker. Each line is
`group:artifact:version sha256`. The jars are downloaded once into the cache, and each is checked.
`spark.jars.packages` would download 729 MB, with second copies of jars that Spark has.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from infra.setup.steps import VENV, SetupError, cache, command, fingerprint, once

LOCK = Path(__file__).with_name("jars.lock")
BROKER = Path(__file__).with_name("broker.lock")


def folder(lock: Path | None = None) -> Path:
    """The folder with the jars of a lock; by default Spark's."""
    return cache() / f"jars-{fingerprint([lock or LOCK])[:12]}"


def install(java: str, title: str, lock: Path) -> None:
    """Downloads the jars of a lock if they are not in the cache."""
    with tempfile.TemporaryDirectory() as scratch:
        counted = f"{title} ({len(_coordinates(lock))})"
        fetching = partial(fetch, java, lock, Path(scratch))
        once(counted, folder(lock) / "stamp", [lock], fetching, grows=Path(scratch))


def fetch(java: str, lock: Path, scratch: Path) -> None:
    """Downloads every jar of the lock into a scratch folder, checks it, and puts it into the cache.

    Raises:
        SetupError: a jar is missing, or its checksum is not the lock's.
    """
    wanted_by = _coordinates(lock)
    got = download(java, list(wanted_by), scratch)
    for coordinate, wanted in wanted_by.items():
        jar = got[coordinate]
        actual = hashlib.sha256(jar.read_bytes()).hexdigest()
        if actual != wanted:
            raise SetupError(f"{coordinate}: sha256 is {actual}, {lock.name} has {wanted}. Not used.")
    folder(lock).mkdir(parents=True, exist_ok=True)
    for jar in got.values():
        shutil.move(str(jar), folder(lock) / jar.name)


def download(java: str, coordinates: list[str], target: Path) -> dict[str, Path]:
    """Downloads jars without their dependencies. Returns the file of each coordinate."""
    parts = {coordinate: coordinate.split(":") for coordinate in coordinates}
    dependencies = "".join(
        f'<dependency org="{group}" name="{name}" rev="{version}" transitive="false" conf="*->master"/>'
        for group, name, version in parts.values()
    )
    module = target / "ivy.xml"
    module.write_text(
        '<ivy-module version="2.0"><info organisation="sluice" module="jars"/>'
        f"<dependencies>{dependencies}</dependencies></ivy-module>"
    )
    ivy = next((VENV / "jobs").glob("lib/python*/site-packages/pyspark/jars/ivy-*.jar"), None)
    if ivy is None:
        raise SetupError("the job environment has no pyspark; remove .venv and run `make setup` again")
    command(
        java, f"-Divy.cache.dir={target / 'ivy'}", "-jar", ivy, "-ivy", module, "-types", "jar", "bundle",
        "-retrieve", f"{target}/[artifact]-[revision].[ext]",
    )  # fmt: skip
    files = {coordinate: target / f"{name}-{version}.jar" for coordinate, (_, name, version) in parts.items()}
    missing = [coordinate for coordinate, file in files.items() if not file.is_file()]
    if missing:
        raise SetupError(f"these jars could not be downloaded: {', '.join(missing)}")
    return files


def _coordinates(lock: Path) -> dict[str, str]:
    return dict(line.split() for line in lock.read_text().splitlines() if line.strip())


def write_lock(java: str, lock: Path, coordinates: list[str]) -> None:
    """Writes a new lock, for another version of Spark, Delta or Kafka. Review the difference before you commit it."""
    with tempfile.TemporaryDirectory() as scratch:
        got = download(java, coordinates, Path(scratch))
        lines = [f"{c} {hashlib.sha256(got[c].read_bytes()).hexdigest()}\n" for c in sorted(got)]
    lock.write_text("".join(lines))


if __name__ == "__main__":
    write_lock("java", Path(sys.argv[1]), [line.split()[0] for line in sys.stdin if line.strip()])
