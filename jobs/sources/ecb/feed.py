"""ECB's feed as it comes over HTTPS: one CSV in a zip, with the time of its last change.

Whatever is wrong with the answer becomes an error of the data that names the feed: zipfile lets through what its
decompressors raise, and there is a kind for each method and each damaged byte.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from jobs.lake.errors import DataError, TransientError

# The history of 27 years has 1.8 MB as text, and 0.6 MB in its zip.
LARGEST = 64 * 1024 * 1024
_CHUNK = 64 * 1024


def download(url: str) -> tuple[bytes, datetime]:
    """The body, and the time of the feed's last change.

    Raises:
        TransientError: the feed can't be reached or answers with an error.
        DataError: the answer is too large, or does not say when it was changed.
    """
    body = bytearray()
    try:
        with requests.get(url, timeout=60, stream=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                body += chunk
                if len(body) > LARGEST:
                    raise DataError(
                        f"ECB feed {url} has more than {LARGEST} bytes. Nothing was written. Check the address."
                    )
    except requests.RequestException as error:
        raise TransientError(
            f"ECB feed {url} can't be reached ({type(error).__name__}: {error}). Nothing was written. Sluice will try "
            "again. If it keeps failing, check FX_RATES_URL and the network."
        ) from error
    return bytes(body), _changed_at(answer.headers.get("Last-Modified"), url)


def unpack(body: bytes, url: str) -> str:
    """The text of the only CSV in the zip.

    Raises:
        DataError: the body is no zip, is damaged, encrypted or packed in a way that can't be read, holds no CSV or
            several, or one that is too large or not UTF-8.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".csv")]
            if len(names) != 1:
                raise ValueError(f"it holds {len(names)} CSV files")
            with archive.open(names[0]) as member:
                content = member.read(LARGEST + 1)  # what its directory says of its size may be wrong
            if len(content) > LARGEST:
                raise ValueError(f"the CSV has more than {LARGEST} bytes")
            return content.decode("utf-8")
    except Exception as error:
        raise DataError(
            f"ECB feed {url} is not a zip with one UTF-8 CSV ({type(error).__name__}: {error}). Nothing was written. "
            "Open the address in a browser; if ECB's file is whole there, run again."
        ) from error


def _changed_at(stamp: str | None, url: str) -> datetime:
    if not stamp:
        raise DataError(
            f"ECB feed {url} has no Last-Modified header, which says how new the rates are. Nothing was written. "
            "Check the address."
        )
    try:
        moment = parsedate_to_datetime(stamp)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"ECB feed {url}: the header Last-Modified is {stamp[:60]!r}, not a time as HTTP writes it. Nothing was "
            "written. Check the address, and what stands between it and this job, such as a proxy."
        ) from error
