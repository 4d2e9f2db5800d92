"""C2PA: the seller's signature over a file that ships: what it is made from, and that it is whole.

C2PA Specification 2.1. It takes the extra ``vitrina[c2pa]`` and the seller's own certificate; no time server is asked.
Marketplaces that encode again drop it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitrina.codec.metadata import media_type
from vitrina.codec.xmp import source_type
from vitrina.errors import ResourceError
from vitrina.files import read_bytes

__all__ = ["Sign", "load_signer"]

Sign = Callable[[bytes, str], bytes]
"""A file and the generator that painted behind the piece (empty: none) → the same file, signed."""

_KINDS = ("ES256", "PS256", "ES384", "ED25519", "ES512", "PS384", "PS512")


def load_signer(certificate: Path, key: Path) -> Sign:
    """What signs with the certificate (PEM, the whole chain, the seller's first) and its private key (PEM, PKCS 8).

    Raises ResourceError when the library is not installed or takes neither of the kinds of key it knows.
    """
    try:
        import c2pa
    except ImportError as error:
        raise ResourceError(
            "VITRINA_C2PA_CERTIFICATE: signing needs the extra: pip install 'vitrina[c2pa]'."
        ) from error
    chain, secret = read_bytes(certificate), read_bytes(key)
    failed: Exception | None = None
    for kind in _KINDS:
        try:
            info = c2pa.C2paSignerInfo(alg=c2pa.C2paSigningAlg[kind], sign_cert=chain, private_key=secret, ta_url=None)
            c2pa.Signer.from_info(info).close()
        except c2pa.C2paError as error:
            failed = failed or error
            continue
        return lambda data, generator, info=info: _signed(data, generator, info)  # type: ignore[misc]
    raise ResourceError(
        f"{certificate}: cannot sign with {key.name} ({_words(failed)}). Give the chain as PEM and its key as PKCS 8 "
        f"PEM, of one of these kinds: {', '.join(_KINDS)}."
    )


def _signed(data: bytes, generator: str, info: Any) -> bytes:
    import c2pa

    # The claim's own thumbnail would be larger than some of our files.
    settings = c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})
    out, kind = io.BytesIO(), media_type(data)
    try:
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(_manifest(generator, kind)), c2pa.Context(settings)) as builder,
        ):
            builder.sign(signer, kind, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise ResourceError(
            f"VITRINA_C2PA_CERTIFICATE: the file could not be signed ({_words(error)}). Is the certificate valid, for "
            "signing (digitalSignature) and with its whole chain?"
        ) from error
    return out.getvalue()


def _manifest(generator: str, kind: str) -> dict[str, Any]:
    made = {"action": "c2pa.created", "digitalSourceType": source_type(generator)}
    if generator:
        made["softwareAgent"] = {"name": generator}  # type: ignore[assignment]
    return {
        "claim_generator_info": [{"name": "Vitrina"}],
        "format": kind,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}],
    }


def _words(error: Exception | None) -> str:
    return " ".join(str(error).split())[:200]
