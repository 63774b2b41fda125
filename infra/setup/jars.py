"""The JVM jars that a laptop needs: exact lists, fetched by the Ivy inside pyspark.

`jars.lock` is what EMR's image holds and Spark's wheel lacks, `broker.lock` is Kafka's broker. Both have one
`group:artifact:version sha256` per line. Fetched once into the cache, each checked.
Not `spark.jars.packages`: that pulls 729 MB and second copies of what Spark ships.
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
    """Where the jars of a lock are, Spark's unless another is named."""
    return cache() / f"jars-{fingerprint([lock or LOCK])[:12]}"


def install(java: str) -> None:
    """Fetches the jars of both locks unless they are in the cache."""
    for title, lock in (("Delta, S3A, Kafka and JDBC jars", LOCK), ("Kafka broker's jars", BROKER)):
        once(f"{title} ({len(_coordinates(lock))})", folder(lock) / "stamp", [lock], partial(fetch, java, lock))


def fetch(java: str, lock: Path) -> None:
    """Fetches every jar of the lock, checks it, and puts it into the cache.

    Raises:
        SetupError: a jar is missing or is not the one of the lock.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wanted_by = _coordinates(lock)
        got = download(java, list(wanted_by), Path(scratch))
        for coordinate, wanted in wanted_by.items():
            jar = got[coordinate]
            actual = hashlib.sha256(jar.read_bytes()).hexdigest()
            if actual != wanted:
                raise SetupError(f"{coordinate}: sha256 is {actual}, {lock.name} has {wanted}. Not used.")
        folder(lock).mkdir(parents=True, exist_ok=True)
        for jar in got.values():
            shutil.move(str(jar), folder(lock) / jar.name)


def download(java: str, coordinates: list[str], target: Path) -> dict[str, Path]:
    """Downloads jars without what they depend on; gives the file of each coordinate."""
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
        raise SetupError(f"could not be fetched: {', '.join(missing)}")
    return files


def _coordinates(lock: Path) -> dict[str, str]:
    return dict(line.split() for line in lock.read_text().splitlines() if line.strip())


def write_lock(java: str, lock: Path, coordinates: list[str]) -> None:
    """Writes a lock anew, for a change of Spark, Delta or Kafka; review the difference before committing."""
    with tempfile.TemporaryDirectory() as scratch:
        got = download(java, coordinates, Path(scratch))
        lines = [f"{c} {hashlib.sha256(got[c].read_bytes()).hexdigest()}\n" for c in sorted(got)]
    lock.write_text("".join(lines))


if __name__ == "__main__":
    write_lock("java", Path(sys.argv[1]), [line.split()[0] for line in sys.stdin if line.strip()])
