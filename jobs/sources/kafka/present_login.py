"""The log-in of a stream's session, and whether the secret has a newer one that works."""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaException

from jobs.lake.error_line import in_a_line
from jobs.lake.errors import LakeError
from jobs.sources.kafka import broker

LOOK_SECONDS = 60  # between two looks at the secret: 0.22 dollars a month


class PresentLogin:
    """What the secret has now.

    Attributes:
        login: that a session uses until its end.
    """

    def __init__(self, topic: str) -> None:
        """Reads the secret; raises as `Login.from_secret` does."""
        self.login = broker.Login.from_secret()
        self._topic = topic
        self._looked = time.monotonic()

    def is_past(self) -> bool:
        """Whether the secret has another log-in with which the brokers answer about the topic.

        Looks once a minute. A secret that can't be read or a log-in that does not work is told, and stops nothing:
        the present one may be good for a long time.
        """
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        try:
            found = broker.Login.from_secret()
            if found == self.login:
                return False
            with found.consumer() as consumer:
                broker.bounds(consumer, self._topic)
        except (LakeError, BotoCoreError, ClientError, KafkaException, UnicodeError) as error:
            print(f"{self._topic}: goes on with the log-in that it has. {in_a_line(error)}", flush=True)
            return False
        print(f"{self._topic}: takes the new log-in of the secret", flush=True)
        return True
