"""Whatever people of whatever roles do, in whatever order: nothing unapproved goes out, and the ledger stays whole.

The test keeps its own account of who approved which bytes since what they rest on last changed, and holds every export
against it.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.house import CREW, WARN, Opinions, a_house, hire, picture
from vitrina.actions import gate, pictures, release, skus
from vitrina.actions.house import House
from vitrina.errors import NotAllowed, VitrinaError
from vitrina.store import events

CODES = ("PLAIN", "TOP")


@dataclass
class Account:
    """What the test itself knows: approvals and rejections by picture, since its SKU's basis last changed."""

    shades: Iterator[int] = field(default_factory=lambda: itertools.count(10))
    approved: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    rejected: set[tuple[str, str]] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    planted: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    exports: int = 0

    def basis_changed(self, code: str) -> None:
        for key in [key for key in self.approved if key[0] == code]:
            del self.approved[key]


class World:
    """The house, the account, and everything that can be done in it."""

    def __init__(self, house: House, opinions: Opinions, folder: Path) -> None:
        self.house, self.opinions, self.folder = house, opinions, folder
        self.account = Account()
        hire(house)
        for code in CODES:
            top = "yes" if code == "TOP" else ""
            skus.put_sku(house.acting_as("Phil"), {"sku": code, "piece_type": "ring", "top": top}, is_new=True)
            pictures.import_photo(house.acting_as("Phil"), code, self.file())

    def file(self) -> Path:
        shade = next(self.account.shades)
        path = self.folder / f"{shade}.png"
        path.write_bytes(picture(shade))
        return path

    def import_variant(self, who: str, code: str) -> None:
        path = self.file()
        pictures.import_variant(self.house.acting_as(who), code, path, tool="Other")
        if self.opinions.findings:
            self.account.doubtful.add(hashlib.sha256(path.read_bytes()).hexdigest())

    def submit(self, who: str, code: str) -> None:
        pictures.submit(self.house.acting_as(who), code)

    def approve(self, who: str, code: str, *, looks: bool = True) -> None:
        person = self.house.acting_as(who)
        if looks:
            for item in gate.show_checklist(person, code)["variants"]:
                gate.answer(person, code, [line["line"] for line in item["lines"]], yes=True, number=item["variant"])
        for item in gate.approve(person, code)["decided"]:
            assert "reviewer" in CREW[who]
            assert looks or item["digest"] in {d for (c, d), people in self.account.approved.items() if who in people}
            self.account.approved[code, item["digest"]].add(who)

    def reject(self, who: str, code: str) -> None:
        for item in gate.reject(self.house.acting_as(who), code, reason="other")["decided"]:
            self.account.rejected.add((code, item["digest"]))

    def change_facts(self, who: str, code: str) -> None:
        stones = f"{next(self.account.shades)} ruby"
        skus.put_sku(self.house.acting_as(who), {"sku": code, "stones": stones}, is_new=False)
        self.account.basis_changed(code)

    def change_factory(self, who: str, code: str) -> None:
        cells = {"sku": code, "factory": str(next(self.account.shades))}
        skus.put_sku(self.house.acting_as(who), cells, is_new=False)
        self.account.basis_changed(code)

    def replace_photo(self, who: str, code: str) -> None:
        photos = skus.show_sku(self.house.acting_as("Aud"), code)["photos"]
        last = [photo["digest"] for photo in photos if photo["replaced_at"] is None][-1]
        pictures.import_photo(self.house.acting_as(who), code, self.file(), replaces=last)
        self.account.basis_changed(code)

    def plant(self, who: str, code: str) -> None:
        path = self.file()
        gate.plant(self.house.acting_as(who), code, path, fault="bad")
        self.account.planted.add(hashlib.sha256(path.read_bytes()).hexdigest())

    def damage(self, _who: str, code: str) -> None:
        """Somebody writes other bytes over an archived picture."""
        for variant in skus.show_sku(self.house.acting_as("Aud"), code)["variants"][-1:]:
            digest = variant["digest"]
            path = self.house.config.home / "works" / "sha256" / digest[:2] / digest[2:4] / digest
            path.chmod(0o644)
            path.write_bytes(picture(1))
            self.account.damaged.add(digest)

    def doubt(self, _who: str, _code: str) -> None:
        self.opinions.findings = [] if self.opinions.findings else [WARN]

    def export(self, who: str, code: str) -> None:
        folder = self.house.config.home / "out" / code
        shutil.rmtree(folder, ignore_errors=True)
        try:
            release.export(self.house.acting_as(who), code, market="kaspi", out=folder)
        finally:
            went_out = list(folder.rglob("*")) if folder.exists() else []
            for path in went_out:
                self.hold(who, code, hashlib.sha256(path.read_bytes()).hexdigest())

    def hold(self, who: str, code: str, digest: str) -> None:
        """A file went out: was it allowed to?"""
        account = self.account
        assert "publisher" in CREW[who]
        assert digest not in account.planted | account.damaged
        assert (code, digest) not in account.rejected
        needed = 2 if code == "TOP" or digest in account.doubtful else 1
        assert len(account.approved[code, digest]) >= needed
        account.exports += 1


