"""Messages changed at random, with contents that break parsers."""

from __future__ import annotations

from random import Random

WORDS = [
    b"null", b"NaN", b"-1", b"1e999", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\u0000", b"\\ud800", b"\x00",
    b"\xff", b"\xe2\x82", b"true", b"0.001", b'"amount":', b'"2999-12-31T00:00:00Z"', b"\n", b"9" * 400,
    '"amount":"\u00e9",'.encode(), b'"amount":"\xff",', b'"amount":' + b"[" * 2000 + b"]" * 2000 + b",",
    "\uff11".encode(),
]  # fmt: skip


def mutated(random: Random, message: bytes) -> bytes | None:
    """A message with one to four changes: bytes flipped, removed, doubled or replaced by what breaks parsers."""
    body = bytearray(message)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(body) + 1)
        until = min(len(body), at + random.choice((0, 1, 1, 5, 20)))
        how = random.randrange(5)
        if how == 0 and at < len(body):
            body[at] ^= 1 << random.randrange(8)
        elif how == 1:
            del body[at:until]
        elif how == 2:
            body[at:at] = body[at:until]
        elif how == 3:
            body[at:until] = random.choice(WORDS)
        elif random.random() < 0.02:
            return None
    return bytes(body)
