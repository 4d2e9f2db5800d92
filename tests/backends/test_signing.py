"""C2PA with a certificate of our own making: it tells what a file is made from and breaks with a changed byte."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.rules.pictures import canvas, encoded
from vitrina.backends.signing import load_signer
from vitrina.errors import ResourceError
from vitrina.model import Size

PEM = serialization.Encoding.PEM
FOR_CLAIMS = [ExtendedKeyUsageOID.EMAIL_PROTECTION]


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str, *, is_root: bool
) -> bytes:
    """A certificate as C2PA 2.1 wants it (14.5): a root that signs others, or a leaf that signs claims."""
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    subject, signer = (
        x509.Name([x509.NameAttribute(of, said) for of in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)])
        for said in (name, issuer)
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, **uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage(FOR_CLAIMS), critical=False)
    return made.sign(by, hashes.SHA256()).public_bytes(PEM)


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A chain and its key."""
    folder = tmp_path_factory.mktemp("certificates")
    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = certificate("Atelier Aru", leaf, root, "Test Root", is_root=False)
    chain += certificate("Test Root", root, root, "Test Root", is_root=True)
    (folder / "chain.pem").write_bytes(chain)
    secret = leaf.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "leaf.key").write_bytes(secret)
    return folder / "chain.pem", folder / "leaf.key"


def read(data: bytes, kind: str = "image/jpeg") -> dict[str, object]:
    with c2pa.Reader(kind, io.BytesIO(data)) as reader:
        found: dict[str, object] = json.loads(reader.json())
    return found


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_other_formats_are_signed_too(kind: str, seller: tuple[Path, Path]) -> None:
    signed = load_signer(*seller)(encoded(canvas(Size(300, 300)), format=kind), "")
    assert read(signed, f"image/{kind.lower()}")["validation_state"] == "Valid"


def test_a_signed_file_tells_what_it_is_made_from(seller: tuple[Path, Path]) -> None:
    data = encoded(canvas(Size(300, 300)))
    sign = load_signer(*seller)
    for generator, kind in (("", "algorithmicallyEnhanced"), ("Painter 3", "compositeWithTrainedAlgorithmicMedia")):
        signed = sign(data, generator)
        assert 0 < len(signed) - len(data) < 20_000, "no thumbnail inside"
        told = read(signed)
        assert told["validation_state"] == "Valid"
        text = json.dumps(told)
        assert kind in text and "Atelier Aru" in text and (generator in text)


def test_a_changed_byte_breaks_it(seller: tuple[Path, Path]) -> None:
    signed = bytearray(load_signer(*seller)(encoded(canvas(Size(300, 300))), ""))
    signed[-200] ^= 1
    told = read(bytes(signed))
    assert told["validation_state"] == "Invalid" and "assertion.dataHash.mismatch" in json.dumps(told)


def test_what_cannot_sign_is_refused_with_what_is_wanted(tmp_path: Path) -> None:
    for name in ("chain.pem", "leaf.key"):
        (tmp_path / name).write_text("no certificate")
    with pytest.raises(ResourceError, match=r"cannot sign with leaf\.key"):
        load_signer(tmp_path / "chain.pem", tmp_path / "leaf.key")(encoded(canvas(Size(64, 64))), "")
