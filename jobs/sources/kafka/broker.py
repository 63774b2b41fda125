"""How jobs log in to the brokers, and what they ask them directly: a topic's id, the bounds of its partitions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import TimeoutError
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError
from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from jobs.lake import s3, settings
from jobs.lake.errors import ConfigurationError, TransientError
from jobs.sources import credentials

KEYS = ("bootstrap_servers", "api_key", "api_secret", "group_id")
SECONDS = 15.0  # for one answer
_NO_ID = "A" * 22  # sixteen zero bytes: what brokers without topic ids answer
_JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True)
class Bounds:
    """The offsets that Kafka has of a topic partition: from `first` up to `end`, without `end` itself."""

    first: int
    end: int


@dataclass(frozen=True)
class Login:
    """How clients reach the brokers: by SASL_SSL with the secret's key.

    Attributes:
        servers: `host:port`, separated by commas.
        key: of the API.
        secret: of the API; it appears in no log, no conf and no repr.
        group: prefix of consumer groups.
        authority: certificates of the brokers' authority, as PEM text; None for the public authorities.
    """

    servers: str
    key: str
    secret: str = field(repr=False)
    group: str
    authority: str | None

    @classmethod
    def from_secret(cls) -> Login:
        """The log-in of `<project>/kafka/credentials`.

        Raises:
            ConfigurationError: the secret is missing or lacks a key, or the authority's file can't be read.
        """
        found = credentials.read("kafka", KEYS)
        return cls(
            servers=found["bootstrap_servers"],
            key=found["api_key"],
            secret=found["api_secret"],
            group=found["group_id"],
            authority=_authority(settings.replacement("KAFKA_SSL_CA_FILE")),
        )

    def spark_options(self) -> dict[str, str]:
        """Options of Spark's Kafka source. `jobs.lake.session` hides the password in plans, UI and event logs."""
        login = f'username="{_quoted(self.key)}" password="{_quoted(self.secret)}"'
        options = {
            "kafka.bootstrap.servers": self.servers,
            "kafka.security.protocol": "SASL_SSL",
            "kafka.sasl.mechanism": "PLAIN",
            "kafka.sasl.jaas.config": f"{_JAAS} required {login};",
            # Messages of an aborted transaction were never sent.
            "kafka.isolation.level": "read_committed",
            "groupIdPrefix": self.group,
        }
        if self.authority:
            options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.certificates": self.authority}
        return options

    @contextmanager
    def consumer(self, **other: bool | str) -> Iterator[Consumer]:
        """A client that joins no group.

        Args:
            other: options beside the log-in; none for questions about a topic alone.
        """
        options = {"group.id": f"{self.group}-lag", "enable.auto.commit": False, "isolation.level": "read_committed"}
        client = Consumer({**self._client_options(), **options, **other})
        try:
            yield client
        finally:
            client.close()

    def admin(self) -> AdminClient:
        """A client for questions about topics that a consumer can't ask."""
        return AdminClient({**self._client_options()})

    def _client_options(self) -> dict[str, str | int | bool]:
        options: dict[str, str | int | bool] = {
            "bootstrap.servers": self.servers,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": self.key,
            "sasl.password": self.secret,
            "log_level": 0,  # otherwise it prints a line a second while a broker is down
        }
        return options | ({"ssl.ca.pem": self.authority} if self.authority else {})


def topic_id(admin: AdminClient, topic: str) -> str:
    """The id that Kafka gave the topic when it was created: a topic made anew under the same name has another.

    Empty for brokers without topic ids (before Kafka 2.8).

    Raises:
        TransientError: the brokers don't say it.
    """
    try:
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=SECONDS)
        found = str(asked[topic].result(SECONDS + 1).topic_id)
    except (KafkaException, TimeoutError) as error:
        said = error.args[0].str() if isinstance(error, KafkaException) else "no answer"
        raise TransientError(f"kafka: the id of topic {topic} is not known ({said}). Sluice will try again.") from error
    return "" if found == _NO_ID else found


def bounds(consumer: Consumer, topic: str) -> dict[int, Bounds]:
    """First and end offset of each topic partition.

    Raises:
        ConfigurationError: there is no such topic.
        TransientError: the brokers don't answer; a wrong log-in looks the same.
    """
    try:
        known = consumer.list_topics(topic, SECONDS).topics[topic]
        if known.error is not None:
            raise ConfigurationError(
                f"kafka: topic {topic} can't be read ({known.error.str()}). Create it, or allow the secret's key to "
                "read it; then start the stream again."
            )
        found = {}
        for partition in known.partitions:
            answer = consumer.get_watermark_offsets(TopicPartition(topic, partition), SECONDS)
            if answer is None:
                raise TransientError(
                    f"kafka: no answer about topic partition {partition} of {topic}. Sluice will try again."
                )
            found[partition] = Bounds(*answer)
        return found
    except KafkaException as error:
        raise TransientError(
            f"kafka: the brokers don't answer ({error.args[0].str()}). Sluice will try again. If it keeps failing, "
            "check bootstrap_servers, api_key and api_secret of the secret, and that the network reaches the brokers."
        ) from error


def bounds_if_any(consumer: Consumer, topic: str) -> dict[int, Bounds]:
    """`bounds` of a topic that may be gone, or closed to us: then none."""
    try:
        return bounds(consumer, topic)
    except ConfigurationError:
        return {}


def _authority(place: str | None) -> str | None:
    """The certificates of a file, `s3://` or of this machine.

    They go to clients as text: an executor on another machine has no file of the driver's.
    """
    if not place:
        return None
    try:
        if place.startswith("s3://"):
            bucket, _, key = place.removeprefix("s3://").partition("/")
            return bytes(s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()).decode()
        return Path(place).read_text()
    except (OSError, ClientError) as error:
        raise ConfigurationError(f"kafka: KAFKA_SSL_CA_FILE is {place}, which can't be read: {error}") from error


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
