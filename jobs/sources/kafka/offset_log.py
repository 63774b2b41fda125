"""Where Spark's batches end: it writes that into its checkpoint before it runs a batch.

A batch's messages alone don't tell its end: the marks of transactions have offsets too, and so have aborted messages.
"""

from __future__ import annotations

import json
from pathlib import Path


def ends(checkpoint: str, batch: int, topic: str) -> dict[int, int]:
    """The offset of each topic partition at which a batch of the one source ends.

    Args:
        checkpoint: folder of the query's checkpoint, on the driver's disk.
        batch: its number.
        topic: its name.
    """
    *_, offsets = Path(checkpoint, "offsets", str(batch)).read_text().splitlines()
    return {int(partition): offset for partition, offset in json.loads(offsets)[topic].items()}
