"""The sources of bronze, with the answers that a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jobs.sources.snowflake import extract
from tests.jobs.bronze.ecb_feed import STAMP, Serve
from tests.jobs.bronze.snowflake_source import Answers, Cursor


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Makes a given cursor the source's."""

    def use(cursor: Cursor) -> Cursor:
        monkeypatch.setattr(extract, "connect", lambda: cursor)
        return cursor

    return use


@pytest.fixture
def ecb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves a body under FX_RATES_URL; returns the address."""
    servers: list[ThreadingHTTPServer] = []

    def serve(body: bytes, status: int = 200, stamp: str | None = STAMP) -> str:
        class Feed(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                if stamp:
                    self.send_header("Last-Modified", stamp)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/eurofxref-hist.zip"
        monkeypatch.setenv("FX_RATES_URL", url)
        return url

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
