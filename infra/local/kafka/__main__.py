"""`python -m infra.local.kafka`: Apache Kafka itself, in KRaft mode, from its Maven jars.

Makes what the broker needs (certificates, configuration, a formatted log folder) and then becomes the broker.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from infra.local.addresses import Addresses
from infra.local.kafka import certificates, properties
from infra.setup import jars, java

# 0.4 GB resident, 6 s to ready.
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
)


def prepare(addresses: Addresses, command: tuple[str, ...]) -> Path:
    """Writes certificates and configuration, and at the first start formats the log folder.

    Args:
        addresses: the platform's.
        command: `java` with the broker's jars.

    Returns:
        The configuration file.
    """
    home = addresses.home / "kafka"
    home.mkdir(parents=True, exist_ok=True)
    keystore = home / "broker.pem"
    certificates.ensure(addresses.kafka_authority, keystore)
    configuration = home / "server.properties"
    configuration.touch(mode=0o600)  # it holds the log-in
    configuration.write_text(properties.text(addresses, home / "log", keystore))
    if not (home / "log" / "meta.properties").is_file():
        tool = (*command, "kafka.tools.StorageTool")
        cluster = subprocess.run([*tool, "random-uuid"], check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run([*tool, "format", "--standalone", "-t", cluster, "-c", str(configuration)], check=True)
    return configuration


def main() -> None:
    """Becomes the broker: to stop this process is to stop the broker."""
    command = (java.check(), *JVM, *LOGGING, "-cp", f"{jars.folder(jars.BROKER)}/*")
    configuration = prepare(Addresses.from_environment(), command)
    os.execv(command[0], [*command, "kafka.Kafka", str(configuration)])


if __name__ == "__main__":
    main()
