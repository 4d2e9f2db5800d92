"""The house that the verbs work in: settings, records, archive, clock, and who is acting."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vitrina import access
from vitrina.actions.announce import OF_VERBS, announce
from vitrina.backends.blobs import FolderBlobs
from vitrina.config import Config
from vitrina.errors import Missing, NotAllowed, UsageError
from vitrina.plugins import BlobStore, plugin
from vitrina.stages.rights import UNSTATED, Rights
from vitrina.store import Connection, Row, events, people, skus
from vitrina.store.engine import Store, open_store

if TYPE_CHECKING:
    from vitrina.drafts import Imprint
    from vitrina.rules.pack import Pack

Judge = Callable[[bytes, bytes, bytes], dict[str, Any]]
"""Source bytes, edit bytes and facts (TOML) → the document of `verify`."""
Rules = Callable[[bytes, str, str, str], dict[str, Any]]
"""Picture bytes, marketplace, slot and file name → the document of `rules check`."""


@dataclass(frozen=True, slots=True)
class Program:
    """What the program itself does to pictures; tests put something quicker in its place."""

    judge: Judge
    check_rules: Rules
    pack_version: Callable[[str], str]
    """The edition of a marketplace's rules; reading the same rules again does not change it."""
    make_card: Callable[[CardRequest], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CardRequest:
    """A card to be made: the photos' files, the folder to make it in, the recipe and the facts (TOML)."""

    sku: str
    photos: tuple[Path, ...]
    folder: Path
    recipe: Mapping[str, Any]
    facts: bytes
    max_megapixels: float
    rights: Mapping[str, Rights] = field(default_factory=dict)
    """Whose the photos are, by their digests; of the others nothing was said."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything a verb needs."""

    config: Config
    store: Store
    originals: BlobStore
    works: BlobStore
    person: str | None
    clock: Callable[[], datetime]
    program: Program

    def now(self) -> str:
        """The time, as the records have it: UTC, ISO 8601, to the microsecond."""
        return self.clock().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def acting_as(self, person: str) -> House:
        """The same house with somebody else at the desk."""
        from dataclasses import replace

        return replace(self, person=person)


def open_blobs(config: Config, *, room: str = "originals") -> BlobStore:
    """Where the bytes of `room` are kept: a folder of the home, or a bucket."""
    if config.blobs is None:
        return FolderBlobs(config.home, room)
    return cast(Callable[[str, str], BlobStore], plugin("blobs", "s3"))(config.blobs, room)


@contextmanager
def open_house(config: Config, *, person: str | None = None) -> Iterator[House]:
    """The house of `config`; `person` (``--as``) goes before VITRINA_USER."""
    store = open_store(config)
    try:
        yield House(
            config,
            store,
            open_blobs(config),
            open_blobs(config, room="works"),
            person or config.user,
            lambda: datetime.now(UTC),
            the_program(config),
        )
    finally:
        store.close()


def actor(conn: Connection, house: House, permission: str) -> str:
    """The name of the person who acts, allowed to do `permission`; raises NotAllowed saying what is lacking.

    While nobody is registered the house is open for drafts: the person is then the account's name, in brackets.
    """
    everyone = people.everyone(conn)
    if not everyone:
        if permission in access.OPEN_HOUSE:
            return f"({_account()})"
        raise NotAllowed(
            f"nobody is registered yet, so nobody may {access.PERMISSIONS[permission]}: the role "
            f"{' or '.join(access.holders(permission))} is lacking. "
            "Begin with an admin: vitrina people add NAME --role admin"
        )
    if house.person is None:
        raise NotAllowed(
            f"say who you are to {access.PERMISSIONS[permission]}: --as NAME or VITRINA_USER. "
            f"The role {' or '.join(access.holders(permission))} is needed."
        )
    if house.person not in everyone:
        raise NotAllowed(
            f"{house.person} is not registered, so no role is theirs. "
            f"An admin adds them: vitrina people add {house.person!r} --role {access.holders(permission)[0]}"
        )
    policy = {what: people.policy(conn, f"{what}_roles") for what in ("export", "publish")}
    access.require(house.person, everyone[house.person], permission, policy=policy)
    return house.person


def holds(conn: Connection, house: House, permission: str) -> bool:
    """Whether the person at the desk may do `permission`."""
    found = people.get(conn, house.person or "")
    return found is not None and access.may(found[1], permission)


def sku_called(conn: Connection, code: str) -> Row[Any]:
    """The SKU's record; raises Missing."""
    row = skus.get(conn, code)
    if row is None:
        raise Missing(f"there is no SKU {code!r} in the catalogue. Add it: vitrina sku add {code}")
    return row


def log(
    conn: Connection,
    house: House,
    person: str,
    verb: str,
    subject: str,
    *,
    digests: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an event of this moment into the ledger, and tell the webhooks that listen to such."""
    at = house.now()
    events.append(conn, at=at, person=person, verb=verb, subject=subject, digests=digests, details=details)
    if verb in OF_VERBS:
        announce(conn, OF_VERBS[verb], subject, details or {}, at=at)


def verify_bytes(source: bytes, edit: bytes, facts: bytes) -> dict[str, Any]:
    """The document of `verify` for pictures that are in the archive."""
    from vitrina import steps
    from vitrina.stages.verify import load_facts

    told = load_facts(facts, name="the SKU's facts") if facts.strip() else None
    before, after = steps.take_in(source, name="source"), steps.take_in(edit, name="edit")
    return steps.verify(before, after, facts=told).as_dict()


def the_program(config: Config) -> Program:
    """The program itself, by the rule packs in effect in the home of `config`."""
    from vitrina.actions.rule_packs import packs_of

    pack_of = packs_of(config)

    def check_rules(data: bytes, market: str, slot: str, name: str) -> dict[str, Any]:
        from vitrina import steps

        return steps.check_rules(data, market=pack_of(market), slot=slot, name=name).as_dict()

    return Program(
        verify_bytes,
        check_rules,
        lambda market: pack_of(market).edition,
        lambda request: make_card(request, pack_of, imprint_of(config)),
    )


def imprint_of(config: Config) -> Imprint:
    """What the settings put into every file; raises ResourceError for a certificate that cannot sign."""
    from vitrina.drafts import Imprint

    if config.certificate is None:
        return Imprint(config.rights)
    from vitrina.backends.signing import load_signer

    if config.certificate_key is None:
        raise UsageError(
            "VITRINA_C2PA_CERTIFICATE is set and VITRINA_C2PA_KEY is not. Name the file of the private key."
        )
    return Imprint(config.rights, load_signer(config.certificate, config.certificate_key))


def make_card(request: CardRequest, pack_of: Callable[[str], Pack], imprint: Imprint) -> dict[str, Any]:
    """A card, made in `request.folder` by the pipeline; its document."""
    from vitrina import pipeline, steps
    from vitrina.stages.strokes import read_strokes
    from vitrina.stages.verify import load_facts

    recipe = request.recipe
    order = pipeline.CardOrder(
        photos=request.photos,
        sku=request.sku,
        out=request.folder,
        mode=recipe.get("mode", "exact"),
        looks=tuple(recipe.get("looks", ("white", "grey"))),
        markets=tuple(recipe.get("markets", ("kaspi", "wildberries", "ozon", "etsy", "ebay"))),
        force=bool(recipe.get("force", False)),
        max_megapixels=request.max_megapixels,
        facts=load_facts(request.facts, name=f"the facts of {request.sku}") if request.facts.strip() else None,
        strokes={digest: read_strokes(told) for digest, told in recipe.get("strokes", {}).items()},
        pack_of=pack_of,
        imprint=imprint,
        rights_of=lambda digest: request.rights.get(digest, UNSTATED),
    )
    blobs = FolderBlobs(request.folder.parent / "archive")  # the originals are in the archive of the house already
    return pipeline.make_card(order, blobs=blobs, finder=steps.segmenter(), clock=lambda: datetime.now(UTC))


def basis_of(house: House, sku: Row[Any], source: Row[Any], markets: Iterable[str]) -> dict[str, Any]:
    """What an approval of a picture made from the photo `source` rests on at this moment."""
    return {
        "facts": dict(sku.facts),
        "factory": sku.factory,
        "stone_batch": sku.stone_batch,
        "source": source.digest if source.replaced_at is None else "",
        "packs": {market: house.program.pack_version(market) for market in sorted(markets)},
    }


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "nobody"
