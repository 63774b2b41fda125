"""An S3 in memory that counts its requests: `python -m benchmarks.counting_s3 PORT`.

A listing costs as much as it returns, as in S3. moto sorts the whole bucket for each, which would count as ours. It has
what Spark, delta-rs and boto3 ask of small objects, and one thing more: `POST /<bucket>/<key>?copies=FIRST-LAST` stores
the body under many keys, `{}` in key and body being the number, and counts as no request.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from bisect import bisect_left, insort
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1_000
_LOCK = threading.Lock()
_KEYS: list[str] = []
_BODIES: dict[str, bytes] = {}
_COUNTED = [0]
_NOW = datetime.now(UTC)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms for a second one

    def log_message(self, *_: object) -> None:
        """Prints nothing."""

    def _asked(self) -> tuple[str, str, dict[str, str]]:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        return bucket, key, {name: values[0] for name, values in parse_qs(parts.query, True).items()}

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.pop("length", str(len(body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _missing(self, code: str = "NoSuchKey", status: int = 404) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "x-amz-decoded-content-length" not in self.headers:
            return body
        whole = b""
        while body:  # chunks: size in hex, a line end, the data, a line end; then trailers
            line, _, body = body.partition(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                break
            whole, body = whole + body[:size], body[size + 2 :]
        return whole

    def do_GET(self) -> None:
        bucket, key, query = self._asked()
        if bucket == "requests":
            return self._answer(200, str(_COUNTED[0]).encode())
        _COUNTED[0] += 1
        if not key:
            return self._answer(200, _listing(bucket, query).encode(), Content_Type="application/xml")
        body = _BODIES.get(f"{bucket}/{key}")
        if body is None:
            return self._missing()
        headers = {"ETag": _etag(body), "Last_Modified": format_datetime(_NOW, usegmt=True), "Accept_Ranges": "bytes"}
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin = int(first) if first else max(0, len(body) - int(last))
            end = min(int(last), len(body) - 1) if first and last else len(body) - 1
            headers["Content_Range"] = f"bytes {begin}-{end}/{len(body)}"
            return self._answer(206, body[begin : end + 1], **headers)
        return self._answer(200, body, **headers)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        bucket, key, _ = self._asked()
        body, name = self._body(), f"{bucket}/{key}"
        with _LOCK:
            _COUNTED[0] += 1
            if self.headers.get("If-None-Match") == "*" and name in _BODIES:
                return self._missing("PreconditionFailed", 412)
            if (match := self.headers.get("If-Match")) and match != _etag(_BODIES.get(name, b"")):
                return self._missing("PreconditionFailed", 412)
            if key:
                _store(name, body)
        return self._answer(200, ETag=_etag(body))

    def do_DELETE(self) -> None:
        bucket, key, _ = self._asked()
        with _LOCK:
            _COUNTED[0] += 1
            _forget(f"{bucket}/{key}")
        self._answer(204)

    def do_POST(self) -> None:
        bucket, key, query = self._asked()
        body = self._body()
        if "copies" in query:
            first, last = map(int, query["copies"].split("-"))
            with _LOCK:
                for number in range(first, last + 1):
                    text = body.replace(b"{}", str(number).encode()) if b"{}" in body else body
                    _store(f"{bucket}/{key.replace('{}', f'{number:020d}')}", text)
            return self._answer(200)
        with _LOCK:
            _COUNTED[0] += 1
            for part in body.decode().split("<Key>")[1:]:
                _forget(f"{bucket}/{part.partition('</Key>')[0]}")
        return self._answer(200, b"<DeleteResult/>", Content_Type="application/xml")


def _store(name: str, body: bytes) -> None:
    if name not in _BODIES:
        if not _KEYS or name > _KEYS[-1]:
            _KEYS.append(name)
        else:
            insort(_KEYS, name)
    _BODIES[name] = body


def _forget(name: str) -> None:
    if _BODIES.pop(name, None) is not None:
        _KEYS.pop(bisect_left(_KEYS, name))


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _listing(bucket: str, query: dict[str, str]) -> str:
    prefix, limit = f"{bucket}/{query.get('prefix', '')}", min(PAGE, int(query.get("max-keys") or PAGE))
    after = query.get("continuation-token") or query.get("start-after") or ""
    delimiter = query.get("delimiter")
    at = bisect_left(_KEYS, max(prefix, f"{bucket}/{after}\0" if after else ""))
    found: list[str] = []
    last, truncated, folders = "", False, set[str]()
    while at < len(_KEYS) and (name := _KEYS[at]).startswith(prefix):
        if len(found) + len(folders) >= limit:
            truncated = True
            break
        rest = name[len(prefix) :]
        if delimiter and delimiter in rest:
            folder = prefix + rest[: rest.index(delimiter) + 1]
            folders.add(folder)
            at = bisect_left(_KEYS, folder + "\U0010ffff")
            last = folder + "\U0010ffff"
            continue
        found.append(name)
        last, at = name, at + 1
    cut = len(bucket) + 1
    stamp = f"{_NOW:%Y-%m-%dT%H:%M:%S.000Z}"
    contents = "".join(
        f"<Contents><Key>{escape(name[cut:])}</Key><LastModified>{stamp}</LastModified><ETag>{_etag(_BODIES[name])}</ETag>"
        f"<Size>{len(_BODIES[name])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for name in found
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(f[cut:])}</Prefix></CommonPrefixes>" for f in sorted(folders))
    following = f"<NextContinuationToken>{escape(last[cut:])}</NextContinuationToken>" if truncated else ""
    return (
        f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(query.get('prefix', ''))}</Prefix>"
        f"<KeyCount>{len(found) + len(folders)}</KeyCount><MaxKeys>{limit}</MaxKeys>"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{following}{contents}{prefixes}</ListBucketResult>"
    )


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
