"""`python -m infra.security.secrets`: looks for secrets in every file that git tracks, and in every line it ever had.

With names of files it looks at these alone, as before a commit.

The detectors are detect-secrets': forms of known keys, and names such as `password` beside a text. Its measure of
randomness is left out, as hashes of locks and golden results are random too. Nothing is sent anywhere. A finding is
shown by place and kind, never by value. What is no secret stands in `not_secret.yaml`, each with its reason.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from infra.setup.steps import REPOSITORY

ALLOWED = Path(__file__).with_name("not_secret.yaml")
_DETECTORS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
# A name beside a call, a variable or an empty text is no value.
_FILTERS = (
    "detect_secrets.filters.heuristic.is_indirect_reference",
    "detect_secrets.filters.heuristic.is_templated_secret",
    "detect_secrets.filters.heuristic.is_not_alphanumeric_string",
)
LONGEST_LINE = 5_000  # characters; longer ones are data

Place = tuple[str, int]  # file and line
Line = tuple[Place, str]


@dataclass(frozen=True)
class Finding:
    """A text that looks like a secret.

    Attributes:
        digest: the first 16 hex digits of the value's SHA-256, by which `not_secret.yaml` knows it.
        where: first place, and the commit if it is in history.
    """

    kind: str
    digest: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.kind} (value {self.digest})"


def tree(repository: Path) -> Iterator[Line]:
    """Each line of each text file that git tracks or would add."""
    names = _git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return of_files(repository, filter(None, names))


def of_files(repository: Path, names: Iterable[str]) -> Iterator[Line]:
    """Each line of the text files among these."""
    for name in names:
        file = repository / name
        if file.is_file() and b"\0" not in (body := file.read_bytes())[:8000]:
            for number, line in enumerate(body.decode(errors="replace").splitlines(), start=1):
                yield (name, number), line


def history(repository: Path) -> Iterator[Line]:
    """Each line that a commit added, on any branch; the file's name has the commit behind it."""
    commit, name, number = "", "", 0
    for line in _git(
        repository, "log", "--all", "--no-color", "--no-ext-diff", "-p", "-U0", "--format=commit %H"
    ).splitlines():
        if line.startswith("commit "):
            commit = line.split()[1][:10]
        elif line.startswith("+++ "):
            name = line.removeprefix("+++ ").removeprefix("b/")
        elif begun := re.match(r"@@ -\S+ \+(\d+)", line):
            number = int(begun[1])
        elif line.startswith("+"):
            yield (f"{name}@{commit}", number), line[1:]
            number += 1


def find(lines: Iterable[Line]) -> tuple[list[Finding], int]:
    """What looks like a secret, each value once, and how many different lines were looked at."""
    found: dict[tuple[str, str], Finding] = {}
    seen: set[str] = set()
    with transient_settings({"plugins_used": [{"name": name} for name in _DETECTORS]}) as settings:
        settings.disable_filters(*settings.filters)
        settings.configure_filters([{"path": path} for path in _FILTERS])
        for (name, number), line in lines:
            if line in seen or len(line) > LONGEST_LINE:
                continue
            seen.add(line)
            for secret in scan_line(line):
                digest = hashlib.sha256((secret.secret_value or "").encode()).hexdigest()[:16]
                found.setdefault((secret.type, digest), Finding(secret.type, digest, f"{name}:{number}"))
    return list(found.values()), len(seen)


def allowed() -> dict[str, str]:
    """Digest of each value that is no secret -> the reason."""
    listed: dict[str, str] = yaml.safe_load(ALLOWED.read_text())
    return listed


def check_files(names: Iterable[str], repository: Path = REPOSITORY) -> bool:
    """Prints what is found in some files. True if nothing is a secret."""
    known = allowed()
    fresh = [one for one in find(of_files(repository, names))[0] if one.digest not in known]
    for one in fresh:
        print(one, file=sys.stderr)
    return not fresh


def check(repository: Path = REPOSITORY) -> bool:
    """Prints what was looked at and found. True if nothing is a secret.

    An entry of `not_secret.yaml` that nothing needs any more is refused as well: it would hide a later secret.
    """
    known, fine = allowed(), True
    used: set[str] = set()
    for title, lines in (("tree", tree(repository)), ("history", history(repository))):
        found, looked = find(lines)
        used |= {one.digest for one in found}
        fresh = [one for one in found if one.digest not in known]
        print(
            f"  secrets   {title}: {looked:,} different lines, {len(found) - len(fresh)} known to be none", flush=True
        )
        for one in fresh:
            print(f"    {one}", file=sys.stderr)
        fine = fine and not fresh and looked > 0
    for digest in known.keys() - used:
        print(f"    {ALLOWED.name}: nothing has the value {digest} any more, take it out", file=sys.stderr)
        fine = False
    return fine


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=repository, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(0 if (check_files(given) if given else check()) else 1)
