r"""Regular expressions of rules: those that let a line end pass are refused.

Rules run in Java, where `$` and `\Z` also match before a final line end, so that `^[A-Z]{3}$` takes `EUR\r` for a
currency. Python 3.11 lacks Java's `\z`, and its own `\Z` means another thing than Java's. The end that both understand
alike is `(?![\s\S])`: no character follows, whatever it is.
"""

from __future__ import annotations

import re
import warnings

END = r"(?![\s\S])"
# An escaped character, a set, the flag that lets `^` match after each line end, or one plain character.
_PART = re.compile(r"(?s)\\(?P<escaped>.)|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[a-z]*(?P<lines>m)|(?P<plain>.)")


def fault(pattern: object) -> str | None:
    """What is wrong with a rule's pattern, as the end of a sentence; None if nothing is."""
    if not isinstance(pattern, str):
        return f"is {type(pattern).__name__}, not a text"
    for part in _PART.finditer(pattern):
        if part["plain"] == "$" or part["escaped"] in ("Z", "z"):
            return f"ends with {part[0]}, which also matches before a final line end or is not known: end it with {END}"
        if part["lines"]:
            return "has the flag m, with which ^ also matches after a line end: leave it out"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # sets within sets: Java and Python read them differently
            re.compile(pattern)
    except (re.error, FutureWarning) as error:
        return f"is no regular expression that Java and Python read alike ({error})"
    return None
