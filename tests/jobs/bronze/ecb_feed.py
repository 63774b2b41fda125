"""ECB's feed as it publishes it: a CSV in a zip, with the time of its last change."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from jobs.lake.run import Window
from tests.jobs.lakehouse import at

HEADER = "Date,USD,JPY,CYP,\n"
FEED = HEADER + "2026-10-02,1.1000,160.50,N/A,\n2026-10-01,1.0900,,N/A,\n"
STAMP = "Fri, 02 Oct 2026 14:15:00 GMT"
EVERYTHING = Window(None, at("2027-01-01"))
Serve = Callable[..., str]


def zipped(text: str, name: str = "eurofxref-hist.csv") -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr(name, text)
    return body.getvalue()