OFTEN = ("import_variant", "submit", "approve", "export")
ACTS = (
    *OFTEN, *OFTEN, "approve", "reject", "change_facts", "change_factory", "replace_photo", "plant", "damage", "doubt",
)  # fmt: skip
RIGHT = {"import_variant": "Ray", "submit": "Ray", "approve": "Rita", "reject": "Rob", "export": "Pat", "plant": "Ann"}


@contextmanager
def a_world(template: Path | None, database: str | None) -> Iterator[World]:
    folder = Path(tempfile.mkdtemp())
    opinions = Opinions()
    try:
        if template is not None:
            (folder / "home").mkdir()
            shutil.copyfile(template, folder / "home" / "app.sqlite")
        with a_house(folder / "home", database, opinions) as house:
            yield World(house, opinions, folder)
            with house.store.reading() as conn:
                assert list(events.problems(conn)) == []
    finally:
        shutil.rmtree(folder)


def play(world: World, script: list[tuple[str, str | None, str]]) -> None:
    for act, who, code in script:
        with suppress(VitrinaError):
            getattr(world, act)(who or RIGHT.get(act, "Phil"), code)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated database."""
    home = tmp_path_factory.mktemp("template")
    with a_house(home):
        pass
    return home / "app.sqlite"


turns = st.tuples(st.sampled_from(ACTS), st.none() | st.sampled_from(sorted(CREW)), st.sampled_from(CODES))
quick = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@quick
@given(script=st.lists(turns, min_size=5, max_size=30))
def test_nothing_unapproved_is_ever_exported(template: Path, script: list[tuple[str, str | None, str]]) -> None:
    with a_world(template, None) as world:
        play(world, script)


def test_the_account_sees_exports_and_would_catch_a_wrong_one(database: str) -> None:
    """The game above is not empty: its plain way exports, on both databases, and its account can fail."""
    with a_world(None, database) as world:
        plain = [("import_variant", None, "PLAIN"), ("submit", None, "PLAIN"), ("approve", None, "PLAIN")]
        play(world, [*plain, ("export", None, "PLAIN")])
        assert world.account.exports == 1
        play(world, [("change_facts", None, "PLAIN"), ("export", None, "PLAIN")])
        assert world.account.exports == 1
        play(world, [(act, who, "TOP") for act, who, _ in [*plain, ("export", None, "")]])
        assert world.account.exports == 1
        play(world, [("approve", "Rob", "TOP"), ("export", None, "TOP")])
        assert world.account.exports == 2
        world.account.approved.clear()
        with pytest.raises(AssertionError):
            world.export("Pat", "TOP")
        with pytest.raises(NotAllowed):
            world.approve("Pat", "TOP")
