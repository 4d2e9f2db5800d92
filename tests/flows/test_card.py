"""The main job on one drawn photo: a folder of checked drafts, a report, a certificate that can be computed again."""

from __future__ import annotations

import hashlib
import html
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import scenes
from tests.flows.bad import files_in
from tests.scenes import Scene
from vitrina import steps
from vitrina.cli import run
from vitrina.codec.decode import decode
from vitrina.drafts import Imprint, dress, make_draft, reference_of
from vitrina.imaging.colour import encode_srgb8
from vitrina.model import Cutout, Severity, Size
from vitrina.rules.load import load_pack
from vitrina.stages.cutout import parts_of
from vitrina.stages.scene import AS_SHOT

PLACED = b"Exif\x00\x00"


def photo_bytes() -> bytes:
    """A ring on paper as a phone writes it: with its make, its owner and the place."""
    scene = scenes.ring(Size(760, 640), metal="gold")
    exif = Image.Exif()
    exif[0x010F] = "Phone Maker"
    exif[0x8298] = "Atelier"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    Image.open(io.BytesIO(scene.jpeg(quality=95))).save(buffer, "JPEG", quality=95, subsampling=0, exif=exif)
    return buffer.getvalue()


class Card:
    """One card, made once for this module."""

    def __init__(self, folder: Path) -> None:
        self.home, self.out, self.photo = folder / "home", folder / "out", folder / "my ring.jpg"
        self.photo.write_bytes(photo_bytes())
        self.code = self.make()

    def make(self, *options: str, out: Path | None = None) -> int:
        where = ["-o", str(out or self.out), "--home", str(self.home)]
        return run(["card", str(self.photo), "--sku", "RING-001", "--markets", "kaspi", *where, *options])

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "report.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return Card(tmp_path_factory.mktemp("card"))


def test_a_card_is_made(card: Card) -> None:
    assert card.code in (0, 1)
    assert card.report["stopped"] is None, card.report["stopped"]
    assert card.report["schema"] == "vitrina.card/1" and card.report["status"] == "draft"
    folder = "drafts-rejected" if card.report["verdict"] == "reject" else "drafts"
    wanted = {f"{folder}/kaspi/RING-001_main_{look}.jpg" for look in ("white", "grey")}
    others = {
        "report.json",
        "report.html",
        "certificate.json",
        "contact/kaspi.jpg",
        "masters/my ring-cutout.png",
        "original/my ring.jpg",
    }
    assert files_in(card.out) == wanted | others


def test_the_original_is_kept_byte_for_byte(card: Card) -> None:
    data = card.photo.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert (card.home / "originals" / "sha256" / digest[:2] / digest[2:4] / digest).read_bytes() == data
    assert (card.out / "original" / "my ring.jpg").read_bytes() == data
    assert card.report["photos"][0]["sha256"] == digest


