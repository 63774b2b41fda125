"""The JVM jars that a laptop needs: exact lists, downloaded from Maven's central repository.

`jars.lock` has what EMR's image holds and Spark's wheel lacks, `broker.lock` has Kafka's broker. Each line is
`group:artifact:version sha256`. The jars are downloaded once into the cache, and each is checked.
`spark.jars.packages` would download 729 MB, with second copies of jars that Spark has.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from infra.setup.steps import SetupError, cache, fingerprint, once

CENTRAL = "https://repo1.maven.org/maven2"
AT_ONCE = 8
TRIES, PAUSE_SECONDS, SILENT_SECONDS = 4, 2.0, 60.0
LOCK = Path(__file__).with_name("jars.lock")
BROKER = Path(__file__).with_name("broker.lock")


def folder(lock: Path | None = None) -> Path:
    """The folder with the jars of a lock; by default Spark's."""
    return cache() / f"jars-{fingerprint([lock or LOCK])[:12]}"


def install(title: str, lock: Path) -> None:
    """Downloads the jars of a lock if they are not in the cache."""
    with tempfile.TemporaryDirectory() as scratch:
        counted = f"{title} ({len(_coordinates(lock))})"
        once(counted, folder(lock) / "stamp", [lock], partial(fetch, lock, Path(scratch)), grows=Path(scratch))


def fetch(lock: Path, scratch: Path) -> None:
    """Downloads every jar of the lock into a scratch folder, checks it, and puts it into the cache.

    Raises:
        SetupError: a jar is missing, or its checksum is not the lock's.
    """
    wanted_by = _coordinates(lock)
    got = download(list(wanted_by), scratch)
    for coordinate, wanted in wanted_by.items():
        actual = hashlib.sha256(got[coordinate].read_bytes()).hexdigest()
        if actual != wanted:
            raise SetupError(f"{coordinate}: sha256 is {actual}, {lock.name} has {wanted}. Not used.")
    folder(lock).mkdir(parents=True, exist_ok=True)
    for jar in got.values():
        shutil.move(str(jar), folder(lock) / jar.name)


def download(coordinates: list[str], target: Path) -> dict[str, Path]:
    """Downloads jars without their dependencies, some at a time. Returns the file of each coordinate.

    A proxy is used as the shell names it (HTTPS_PROXY).

    Raises:
        SetupError: a jar can't be had. The message has its address and the reason.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming = {coordinate: pool.submit(_download, coordinate, target) for coordinate in coordinates}
        return {coordinate: download.result() for coordinate, download in coming.items()}


def _download(coordinate: str, target: Path) -> Path:
    group, name, version = coordinate.split(":")
    file = target / f"{name}-{version}.jar"
    address = f"{CENTRAL}/{group.replace('.', '/')}/{name}/{version}/{file.name}"
    for tries_left in reversed(range(TRIES)):
        try:
            with urlopen(address, timeout=SILENT_SECONDS) as answer, file.open("wb") as written:
                shutil.copyfileobj(answer, written)
            break
        except (OSError, HTTPException) as error:
            refused = isinstance(error, HTTPError) and error.code < 500
            if refused or not tries_left:
                raise SetupError(f"{address} can't be downloaded: {error}. `make setup` tries again.") from error
            time.sleep(PAUSE_SECONDS)
    return file


def _coordinates(lock: Path) -> dict[str, str]:
    return dict(line.split() for line in lock.read_text().splitlines() if line.strip())


def write_lock(lock: Path, coordinates: list[str]) -> None:
    """Writes a new lock, for another version of Spark, Delta or Kafka. Review the difference before you commit it."""
    with tempfile.TemporaryDirectory() as scratch:
        got = download(coordinates, Path(scratch))
        lines = [f"{c} {hashlib.sha256(got[c].read_bytes()).hexdigest()}\n" for c in sorted(got)]
    lock.write_text("".join(lines))


if __name__ == "__main__":
    write_lock(Path(sys.argv[1]), [line.split()[0] for line in sys.stdin if line.strip()])
