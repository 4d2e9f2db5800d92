"""Coming in by an OpenID provider: an account there is connected by the person themselves, and opens the door after.

Nobody is let in by an address or a name that a provider tells: only by an account that somebody in the house connected.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vitrina.actions.doors import begin_session
from vitrina.actions.house import House, actor, log
from vitrina.backends.oidc import Provider
from vitrina.errors import Conflict, Missing, NotSignedIn
from vitrina.store import identities, people


@dataclass(frozen=True, slots=True)
class Errand:
    """What a visitor carries to the provider and back, in a cookie that no script reads."""

    state: str
    nonce: str
    verifier: str
    connects: bool
    after: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def provider_of(house: House) -> Provider | None:
    """The provider that the settings name; None when they name none."""
    config = house.config
    if not config.oidc_issuer:
        return None
    return Provider(config.oidc_issuer, config.oidc_client_id, config.oidc_client_secret)


def list_provider(house: House) -> str:
    """The provider's name; empty when there is none."""
    provider = provider_of(house)
    return provider.name if provider is not None else ""


def set_out(house: House, *, redirect_uri: str, connects: bool, after: str) -> tuple[str, Errand]:
    """Where the visitor goes, and what they carry. Raises Missing when no provider is set."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    errand = Errand(state, nonce, verifier, connects, after)
    where = _provider(house).address(
        redirect_uri=redirect_uri, state=errand.state, nonce=errand.nonce, verifier=errand.verifier
    )
    return where, errand


def come_back(
    house: House, errand: Errand | None, query: Mapping[str, str], *, redirect_uri: str, address: str
) -> str | None:
    """Finish an errand: a new session's secret, or None when the person at the desk connected an account.

    Raises NotSignedIn when the provider's word does not hold or the account is nobody's here, Conflict when it is
    somebody else's.
    """
    provider = _provider(house)
    if errand is None or not hmac.compare_digest(errand.state.encode(), query.get("state", "").encode()):
        raise NotSignedIn("this answer belongs to no question of ours. Begin again on the sign-in page.")
    if query.get("error") or not query.get("code"):
        raise NotSignedIn(f"{provider.name} did not let you in ({query.get('error', 'no code')[:60]}).")
    account = provider.account(
        query["code"], redirect_uri=redirect_uri, nonce=errand.nonce, verifier=errand.verifier, now=house.clock()
    )
    details = {"by": provider.issuer, "account": account.name, "address": address}
    with house.store.writing() as conn:
        known = identities.find(conn, provider.issuer, account.subject)
        if errand.connects:
            person = actor(conn, house, "read")
            if known is not None and known.person != person:
                raise Conflict(f"this account of {provider.name} is {known.person}'s already.")
            found = people.get(conn, person)
            if known is None and found is not None:
                identities.add(
                    conn, found[0], issuer=provider.issuer, subject=account.subject, name=account.name, at=house.now()
                )
                log(conn, house, person, "door.connect", f"person/{person}", details=details)
            return None
        if known is None:
            log(conn, house, "(nobody)", "door.refuse", "person/(a stranger)", details=details)
        else:
            identities.touch(conn, known.id, at=house.now())
            log(conn, house, known.person, "door.open", f"person/{known.person}", details=details)
            return begin_session(conn, house, known.person)
    raise NotSignedIn(
        f"this account of {provider.name} is nobody's here yet. Sign in with your password and connect it on your own "
        "page, or ask an admin for an invitation."
    )


def list_accounts(house: House) -> dict[str, Any]:
    """The accounts by which the person at the desk comes in, and the provider that there is."""
    provider = provider_of(house)
    with house.store.reading() as conn:
        found = people.get(conn, actor(conn, house, "read"))
        rows = identities.of_person(conn, found[0]) if found is not None else []
    told = [{"account": r.id, "name": r.name, "issuer": r.issuer, "made_at": r.made_at, "used_at": r.used_at}
            for r in rows]  # fmt: skip
    return {"schema": "vitrina.accounts/1", "provider": provider.name if provider else None, "accounts": told}


def disconnect(house: House, number: int) -> None:
    """Nobody comes in by this account any more; raises Missing for somebody else's."""
    with house.store.writing() as conn:
        person = actor(conn, house, "read")
        found = people.get(conn, person)
        rows = {row.id: row for row in identities.of_person(conn, found[0])} if found is not None else {}
        if number not in rows:
            raise Missing(f"you have no account {number}.")
        identities.end(conn, number)
        details = {"by": rows[number].issuer, "account": rows[number].name}
        log(conn, house, person, "door.disconnect", f"person/{person}", details=details)


def _provider(house: House) -> Provider:
    provider = provider_of(house)
    if provider is None:
        raise Missing("no provider is set (VITRINA_OIDC_ISSUER). Sign in with your password.")
    return provider