def test_a_card_in_a_named_home_is_on_record_and_a_second_one_doubles_nothing(
    card: Card, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown() -> dict[str, Any]:
        capsys.readouterr()
        assert run(["sku", "show", "RING-001", "--home", str(card.home), "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    first = shown()
    assert [photo["digest"] for photo in first["photos"]] == [card.report["photos"][0]["sha256"]]
    assert [variant["look"] for variant in first["variants"]] == ["white", "grey"]
    assert card.make(out=tmp_path / "again") == card.code
    live = [variant for variant in shown()["variants"] if variant["state"] != "superseded"]
    assert [variant["look"] for variant in live] == ["white", "grey"]
    assert [variant["digest"] for variant in live] == [variant["digest"] for variant in first["variants"]]
    assert run(["doctor", "--archive", "--home", str(card.home), "--json"]) in (0, 1)
    home = json.loads(capsys.readouterr().out)["home"]
    assert home["files"] > 5 and not home["lost"] and not home["altered"] and not home["orphans"]


def test_who_may_not_make_cards_is_told_before_any_work(card: Card, tmp_path: Path, capsys: Any) -> None:
    home = tmp_path / "home"
    for name, role in (("Ann", "admin"), ("Aud", "auditor")):
        assert run(["people", "add", name, "--role", role, "--as", "Ann", "--home", str(home)]) == 0
    order = ["card", str(card.photo), "--sku", "RING-001", "-o", str(tmp_path / "out"), "--home", str(home)]
    assert run(order) == 5 and "say who you are" in capsys.readouterr().err
    assert run([*order, "--as", "Aud"]) == 5 and "the role photographer" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_report_names_every_file_by_its_digest(card: Card) -> None:
    files = card.report["files"]
    assert set(files) | {"report.json"} == files_in(card.out)
    for name, digest in files.items():
        assert hashlib.sha256((card.out / name).read_bytes()).hexdigest() == digest


def test_the_documents_are_the_contracts(card: Card) -> None:
    photo = card.report["photos"][0]
    documents = [photo["inspect"], photo["cutout"], *(variant["verify"] for variant in photo["variants"])]
    documents += [draft[kind] for draft in card.report["drafts"] for kind in ("verify", "rules")]
    schemas = {document["schema"] for document in documents}
    assert schemas == {"vitrina.inspect/1", "vitrina.cutout/1", "vitrina.verify/1", "vitrina.rules/1"}
    for document in documents:
        assert document["verdict"] in ("pass", "review", "reject")
        for finding in document["findings"]:
            assert set(finding) == {"check", "code", "severity", "measured", "limit", "unit", "region", "message"}


def test_drafts_are_what_the_marketplaces_take(card: Card) -> None:
    for draft in card.report["drafts"]:
        data = (card.out / draft["file"]).read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG" and image.mode == "RGB"
            assert image.size == (draft["width"], draft["height"])
            assert "icc_profile" in image.info
            assert not dict(image.getexif()), "no device, no place"
        assert b"Phone Maker" not in data and PLACED not in data
        ground = 255 if draft["look"] == "white" else 241
        corner = np.asarray(Image.open(io.BytesIO(data)))[:8, :8]
        assert np.abs(corner.astype(int) - ground).max() <= 1


def test_the_master_is_the_photo_where_it_is_opaque(card: Card) -> None:
    source = decode(card.photo.read_bytes(), name="photo")
    master = decode((card.out / "masters" / "my ring-cutout.png").read_bytes(), name="master")
    assert master.alpha is not None and master.size == source.size and master.facts.bits == 16
    opaque = master.alpha == 1
    assert opaque.any()
    assert np.abs(master.rgb[opaque] - source.rgb[opaque]).max() < 2e-5
    shares = card.report["photos"][0]["cutout"]["product_pixels"]
    assert shares["same"] == 1.0


def test_the_certificate_computes_again(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    stated = json.loads((card.out / "certificate.json").read_text("utf-8"))
    assert stated["generated"]["product"] is False and stated["limits"] and stated["version"]
    assert run(["certificate", "check", str(card.out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "pass" and document["renditions"] == 2


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("repaint", "file-changed"),
        ("remove", "file-missing"),
        ("swap", "not-from-master"),
        ("share", "share-differs"),
        ("escape", "outside"),
    ],
)
def test_the_certificate_notices(harm: str, code: str, card: Card, tmp_path: Path, capsys: Any) -> None:
    copy = tmp_path / "copy"
    for name in files_in(card.out):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((card.out / name).read_bytes())
    path = copy / "certificate.json"
    stated = json.loads(path.read_text("utf-8"))
    stated["renditions"] = stated["renditions"][:1]
    file = copy / stated["renditions"][0]["file"]
    if harm == "repaint":
        file.write_bytes(file.read_bytes() + b" ")
    elif harm == "remove":
        file.unlink()
    elif harm == "share":
        stated["photos"][0]["product_pixels"]["same"] = 0.5
    elif harm == "escape":
        stated["renditions"][0]["file"] = "../my ring.jpg"
    else:
        pixels = np.asarray(Image.open(file)).copy()
        pixels[pixels.shape[0] // 4 : -pixels.shape[0] // 4] = pixels[
            pixels.shape[0] // 4 : -pixels.shape[0] // 4, ::-1
        ]
        Image.fromarray(pixels).save(file, quality=95)
        stated["renditions"][0]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    path.write_text(json.dumps(stated), "utf-8")
    assert run(["certificate", "check", str(copy), "--json"]) == 1
    found = {finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert code in found


def test_a_folder_without_a_certificate_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certificate", "check", str(tmp_path)]) == 3
    assert "certificate.json" in capsys.readouterr().err
    (tmp_path / "certificate.json").write_text("[]")
    assert run(["certificate", "check", str(tmp_path)]) == 3
    assert "not a certificate" in capsys.readouterr().err


def test_the_report_is_one_page_that_loads_nothing(card: Card) -> None:
    page = (card.out / "report.html").read_text("utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    for address in ("http://", "https://"):
        for place in page.split(address)[1:]:
            assert not place.startswith(("cdn", "fonts")), place[:60]
    assert 'src="http' not in page and "url(" not in page and "<script" not in page and "@import" not in page
    for line in card.report["checklist"]:
        assert html.escape(line, quote=False).replace("'", "&#39;") in page
    assert "promises no marketplace" in page


def test_a_second_run_replaces_the_first_and_leaves_what_is_not_its_own(card: Card) -> None:
    before = card.report
    (card.out / "drafts" / "kaspi" / "mine.txt").write_text("a note of the seller's")
    (card.out / ".vitrina-card-1").mkdir()  # what a killed run leaves behind
    assert card.make("--markets", "ozon") in (0, 1)
    after = card.report
    assert files_in(card.out / "drafts") == {
        "kaspi/mine.txt", "ozon/RING-001_main_white.jpg", "ozon/RING-001_main_grey.jpg",
    }  # fmt: skip
    assert not list(card.out.glob(".vitrina*"))
    for report in (before, after):
        for variant in report["photos"][0]["variants"]:
            del variant["verify"]["seconds"]
    assert after["photos"][0]["variants"] == before["photos"][0]["variants"], "the same input, the same document"
    assert after["photos"][0]["cutout"]["master_sha256"] == before["photos"][0]["cutout"]["master_sha256"]


def test_another_skus_folder_is_refused(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    before = files_in(card.out)
    assert run(["card", str(card.photo), "--sku", "RING-002", "-o", str(card.out), "--home", str(card.home)]) == 2
    assert "RING-001" in capsys.readouterr().err
    assert files_in(card.out) == before


def test_files_are_of_the_format_asked_for_where_it_is_taken(drawn_ring: Scene) -> None:
    cut = Cutout(drawn_ring.foreground, drawn_ring.alpha, parts_of(drawn_ring.alpha), (0.6, 0.6, 0.6), "drawn")
    reference = reference_of(steps.from_array(encode_srgb8(drawn_ring.rgb)), cut)
    variant, seen = dress(cut, "white", AS_SHOT, reference=reference, may_weaken=False)
    for market, kind, told in (("wildberries", "WEBP", []), ("kaspi", "JPEG", ["another-format"])):
        draft = make_draft(
            variant, load_pack(market), "main", reference=reference, master=seen, imprint=Imprint(kind="WEBP")
        )
        assert draft.rendition.format == kind == draft.shipped.facts.format
        assert [finding.code for finding in draft.findings if finding.code == "another-format"] == told
        codes = {finding.code for finding in draft.verified.findings if finding.severity is not Severity.NOTE}
        assert codes <= {finding.code for finding in seen.findings}, "re-checked as it ships: nothing new is found"
