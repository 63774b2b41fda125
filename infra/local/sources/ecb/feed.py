"""The served file: the real history with overrides, which are kept on disk."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from starlette.requests import Request

from infra.local.sources.ecb.history import CSV_NAME, bundled, carried_on
from jobs.sources.ecb import target

# ECB says "around 16:00 CET". The same content has the same time and the same zip: a clock only says how many days
# have passed.
PUBLISHED_AT = time(15, 0, tzinfo=UTC)
ZIP_TIME = (1999, 1, 4, 0, 0, 0)


@dataclass(frozen=True)
class Overrides:
    """How the served file differs from the real one.

    Attributes:
        until: newest published day; None for all.
        rates: day -> currency -> rate instead of ECB's.
        lines: day -> text instead of the day's whole line, to corrupt it.
        header: text instead of the header line.
        revision: how many changes were made so far. Each moves Last-Modified.
    """

    until: str | None = None
    rates: dict[str, dict[str, str]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    header: str | None = None
    revision: int = 0

    def patched(self, document: dict[str, object]) -> Overrides:
        """These overrides, changed by a JSON document. It adds to `rates` and `lines`; null clears a key.

        Raises:
            ValueError: a key is unknown, a value has the wrong form, or a day or currency has no rate.
        """
        known = {"until", "rates", "lines", "header"}
        if set(document) - known:
            raise ValueError(f"overrides can have {', '.join(sorted(known))}")
        values = {**asdict(self), "revision": self.revision + 1}
        for key, value in document.items():
            if key in ("rates", "lines") and value is not None:
                if not isinstance(value, dict):
                    raise ValueError(f"{key} must be an object that maps a day to its replacement")
                values[key] = {**values[key], **value}
            else:
                values[key] = {} if key in ("rates", "lines") else value
        patched = Overrides(**values)
        if patched.until is not None:
            date.fromisoformat(patched.until)
        apply(bundled(), replace(patched, until=None))
        return patched


def apply(history: str, overrides: Overrides) -> str:
    """The served file.

    Raises:
        ValueError: an override names a day or currency that the history lacks.
    """
    header, *lines = history.splitlines()
    columns = header.split(",")
    unused = set(overrides.rates) | set(overrides.lines)
    served = [header if overrides.header is None else overrides.header]
    for line in lines:
        day = line[:10]
        unused.discard(day)
        if overrides.until is not None and day > overrides.until:
            continue
        if day in overrides.rates:
            cells = line.split(",")
            for currency, rate in overrides.rates[day].items():
                cells[columns.index(currency)] = rate
            line = ",".join(cells)
        served.append(overrides.lines.get(day, line))
    if overrides.until is None and unused:
        raise ValueError(f"no rates on {', '.join(sorted(unused))}: not a publication day")
    return "\n".join(served) + "\n"


class Feed:
    """The served file, and its overrides on disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "overrides.json"
        stored = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._show(Overrides(**stored))

    def _show(self, overrides: Overrides) -> None:
        self.overrides = overrides
        self._due = target.newest_due(datetime.now(UTC))
        history = carried_on(self._due)
        self.csv = apply(history, overrides).encode()
        self.etag = f'"{hashlib.sha256(self.csv).hexdigest()[:32]}"'
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            member = zipfile.ZipInfo(CSV_NAME, ZIP_TIME)
            archive.writestr(member, self.csv, compress_type=zipfile.ZIP_DEFLATED)
        self.zip = buffer.getvalue()
        newest = overrides.until or history.split("\n", 2)[1][:10]
        published = datetime.combine(date.fromisoformat(newest), PUBLISHED_AT)
        self.last_modified = published + timedelta(seconds=overrides.revision)

    def publish(self) -> None:
        """Serves the days that have passed since it last did."""
        if target.newest_due(datetime.now(UTC)) != self._due:
            self._show(self.overrides)

    def change(self, overrides: Overrides) -> None:
        """Serves other overrides from now on, after a restart too."""
        self._show(overrides)
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(asdict(overrides), indent=1))
        scratch.replace(self._file)

    def unchanged_since(self, request: Request) -> bool:
        """Whether the copy that the client names in its conditional headers is still current."""
        if tags := request.headers.get("if-none-match"):
            return self.etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = request.headers.get("if-modified-since")
        return bool(since) and self.last_modified <= parsedate_to_datetime(str(since))
