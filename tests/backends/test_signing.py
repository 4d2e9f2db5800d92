"""C2PA with a certificate of our own making: it tells what a file is made from and breaks with a changed byte."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rules.pictures import canvas, encoded
from vitrina.backends.signing import load_signer
from vitrina.errors import ResourceError
from vitrina.model import Size

c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the test's certificates")

LEAF = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


@pytest.fixture(scope="module")
def seller(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A chain and its key."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("root", "leaf"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", f"{name}.key")
    openssl(
        "req", "-x509", "-new", "-key", "root.key", "-days", "30", "-subj", "/CN=Test Root", "-out", "root.pem",
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    (folder / "leaf.ext").write_text(LEAF)
    openssl("req", "-new", "-key", "leaf.key", "-subj", "/CN=Atelier Aru/O=Atelier Aru", "-out", "leaf.csr")
    openssl(
        "x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "7", "-days", "30",
        "-extfile", "leaf.ext", "-out", "leaf.pem",
    )  # fmt: skip
    (folder / "chain.pem").write_bytes((folder / "leaf.pem").read_bytes() + (folder / "root.pem").read_bytes())
    return folder / "chain.pem", folder / "leaf.key"


def read(data: bytes) -> dict[str, object]:
    with c2pa.Reader("image/jpeg", io.BytesIO(data)) as reader:
        found: dict[str, object] = json.loads(reader.json())
    return found


@needs_openssl
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


@needs_openssl
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
