"""Keeping: fixity, dispute packs that anybody can check, backup and restore, erasure by policy."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.house import Opinions, a_house, hire, picture
from vitrina.actions import archive, batch, gate, pictures, release, skus
from vitrina.actions.house import House
from vitrina.config import Config
from vitrina.errors import Broken, Conflict, Missing, NotAllowed, UsageError


@pytest.fixture
def house(tmp_path: Path, database: str) -> Iterator[House]:
    with a_house(tmp_path / "home", database, Opinions()) as house:
        hire(house)
        for code in ("RING-1", "RING-2"):
            make(house, tmp_path, code)
        yield house


def make(house: House, tmp_path: Path, code: str) -> None:
    """An SKU with a photo and an approved, exported edit."""
    shade = 10 * int(code[-1])
    for number in (shade, shade + 1):
        (tmp_path / f"{number}.png").write_bytes(picture(number))
    skus.put_sku(house.acting_as("Phil"), {"sku": code, "piece_type": "pendant"}, is_new=True)
    pictures.import_photo(house.acting_as("Phil"), code, tmp_path / f"{shade}.png")
    pictures.import_variant(house.acting_as("Ray"), code, tmp_path / f"{shade + 1}.png", tool="Other")
    pictures.submit(house.acting_as("Ray"), code)
    rita = house.acting_as("Rita")
    gate.answer(rita, code, ["stones", "chain", "edges", "background", "rules", "bail"], yes=True)
    gate.approve(rita, code)
    release.export(house.acting_as("Pat"), code, market="kaspi")


def kept(house: House) -> list[Path]:
    return sorted(p for room in ("originals", "works") for p in (house.config.home / room).rglob("*") if p.is_file())


def test_fixity_finds_what_is_lost_altered_and_left_over(house: House) -> None:
    assert archive.examine_archive(house)["problems"] == []
    lost, altered, *_ = kept(house)
    lost.unlink()
    altered.chmod(0o644)
    altered.write_bytes(b"other")
    orphan = house.works.put(b"nobody's")
    examined = archive.examine_archive(house)
    assert (examined["lost"], examined["altered"], examined["orphans"]) == ([lost.name], [altered.name], [orphan])
    assert len(examined["problems"]) == 2
    assert examined["ledger"]["problems"] == []


def test_a_dispute_pack_can_be_checked_without_vitrina(house: House, tmp_path: Path) -> None:
    out = tmp_path / "pack.zip"
    told = archive.dispute_pack(house.acting_as("Aud"), "RING-1", out)
    assert (told["exports"], told["lost"]) == (1, [])
    folder = tmp_path / "pack"
    with zipfile.ZipFile(out) as pack:
        pack.extractall(folder)
    # 1: the sums
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode == 0
    # 3: the ledger, by the very program that README.txt prints
    recipe = (folder / "README.txt").read_text("utf-8")
    program = recipe.split("In Python:\n", 1)[1].split("   Events about", 1)[0]
    program = "\n".join(line.removeprefix("     ") for line in program.splitlines())
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert done.stdout.strip() == f"whole, ends with {manifest['ledger']['head']}", done.stderr
    # 4: what was sold is what was approved
    for export in manifest["exports"]:
        decisions = [
            d for d in manifest["decisions"] if d["variant"] == export["variant"] and d["verdict"] == "approve"
        ]
        assert [d["person"] for d in decisions] == ["Rita"]
        assert set(export["files"].values()) <= set(decisions[0]["names"].values())
    assert manifest["photos"][0]["digest"] in "".join(p.name for p in (folder / "originals").iterdir())
    # nothing of the other SKU is told
    assert "RING-2" not in (folder / "events.jsonl").read_text() + (folder / "manifest.json").read_text()
    # and the recipe notices a change
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    told_ = next(i for i, line in enumerate(lines) if '"person":"Rita"' in line)
    lines[told_] = lines[told_].replace('"person":"Rita"', '"person":"Rob"')
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=False).returncode != 0


def test_a_pack_as_of_a_day_before_leaves_out_what_came_later(house: House, tmp_path: Path) -> None:
    told = archive.dispute_pack(house.acting_as("Aud"), "RING-1", tmp_path / "p.zip", until="2025-12-31")
    assert told["exports"] == 0
    with zipfile.ZipFile(tmp_path / "p.zip") as pack:
        assert json.loads(pack.read("manifest.json"))["variants"] == []
    with pytest.raises(UsageError, match="not a date"):
        archive.dispute_pack(house.acting_as("Aud"), "RING-1", tmp_path / "p.zip", until="yesterday")
    with pytest.raises(NotAllowed, match="the role publisher or auditor or admin is lacking"):
        archive.dispute_pack(house.acting_as("Ray"), "RING-1", tmp_path / "p.zip")


def test_a_pack_holds_the_report_and_the_certificate_of_a_card(light: House, tmp_path: Path) -> None:
    photo = tmp_path / "in" / "RING-9" / "front.png"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(picture(90))
    phil, got = light.acting_as("Phil"), dict[str, Any]()
    recipe = {"mode": "exact", "looks": ["white", "grey"], "markets": ["kaspi"], "force": False}
    number = batch.ask(phil, photo.parents[1], tmp_path / "out", recipe=recipe)
    for step in batch.kinds(phil)[0].steps:
        got[step.name] = step.run({"batch": number, "sku": "RING-9", "run": 1}, got)
    told = archive.dispute_pack(light.acting_as("Aud"), "RING-9", tmp_path / "p.zip")
    assert told["lost"] == []
    with zipfile.ZipFile(tmp_path / "p.zip") as pack:
        kept = {name[7 + 64 :] for name in pack.namelist() if name.startswith("works/")}
        assert {"report.json", "certificate.json"} <= kept
        manifest = json.loads(pack.read("manifest.json"))
    assert manifest["photos"][0]["capture"]["size"] == "12×12"


def test_a_pack_says_what_the_archive_has_lost(house: House, tmp_path: Path) -> None:
    for path in kept(house):
        if path.read_bytes() == picture(10):
            path.unlink()
    told = archive.dispute_pack(house.acting_as("Aud"), "RING-1", tmp_path / "p.zip")
    assert told["verdict"] == "review" and len(told["lost"]) == 1


@pytest.fixture
def light(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path / "home") as house:
        hire(house)
        make(house, tmp_path, "RING-1")
        yield house


def test_a_backup_comes_back_whole_and_damage_in_it_is_seen(light: House, tmp_path: Path) -> None:
    out = tmp_path / "b.zip"
    archive.backup(light.acting_as("Ann"), out)
    restored = archive.restore(Config(tmp_path / "new"), out)
    assert restored["problems"] == []
    with pytest.raises(Conflict, match="records here already"):
        archive.restore(Config(tmp_path / "new"), out)
    data = bytearray(out.read_bytes())
    where = data.index(picture(10)[:60])
    data[where + 50] ^= 1
    (tmp_path / "bad.zip").write_bytes(data)
    with pytest.raises(Broken, match="damaged"):
        archive.restore(Config(tmp_path / "newer"), tmp_path / "bad.zip")
    assert not list((tmp_path / "newer").glob("*.sqlite")) + list((tmp_path / "newer").glob(".*.sqlite"))
    (tmp_path / "junk.zip").write_bytes(b"junk")
    with pytest.raises(Broken, match="not a backup"):
        archive.restore(Config(tmp_path / "newer"), tmp_path / "junk.zip")
    with pytest.raises(Missing):
        archive.restore(Config(tmp_path / "newer"), tmp_path / "nowhere.zip")
    with pytest.raises(NotAllowed, match="the role admin is lacking"):
        archive.backup(light.acting_as("Aud"), out)


@pytest.mark.parametrize("moves", [False, True], ids=["same kind", "other kind"])
def test_a_backup_of_either_database_comes_back_in_either(
    house: House, databases: dict[str, Callable[[], str]], tmp_path: Path, *, moves: bool
) -> None:
    out = tmp_path / "b.zip"
    archive.backup(house.acting_as("Ann"), out)
    kind = "sqlite" if house.store.is_sqlite != moves else "postgresql"
    config = Config(tmp_path / "new", database=databases[kind]())
    assert archive.restore(config, out)["problems"] == []
    with a_house(config.home, config.database) as there:
        for code in ("RING-1", "RING-2"):
            shown = [skus.show_sku(where.acting_as("Aud"), code) for where in (house, there)]
            assert shown[0] == shown[1]
        make(there, tmp_path, "RING-3")  # numbers go on where they stopped
        assert archive.examine_archive(there)["problems"] == []
    with pytest.raises(Conflict, match="records here already"):
        archive.restore(config, out)


def test_erasure_takes_old_rejected_works_only_and_tells(light: House, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(picture(99))
    pictures.import_variant(light.acting_as("Ray"), "RING-1", tmp_path / "bad.png", tool="Other")
    pictures.submit(light.acting_as("Ray"), "RING-1")
    gate.reject(light.acting_as("Rita"), "RING-1", reason="colour", number=2)
    ann = light.acting_as("Ann")
    assert archive.erase(ann, words="policy", dry_run=False)["erased"] == []
    later = replace(ann, clock=lambda: light.clock() + timedelta(days=366 * 11))
    planned = archive.erase(later, words="policy", dry_run=True)["erased"]
    assert len(planned) == 1 and light.works.has(planned[0])
    assert archive.erase(later, words="policy", dry_run=False)["erased"] == planned
    assert not light.works.has(planned[0])
    assert archive.examine_archive(light)["problems"] == []
    assert archive.erase(later, words="policy", dry_run=False)["erased"] == []
    with pytest.raises(UsageError, match="say why"):
        archive.erase(later, words=" ", dry_run=False)
