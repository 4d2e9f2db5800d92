"""An OpenID Connect provider: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3

from vitrina.errors import Busy, NotSignedIn, ResourceError, UsageError

TIMEOUT_S = 15.0
MOST_BYTES = 2**20
LEEWAY_S = 120
"""How far the provider's clock and ours may be apart."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that are taken; never "none", never one by a shared secret."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Account:
    """Who signed in at the provider: `subject` is theirs for ever, `name` only for reading."""

    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider by its issuer, and who we are there. Raises UsageError for an issuer that is not https."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if not parts.hostname or not (parts.scheme == "https" or parts.hostname in _LOCAL):
            raise UsageError(f"VITRINA_OIDC_ISSUER: {self.issuer!r} is not an https address.")

    @property
    def name(self) -> str:
        """What people call it."""
        return urlsplit(self.issuer).hostname or self.issuer

    def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the visitor is sent to sign in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": redirect_uri,
            "scope": "openid profile", "state": state, "nonce": nonce, "code_challenge": challenge,
            "code_challenge_method": "S256",
        }  # fmt: skip
        where = self._about()["authorization_endpoint"]
        return f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"

    def account(self, code: str, *, redirect_uri: str, nonce: str, verifier: str, now: datetime) -> Account:
        """Who the visitor is, by the code they brought. Raises NotSignedIn when the provider's word fails."""
        about = self._about()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
                "client_id": self.client_id, "client_secret": self.client_secret,
                "code_verifier": verifier}  # fmt: skip
        answer = _ask("POST", about["token_endpoint"], form)
        claims = self._claims(str(answer.get("id_token", "")), _ask("GET", about["jwks_uri"]), nonce=nonce, now=now)
        name = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        return Account(str(claims["sub"])[:255], str(name)[:200])

    def _about(self) -> Mapping[str, Any]:
        about = _ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        wanted = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
        if any(not isinstance(about.get(key), str) for key in wanted) or about["issuer"] != self.issuer:
            raise ResourceError(
                f"{self.issuer}: its description is of {about.get('issuer')!r}. Set VITRINA_OIDC_ISSUER "
                "to exactly what the provider calls itself."
            )
        return about

    def _claims(self, token: str, keys: Mapping[str, Any], *, nonce: str, now: datetime) -> Mapping[str, Any]:
        """What a token says, once its signature, issuer, audience, time and nonce are right."""
        try:
            from joserfc import jwt
            from joserfc.errors import JoseError
            from joserfc.jwk import KeySet
        except ImportError as error:
            raise ResourceError("signing in by a provider needs the extra: pip install 'vitrina[oidc]'") from error
        try:
            known = KeySet.import_key_set(dict(keys))  # type: ignore[arg-type]
            claims = jwt.decode(token, known, algorithms=list(ALGORITHMS)).claims
            rules = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()), leeway=LEEWAY_S,
                iss={"essential": True, "value": self.issuer}, aud={"essential": True, "value": self.client_id},
                exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )  # fmt: skip
            rules.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotSignedIn(f"{self.name}: its word does not hold ({type(error).__name__}). Try again.") from error
        others = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if len(others) > 1 and claims.get("azp") != self.client_id:
            raise NotSignedIn(f"{self.name}: its word is for {len(others)} programs and not from us. Try again.")
        return claims


def _ask(method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A JSON answer. Raises NotSignedIn for a refused code, Busy when the provider does not answer."""
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOCAL:
        raise ResourceError(f"{url[:200]}: not https; the provider must not name such an address.")
    body = urlencode(form).encode() if form else None
    headers = {"Accept": "application/json", **({"Content-Type": "application/x-www-form-urlencoded"} if form else {})}
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pool:
        try:
            answer = pool.request(method, url, body=body, headers=headers, redirect=False, preload_content=False)
            data = answer.read(MOST_BYTES)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Busy(f"{urlsplit(url).hostname} does not answer ({error}). Try again, or use a password.") from error
    if form and 400 <= answer.status < 500:
        raise NotSignedIn(f"{urlsplit(url).hostname} refused the code ({answer.status}). Sign in there again.")
    try:
        document = json.loads(data) if answer.status == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Busy(f"{urlsplit(url).hostname} answered {answer.status} and nothing that can be read. Try again later.")
    return document
