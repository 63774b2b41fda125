"""What the image starts."""

from __future__ import annotations

import json
import re

from infra.local.addresses import REPOSITORY

(_LINE,) = re.findall(r"^ENTRYPOINT (\[.+\])$", (REPOSITORY / "infra" / "containers" / "Dockerfile").read_text(), re.M)
ENTRY_POINT: list[str] = json.loads(_LINE)
