"""The gate from end to end, on both databases: nothing unapproved leaves, and no approval outlives what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import BLOCK, WARN, Opinions, a_house, hire, picture
from vitrina.actions import gate, pictures, release, skus
from vitrina.actions.house import House, actor
from vitrina.actions.people import add_person, set_policy, take_role
from vitrina.actions.recheck import recheck
from vitrina.errors import Broken, Conflict, Missing, NotAllowed, UsageError
from vitrina.store import events


@pytest.fixture
def opinions() -> Opinions:
    return Opinions()


@pytest.fixture
def house(tmp_path: Path, database: str, opinions: Opinions) -> Iterator[House]:
    with a_house(tmp_path / "home", database, opinions) as house:
        hire(house)
        yield house
        with house.store.reading() as conn:
            assert list(events.problems(conn)) == []


def on_disk(tmp_path: Path, shade: int) -> Path:
    path = tmp_path / f"{shade}.png"
    path.write_bytes(picture(shade))
    return path


def make(house: House, tmp_path: Path, code: str = "RING-1", **cells: str) -> None:
    """An SKU with a photo and an edit of it."""
    skus.put_sku(house.acting_as("Phil"), {"sku": code, "piece_type": "ring", "stones": "7 ruby", **cells}, is_new=True)
    pictures.import_photo(house.acting_as("Phil"), code, on_disk(tmp_path, 1))
    pictures.import_variant(house.acting_as("Ray"), code, on_disk(tmp_path, 2), tool="Other")


def answer_all(house: House, code: str = "RING-1") -> None:
    for item in gate.show_checklist(house, code)["variants"]:
        gate.answer(house, code, [line["line"] for line in item["lines"]], yes=True, number=item["variant"])


def approve(house: House, who: str, code: str = "RING-1") -> dict[str, Any]:
    answer_all(house.acting_as(who), code)
    return gate.approve(house.acting_as(who), code)


def export(house: House, code: str = "RING-1") -> dict[str, Any]:
    return release.export(house.acting_as("Pat"), code, market="kaspi")


def states(house: House, code: str = "RING-1") -> list[str]:
    return [v["state"] for v in skus.show_sku(house.acting_as("Aud"), code)["variants"]]


def refused(house: House, words: str, code: str = "RING-1") -> None:
    """Export says no, for this reason, and leaves nothing."""
    with pytest.raises(NotAllowed, match=words) as told:
        export(house, code)
    assert told.value.exit_code == 5
    assert not (house.config.home / "exports").exists() or not list((house.config.home / "exports").rglob("*.png"))


def test_the_whole_way_and_the_exact_bytes(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    refused(house, "the approval of a reviewer is lacking .*variant 1 is checked")
    pictures.submit(house.acting_as("Ray"), "RING-1")
    refused(house, "variant 1 is in review")
    with pytest.raises(NotAllowed, match=r"has not answered 6 of 6 checklist lines for RING-1: stones, chain"):
        gate.approve(house.acting_as("Rita"), "RING-1")
    decided = approve(house, "Rita")["decided"][0]
    assert decided["state"] == "approved"
    assert decided["digest"] == hashlib.sha256(picture(2)).hexdigest()
    done = export(house)
    assert states(house) == ["exported"]
    assert (Path(done["folder"]) / "RING-1-main.png").read_bytes() == picture(2)
    export(house)  # a second time gives the same files


def test_who_may_not(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    for who in ("Ann", "Phil", "Ray", "Pat", "Aud"):
        with pytest.raises(NotAllowed, match="the role reviewer is lacking"):
            gate.approve(house.acting_as(who), "RING-1")
        with pytest.raises(NotAllowed, match="the role reviewer is lacking"):
            gate.queue(house.acting_as(who))
    approve(house, "Rita")
    for who in ("Ann", "Phil", "Ray", "Rita", "Aud"):
        with pytest.raises(NotAllowed, match="the role publisher is lacking"):
            release.export(house.acting_as(who), "RING-1", market="kaspi")
    with pytest.raises(NotAllowed, match="Mallory is not registered"):
        gate.approve(house.acting_as("Mallory"), "RING-1")
    with pytest.raises(NotAllowed, match="say who you are"):
        gate.queue(replace(house, person=None))


def test_who_exports_is_policy(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    set_policy(house.acting_as("Ann"), "export_roles", "retoucher")
    refused(house, "the role retoucher is lacking")
    release.export(house.acting_as("Ray"), "RING-1", market="kaspi")
    with pytest.raises(NotAllowed, match="the role admin is lacking"):
        set_policy(house.acting_as("Pat"), "export_roles", "publisher")
    with house.store.reading() as conn:
        assert actor(conn, house.acting_as("Pat"), "publish") == "Pat"  # uploading has a policy of its own
    set_policy(house.acting_as("Ann"), "publish_roles", "reviewer")
    with house.store.reading() as conn:
        assert actor(conn, house.acting_as("Rita"), "publish") == "Rita"
        with pytest.raises(NotAllowed, match="the role reviewer is lacking"):
            actor(conn, house.acting_as("Pat"), "publish")


def test_doubt_needs_two_who_do_not_see_each_other(house: House, tmp_path: Path, opinions: Opinions) -> None:
    opinions.findings = [WARN]
    make(house, tmp_path)
    started = pictures.submit(house.acting_as("Ray"), "RING-1")
    assert started["in_review"][0]["second_look"] == ["the program is in doubt about the stones"]
    before = gate.queue(house.acting_as("Rob"))["waiting"]
    answer = approve(house, "Rita")["decided"][0]
    assert answer["waits_for"] == "a second reviewer"
    refused(house, "waits for a second reviewer")
    assert gate.queue(house.acting_as("Rob"))["waiting"] == before
    assert gate.queue(house.acting_as("Rita"))["waiting"] == []
    assert skus.show_sku(house.acting_as("Rob"), "RING-1")["decisions"] == []
    assert skus.show_sku(house.acting_as("Rob"), "RING-1")["history"] == []
    with pytest.raises(NotAllowed, match="A second reviewer, not the first"):
        gate.approve(house.acting_as("Rita"), "RING-1")
    approve(house, "Rob")
    assert states(house) == ["approved"]
    export(house)


@pytest.mark.parametrize("first_approves", [True, False])
def test_disagreement_is_a_rejection(house: House, tmp_path: Path, first_approves: bool) -> None:
    make(house, tmp_path, top="yes")
    pictures.submit(house.acting_as("Ray"), "RING-1")
    if first_approves:
        approve(house, "Rita")
        gate.reject(house.acting_as("Rob"), "RING-1", reason="metal")
    else:
        gate.reject(house.acting_as("Rita"), "RING-1", reason="metal")
        assert states(house) == ["in review"]
        approve(house, "Rob")
    assert states(house) == ["rejected"]
    refused(house, "there is no picture yet")


def test_a_set_asks_for_every_part(house: House, tmp_path: Path) -> None:
    make(house, tmp_path, piece_type="set", parts="ring; two earrings")
    pictures.submit(house.acting_as("Ray"), "RING-1")
    rita = house.acting_as("Rita")
    lines = [line["line"] for line in gate.show_checklist(rita, "RING-1")["variants"][0]["lines"]]
    assert {"part-1", "part-2", "compared", "parcel"} <= set(lines)
    gate.answer(rita, "RING-1", [line for line in lines if line != "part-2"], yes=True)
    gate.answer(rita, "RING-1", ["part-2"], yes=False)
    with pytest.raises(NotAllowed, match="has not answered 1 of 9 checklist lines for RING-1: part-2"):
        gate.approve(rita, "RING-1")
    with pytest.raises(UsageError, match="'part-3' is no line"):
        gate.answer(rita, "RING-1", ["part-3"], yes=True)


def test_what_the_program_rejects_never_reaches_a_reviewer(house: House, tmp_path: Path, opinions: Opinions) -> None:
    opinions.findings = [BLOCK]
    make(house, tmp_path)
    held = pictures.submit(house.acting_as("Ray"), "RING-1")
    assert held["verdict"] == "reject"
    assert "Stone 4 of 7" in held["held_back"][0]["reason"]
    with pytest.raises(Conflict, match="no variant that is in review"):
        approve(house, "Rita")
    refused(house, "variant 1 is draft: the program rejects it: Stone 4 of 7")


CHANGES = [
    ({"factory": "B"}, "the factory changed from none to B"),
    ({"stone_batch": "9"}, "the stone batch changed from none to 9"),
    ({"stones": "8 ruby"}, "the fact stones changed"),
    ({"clasp": "hook"}, "the fact clasp changed from nothing to hook"),
]


@pytest.mark.parametrize(("cells", "words"), CHANGES, ids=[str(*c) for c, _ in CHANGES])
def test_a_changed_fact_takes_the_approval_back(
    house: House, tmp_path: Path, opinions: Opinions, cells: dict[str, str], words: str
) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    export(house)
    (house.config.home / "exports" / "RING-1" / "kaspi" / "RING-1-main.png").unlink()
    skus.put_sku(house.acting_as("Phil"), {"sku": "RING-1", **cells}, is_new=False)
    assert states(house) == ["draft"]
    refused(house, words)
    # it is judged again, with the facts as they are now, before anybody looks
    times = len(opinions.judged)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    assert len(opinions.judged) == times + 1
    if "stones" in cells:
        assert opinions.judged[-1][2].startswith(b"stones = 8")
    refused(house, "variant 1 is in review")
    approve(house, "Rob")
    export(house)


def test_a_title_or_the_stock_is_nobodys_approval(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    skus.put_sku(house.acting_as("Phil"), {"sku": "RING-1", "title": "New", "stock": "5"}, is_new=False)
    assert states(house) == ["approved"]


def test_a_replaced_source_takes_the_approval_back_for_good(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    told = pictures.import_photo(house.acting_as("Phil"), "RING-1", on_disk(tmp_path, 9), replaces="1.png")
    assert told["back_to_draft"] == ["RING-1 variant 1: the source photo was replaced"]
    held = pictures.submit(house.acting_as("Ray"), "RING-1")
    assert held["held_back"] == [{"variant": 1, "reason": "the source photo was replaced"}]
    refused(house, "the source photo was replaced")


def test_another_byte_is_another_approval(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    pictures.import_variant(house.acting_as("Ray"), "RING-1", on_disk(tmp_path, 3), tool="Other")
    assert states(house) == ["approved", "checked"]
    pictures.submit(house.acting_as("Ray"), "RING-1")
    with pytest.raises(NotAllowed, match="has not answered"):
        gate.approve(house.acting_as("Rita"), "RING-1")  # the answers were about the other bytes
    approve(house, "Rita")
    assert states(house) == ["superseded", "approved"]
    with pytest.raises(Conflict, match="exactly these bytes"):
        pictures.import_variant(house.acting_as("Ray"), "RING-1", on_disk(tmp_path, 3), tool="Other")


def test_altered_bytes_are_not_exported(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    digest = approve(house, "Rita")["decided"][0]["digest"]
    path = house.config.home / "works" / "sha256" / digest[:2] / digest[2:4] / digest
    path.chmod(0o644)
    path.write_bytes(picture(77))
    with pytest.raises(Broken, match="have changed"):
        export(house)
    path.unlink()
    with pytest.raises(Missing, match="not in the archive"):
        export(house)
    assert states(house) == ["approved"]
    assert not (house.config.home / "exports").exists()


def test_an_approval_can_be_taken_back(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    gate.reject(house.acting_as("Rob"), "RING-1", reason="colour", words="The piece is paler.")
    refused(house, "approval of a reviewer is lacking")
    told = skus.show_sku(house.acting_as("Rita"), "RING-1")["decisions"]
    assert [(d["person"], d["verdict"], d["reason"], d["words"]) for d in told] == [
        ("Rita", "approve", "", ""),
        ("Rob", "reject", "colour", "The piece is paler."),
    ]


def test_a_planted_fault_looks_like_any_other_and_never_leaves(house: House, tmp_path: Path) -> None:
    make(house, tmp_path)
    with pytest.raises(NotAllowed, match="the role admin is lacking"):
        gate.plant(house.acting_as("Rita"), "RING-1", on_disk(tmp_path, 40), fault="stone gone")
    for shade in (40, 41):
        gate.plant(house.acting_as("Ann"), "RING-1", on_disk(tmp_path, shade), fault="stone gone")
    waiting = gate.queue(house.acting_as("Rita"))["waiting"]
    assert [item["variant"] for item in waiting] == [2, 3]
    assert "stone gone" not in str(waiting) + str(skus.show_sku(house.acting_as("Rita"), "RING-1"))
    gate.reject(house.acting_as("Rita"), "RING-1", reason="stones", number=2)
    approve(house, "Rita")  # the other one is missed
    assert states(house) == ["checked", "superseded", "superseded"]
    refused(house, "variant 1 is checked")
    reasons = [v["reason"] for v in skus.show_sku(house.acting_as("Aud"), "RING-1")["variants"]]
    assert reasons[1:] == ["planted fault noticed: stone gone", "planted fault missed: stone gone"]


def test_nobody_judges_their_own_edit(house: House, tmp_path: Path) -> None:
    add_person(house.acting_as("Ann"), "Ray", ["reviewer"])
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    with pytest.raises(NotAllowed, match="Ray brought this picture in"):
        approve(house, "Ray")
    approve(house, "Rita")


def test_an_edit_that_breaks_the_marketplaces_rules_stays_here(
    house: House, tmp_path: Path, opinions: Opinions
) -> None:
    make(house, tmp_path)
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    opinions.rule_findings = [{**BLOCK, "message": "12 pixels, 500 wanted."}]
    refused(house, "it breaks the rules: 12 pixels, 500 wanted")


def test_changed_rules_take_the_approval_back(house: House, tmp_path: Path, opinions: Opinions) -> None:
    make(house, tmp_path)
    with house.store.writing() as conn:
        from vitrina.store import pictures as records

        variant = records.get_variant(conn, 1)
        digest = house.works.put(picture(50))
        records.keep_blob(conn, digest, room="works", size=1, at="t")
        records.add_rendition(
            conn, variant.id, market="kaspi", slot="main", name="a.jpg", digest=digest, verdict="pass"
        )
        records.set_check(
            conn, variant.id, verdict="pass", basis={**variant.basis, "packs": {"kaspi": "1"}}, second_look=[]
        )
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    opinions.pack = "2"
    refused(house, "the rules of kaspi changed from version 1 to 2")
    assert states(house) == ["draft"]
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    assert export(house)["files"] == ["a.jpg"]


def test_nobody_need_touch_a_picture_whose_rules_changed(house: House, tmp_path: Path, opinions: Opinions) -> None:
    make(house, tmp_path)
    with house.store.writing() as conn:
        from vitrina.store import pictures as records

        basis = {**records.get_variant(conn, 1).basis, "packs": {"kaspi": "1"}}
        records.set_check(conn, 1, verdict="pass", basis=basis, second_look=[])
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    assert recheck(house, by_itself=True)["back_to_draft"] == []
    opinions.pack = "2"
    with pytest.raises(NotAllowed):
        recheck(house.acting_as("Aud"))
    told = recheck(house, by_itself=True)["back_to_draft"]
    assert told == ["RING-1 variant 1: the rules of kaspi changed from version 1 to 2"]
    assert states(house) == ["draft"]
    assert recheck(house.acting_as("Ray"))["back_to_draft"] == []


def test_roles_can_be_taken_but_the_house_keeps_an_admin(house: House) -> None:
    take_role(house.acting_as("Ann"), "Rita", "reviewer")
    with pytest.raises(NotAllowed, match=r"Rita \(no role\)"):
        gate.queue(house.acting_as("Rita"))
    with pytest.raises(UsageError, match="only admin"):
        take_role(house.acting_as("Ann"), "Ann", "admin")


def test_an_open_house_makes_drafts_and_nothing_more(tmp_path: Path, database: str) -> None:
    with a_house(tmp_path / "open", database) as house:
        skus.put_sku(house, {"sku": "R"}, is_new=True)
        pictures.import_photo(house, "R", on_disk(tmp_path, 1))
        pictures.import_variant(house, "R", on_disk(tmp_path, 2), tool="Other")
        for act in (
            lambda: gate.approve(house, "R"),
            lambda: gate.reject(house, "R", reason="other"),
            lambda: release.export(house, "R", market="kaspi"),
        ):
            with pytest.raises(NotAllowed, match="nobody is registered yet"):
                act()


def test_a_new_line_takes_the_recipe_but_no_approvals_nor_unchecked_presets(house: House, tmp_path: Path) -> None:
    ann = house.acting_as("Ann")
    presets = {"soft": {"checked": True}, "wild": {"checked": False}, "odd": {}}
    skus.set_line(ann, "Old", recipe={"looks": ["white"], "presets": presets}, checklist={"box": "The box is right."})
    make(house, tmp_path, line="Old")
    pictures.submit(house.acting_as("Ray"), "RING-1")
    approve(house, "Rita")
    copied = skus.copy_line(ann, "Old", "New")
    assert copied["recipe"] == {"looks": ["white"], "presets": {"soft": {"checked": True}}}
    assert copied["left_behind"] == ["odd", "wild"]
    skus.put_sku(house.acting_as("Phil"), {"sku": "RING-2", "line": "New"}, is_new=True)
    refused(house, "there is no picture yet", "RING-2")
