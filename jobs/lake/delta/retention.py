"""How long a table's log is kept, and how often it gets a checkpoint: a fact of the kind of table.

Delta deletes a log entry when it is older than the retention and a later checkpoint exists. So the newest commit of a
quiet table stays only until others, such as compactions, bring the next checkpoint. What a step has read is in its
newest commit: where that is gone, the step reads everything again, with the same result and at full cost.

Tables that exist already get the properties that they lack, in one commit, when their step next runs. A property that
is there stays as it is, whoever set it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.lake.delta import log

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # who needs the figures alone has no Spark


@dataclass(frozen=True)
class LogRetention:
    """What Delta keeps of a table's log.

    Attributes:
        days: that an entry is kept at least.
        checkpoint_every: commits from one checkpoint to the next.
    """

    days: int
    checkpoint_every: int

    def properties(self) -> dict[str, str]:
        """As Delta names them."""
        return {
            "delta.logRetentionDuration": f"interval {self.days} days",
            "delta.checkpointInterval": str(self.checkpoint_every),
        }


# A source may be read once a year. Until its next read, weekly compactions must not push the newest one out of the log:
# with Delta's 30 days they do after ten weeks. A commit every 15 minutes makes 38,000 entries in this time.
BATCHES = LogRetention(days=400, checkpoint_every=10)
# A commit every five seconds makes 140,000 entries in eight days; 30 days would be half a million, and each clean-up
# lists them all, at each checkpoint. Beyond seven days VACUUM has removed what a change feed or a RESTORE needs
# (`changes.FILES_KEPT`), and the position is that of the newest batch, or of the rows.
STREAM = LogRetention(days=8, checkpoint_every=100)


def complete(spark: SparkSession, uri: str, kept: LogRetention) -> None:
    """Sets the properties that an existing table lacks. It does nothing from the second time on."""
    present = log.properties(uri)
    lacking = [f"'{name}' = '{value}'" for name, value in kept.properties().items() if name not in present]
    if lacking:
        spark.sql(f"ALTER TABLE delta.`{uri}` SET TBLPROPERTIES ({', '.join(lacking)})")
