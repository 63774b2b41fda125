"""The broker's TLS identity: the platform's own authority, and a certificate for 127.0.0.1 that it signed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.local.addresses import HOST

VALID = timedelta(days=3650)  # longer than any laptop's platform lives


def ensure(authority: Path, keystore: Path) -> None:
    """Makes the PEM files if they are missing: the authority's certificate, and the broker's key with its chain."""
    if authority.is_file() and keystore.is_file():
        return
    authority_key, broker_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("Sluice local authority")
    root = (
        _certificate(issuer, issuer, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    leaf = (
        _certificate(_name(HOST), issuer, broker_key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = broker_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = b"".join(part.public_bytes(serialization.Encoding.PEM) for part in (leaf, root))
    descriptor = os.open(keystore, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + chain)
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    begun = datetime.now(UTC) - timedelta(hours=1)  # clocks may differ
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + VALID)
    )
