"""Publishers against local servers that speak the published shapes, with their errors, limits and oddities."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import keyring
import keyring.backend
import keyring.errors
import pytest

from tests.doubles.marketplaces import LISTING, SETTINGS, Bazaar, Fault
from tests.rules.pictures import canvas, encoded
from vitrina.backends.blobs import digest_of
from vitrina.backends.publishers.folder import Folder
from vitrina.backends.publishers.wire import base_url, secret
from vitrina.errors import Refused, ResourceError, Retryable, UsageError
from vitrina.model import Size
from vitrina.plugins import Parcel, Picture, Publisher, plugin, plugins_of


class Notes:
    """A journal in memory; `dies_after` stands for a process that is killed."""

    def __init__(self, dies_after: int = 99) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}
        self.dies_after = dies_after

    def answer(self, key: str) -> Mapping[str, Any] | None:
        return self.kept.get(key)

    def keep(self, key: str, answer: Mapping[str, Any]) -> None:
        self.kept[key] = answer
        if len(self.kept) >= self.dies_after:
            raise KeyboardInterrupt


def parcel_of(bazaar: Bazaar, market: str, *, count: int = 2, size: Size = Size(750, 1000), first: int = 0) -> Parcel:
    pictures = []
    for place in range(first, first + count):
        data = encoded(canvas(size, fill=0.5 + 0.1 * place))
        url = bazaar.host(data, f"ring-{place}.jpg")
        pictures.append(Picture(f"ring-{place}.jpg", "main" if place == 0 else "extra", digest_of(data), data, url))
    return Parcel(market, "RING-1", LISTING[market], tuple(pictures))


def publisher(market: str, naps: list[float] | None = None) -> Any:
    made: Any = plugin("publishers", market)()  # type: ignore[operator]
    made.wire.sleep = (naps if naps is not None else []).append
    return made


MARKETS = tuple(LISTING)


def test_the_five_and_the_folder_are_registered() -> None:
    assert set(plugins_of("publishers")) == {*MARKETS, "folder"}


@pytest.mark.parametrize("market", MARKETS)
def test_pictures_arrive_in_order_and_can_be_read_back(bazaar: Bazaar, market: str) -> None:
    parcel, notes, maker = parcel_of(bazaar, market, count=3), Notes(), publisher(market)
    kind: Publisher = maker  # every one keeps to the seam
    assert kind.name == market
    maker.send(parcel, notes)
    assert notes.kept
    if market == "kaspi":
        (body,) = bazaar.imports.values()
        assert [image["url"] for image in body[0]["images"]] == [picture.url for picture in parcel.pictures]
        assert maker.shown(parcel) is None
        return
    shown = [maker.fetch(address) for address in maker.shown(parcel)]
    assert [digest_of(data) for data in shown] == [picture.digest for picture in parcel.pictures]


@pytest.mark.parametrize("market", MARKETS)
def test_a_second_sending_sends_nothing_and_leaves_the_same_gallery(bazaar: Bazaar, market: str) -> None:
    parcel, notes = parcel_of(bazaar, market), Notes()
    publisher(market).send(parcel, notes)
    before = (list(bazaar.gallery), list(bazaar.etsy), dict(bazaar.item))
    changes = [seen for seen in bazaar.seen if seen.file or seen.method in ("PUT", "PATCH") or "import" in seen.path]
    writes = [seen for seen in changes if seen.method != "GET"]
    publisher(market).send(parcel, notes)
    again = [
        s for s in bazaar.seen if (s.file or s.method in ("PUT", "PATCH") or "import" in s.path) and s.method != "GET"
    ]
    assert len(again) == len(writes)
    assert before == (bazaar.gallery, bazaar.etsy, bazaar.item)


@pytest.mark.parametrize("market", ["wildberries", "etsy", "ebay"])
def test_a_killed_sending_goes_on_where_it_stopped(bazaar: Bazaar, market: str) -> None:
    parcel, notes = parcel_of(bazaar, market, count=4), Notes(dies_after=2)
    with pytest.raises(KeyboardInterrupt):
        publisher(market).send(parcel, notes)
    notes.dies_after = 99
    maker = publisher(market)
    maker.send(parcel, notes)
    assert len([seen for seen in bazaar.seen if seen.file]) == 4
    shown = [digest_of(maker.fetch(address)) for address in maker.shown(parcel)]
    assert shown == [picture.digest for picture in parcel.pictures]


@pytest.mark.parametrize("market", MARKETS)
def test_a_dry_run_says_everything_but_secrets_and_sends_nothing(bazaar: Bazaar, market: str) -> None:
    parcel, maker = parcel_of(bazaar, market), publisher(market)
    told = json.dumps(maker.plan(parcel), ensure_ascii=False)
    assert bazaar.seen == []
    assert "VITRINA_" in told, "where the credentials come from"
    for name, value in SETTINGS.items():
        assert value == "42" or value not in told + repr(maker), name
    for picture in parcel.pictures:
        assert (picture.url if maker.takes_urls else picture.digest) in told
    maker.send(parcel, Notes())
    planned = {(request["method"], request["url"]) for request in maker.plan(parcel)}
    for seen in bazaar.seen:
        if market != "kaspi" or seen.method == "POST":
            assert (seen.method, bazaar.url + seen.path) in planned


@pytest.mark.parametrize("market", MARKETS)
def test_told_to_wait_it_waits_as_long_as_it_is_told(bazaar: Bazaar, market: str) -> None:
    naps: list[float] = []
    header = "X-Ratelimit-Retry" if market == "wildberries" else "Retry-After"
    bazaar.faults.append(Fault("/", 429, {"title": "too many requests"}, {header: "7"}, times=2))
    publisher(market, naps).send(parcel_of(bazaar, market), Notes())
    assert naps.count(7.0) == 2


def test_a_long_wait_is_told_and_what_was_sent_is_kept(bazaar: Bazaar) -> None:
    """A basic token of Wildberries may do two requests an hour."""
    notes = Notes()
    parcel = parcel_of(bazaar, "wildberries", count=3)
    with pytest.raises(KeyboardInterrupt):
        notes.dies_after = 1
        publisher("wildberries").send(parcel, notes)
    notes.dies_after = 99
    bazaar.faults.append(Fault("/media/file", 429, None, {"X-Ratelimit-Retry": "1800"}))
    with pytest.raises(Retryable, match="1800 s") as caught:
        publisher("wildberries").send(parcel, notes)
    assert (caught.value.after_s, caught.value.exit_code, len(notes.kept)) == (1800, 4, 1)
    publisher("wildberries").send(parcel, notes)
    assert len(bazaar.gallery) == 3


@pytest.mark.parametrize("market", MARKETS)
def test_a_failing_server_is_asked_again_and_then_left(bazaar: Bazaar, market: str) -> None:
    naps: list[float] = []
    bazaar.faults.append(Fault("/", 502, times=2))
    publisher(market, naps).send(parcel_of(bazaar, market), Notes())
    assert naps[:1] and 2.0 in naps and 4.0 in naps
    bazaar.faults.append(Fault("/", 503, times=99))
    with pytest.raises(Retryable, match="answered 503"):
        publisher(market).send(parcel_of(bazaar, market, first=5), Notes())


def test_an_answer_that_was_lost_leaves_no_double(bazaar: Bazaar) -> None:
    """The upload took effect, its answer did not come: the same place is filled again, not another one."""
    for market in ("wildberries", "etsy"):
        bazaar.faults.append(Fault("/media/file" if market == "wildberries" else "/images", 504, times=1, kept=True))
        publisher(market).send(parcel_of(bazaar, market), Notes())
    assert len(bazaar.gallery) == 2 and len(bazaar.etsy) == 2


@pytest.mark.parametrize("market", MARKETS)
def test_wrong_credentials_are_told_by_their_settings_only(
    bazaar: Bazaar, market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SETTINGS:
        monkeypatch.setenv(name, "wrong-and-secret")
    bazaar.faults.append(Fault("/", 403, {"message": "bad token wrong-and-secret"}))
    maker, parcel = publisher(market), parcel_of(bazaar, market)
    for _ in range(2):  # one that repeats the credential, one of the marketplace's own shape
        with pytest.raises(Refused) as caught:
            maker.send(parcel, Notes())
        assert "wrong-and-secret" not in str(caught.value)
        assert f"VITRINA_{market.upper()}" in str(caught.value)


def test_missing_credentials_and_plain_http_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VITRINA_EBAY_TOKEN", raising=False)
    with pytest.raises(ResourceError, match="VITRINA_EBAY_TOKEN: not set"):
        secret("VITRINA_EBAY_TOKEN")
    monkeypatch.setenv("VITRINA_EBAY_URL", "http://ebay.example")
    with pytest.raises(UsageError, match="https only"):
        base_url("VITRINA_EBAY_URL", "https://api.ebay.com")


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1
    entries: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if username == "VITRINA_OZON_API_KEY":
            raise keyring.errors.KeyringLocked("the keyring is locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


def test_credentials_come_from_the_environment_else_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        keyring.set_password("vitrina", "VITRINA_EBAY_TOKEN", "of the keyring")
        monkeypatch.delenv("VITRINA_EBAY_TOKEN", raising=False)
        assert secret("VITRINA_EBAY_TOKEN").value == "of the keyring"
        monkeypatch.setenv("VITRINA_EBAY_TOKEN", "of the environment")
        assert secret("VITRINA_EBAY_TOKEN").value == "of the environment"
        with pytest.raises(ResourceError, match="VITRINA_OZON_API_KEY: not set"):
            secret("VITRINA_OZON_API_KEY")
    finally:
        keyring.set_keyring(before)


def test_wildberries_that_keeps_nothing_is_found_out(bazaar: Bazaar) -> None:
    bazaar.swallows = True
    with pytest.raises(Refused, match="answered with 200, but the card shows 0 pictures of 2"):
        publisher("wildberries").send(parcel_of(bazaar, "wildberries"), Notes())


def test_wildberries_refuses_small_pictures_in_its_own_words(bazaar: Bazaar) -> None:
    notes = Notes()
    with pytest.raises(Refused, match="smaller than 700x900: 600x800"):
        publisher("wildberries").send(parcel_of(bazaar, "wildberries", size=Size(600, 800)), notes)
    assert notes.kept == {}, "a refusal is no answer to be kept"


def test_wildberries_says_error_with_status_200(bazaar: Bazaar) -> None:
    bazaar.faults.append(Fault("/media/file", 200, {"data": None, "error": True, "errorText": "Bad colour profile"}))
    with pytest.raises(Refused, match="Bad colour profile"):
        publisher("wildberries").send(parcel_of(bazaar, "wildberries"), Notes())


def test_ozon_says_imported_and_complains_later(bazaar: Bazaar) -> None:
    bazaar.errors = [{"url": "https://x/ring-0.jpg", "message": "Image is not available"}]
    with pytest.raises(Refused, match=r"refused after they had been taken: .*not available"):
        publisher("ozon").send(parcel_of(bazaar, "ozon"), Notes())


def test_ozon_is_waited_for_and_then_asked_later(bazaar: Bazaar) -> None:
    bazaar.delay, notes, parcel = 3, Notes(), parcel_of(bazaar, "ozon")
    publisher("ozon").send(parcel, notes)
    assert len(bazaar.gallery) == 2
    bazaar.delay, notes, parcel = 99, Notes(), parcel_of(bazaar, "ozon", first=4)
    with pytest.raises(Retryable, match="nothing is sent twice"):
        publisher("ozon").send(parcel, notes)
    bazaar.delay = 0
    publisher("ozon").send(parcel, notes)
    assert len(bazaar.asked("/pictures/import")) == 2


def test_etsy_that_puts_new_pictures_first_is_put_in_order(bazaar: Bazaar) -> None:
    bazaar.etsy_forgets_rank = True
    parcel, maker = parcel_of(bazaar, "etsy", count=3), publisher("etsy")
    maker.send(parcel, Notes())
    assert [seen.form["rank"] for seen in bazaar.seen if seen.file] == ["1", "2", "3"], "a form value, not a file"
    assert len([seen for seen in bazaar.seen if seen.method == "PATCH"]) == 1
    assert [digest_of(maker.fetch(a)) for a in maker.shown(parcel)] == [picture.digest for picture in parcel.pictures]


def test_a_full_gallery_of_etsy_is_told_in_its_words(bazaar: Bazaar) -> None:
    bazaar.etsy = [{"listing_image_id": i, "rank": i, "url_fullxfull": "https://x/1.jpg"} for i in range(1, 21)]
    with pytest.raises(Refused, match="maximum number of images"):
        publisher("etsy").send(parcel_of(bazaar, "etsy"), Notes())


def test_ebay_changes_the_items_pictures_and_nothing_else(bazaar: Bazaar) -> None:
    bazaar.item["product"]["imageUrls"] = ["https://elsewhere/own.jpg"]
    publisher("ebay").send(parcel_of(bazaar, "ebay"), Notes())
    assert bazaar.item["condition"] == "NEW" and bazaar.item["product"]["title"] == "Ring"
    assert len(bazaar.item["product"]["imageUrls"]) == 2
    assert all(bazaar.url in url for url in bazaar.item["product"]["imageUrls"]), "never mixed with others' hosting"
    assert not bazaar.asked("offer")


def test_pictures_that_ebay_has_thrown_away_are_sent_again(bazaar: Bazaar) -> None:
    """Uploaded, but never written into an item: after a month they are gone, and so are their addresses."""
    bazaar.expires = "2020-01-01T00:00:00.000Z"
    bazaar.faults.append(Fault("/inventory_item", 400, {"errors": []}, after=1))
    parcel, notes = parcel_of(bazaar, "ebay"), Notes()
    with pytest.raises(Refused):
        publisher("ebay").send(parcel, notes)
    assert len(notes.kept) == 2
    publisher("ebay").send(parcel, notes)
    assert len([seen for seen in bazaar.seen if seen.file]) == 4, "both once more"
    publisher("ebay").send(parcel, notes)
    assert len([seen for seen in bazaar.seen if seen.file]) == 4, "what an item shows does not expire"


def test_kaspi_is_waited_for_and_its_result_read(bazaar: Bazaar) -> None:
    bazaar.delay = 3
    publisher("kaspi").send(parcel_of(bazaar, "kaspi"), Notes())
    bazaar.errors = [{"R-1": {"state": "ERROR", "message": "category is unknown"}}]
    with pytest.raises(Refused, match="category is unknown"):
        publisher("kaspi").send(parcel_of(bazaar, "kaspi", first=3), Notes())
    bazaar.delay, bazaar.errors = 99, []
    with pytest.raises(Retryable, match="still UPLOADED"):
        publisher("kaspi").send(parcel_of(bazaar, "kaspi", first=6), Notes())


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ("no json", "not a JSON object"), ('{"sku": "R"}', "lacks title, brand, category"),
        (json.dumps({"sku": "R" * 65, "title": "t", "brand": "b", "category": "Master"}), "65 characters, 64 allowed"),
    ],
)  # fmt: skip
def test_kaspis_limits_are_held_before_anything_is_sent(bazaar: Bazaar, product: str, said: str) -> None:
    parcel = parcel_of(bazaar, "kaspi")
    wrong = Parcel("kaspi", "RING-1", {"product": product}, parcel.pictures)
    with pytest.raises(UsageError, match=said):
        publisher("kaspi").send(wrong, Notes())
    assert bazaar.seen == []


def test_what_cannot_be_fetched_is_told(bazaar: Bazaar) -> None:
    fetch: Callable[[str], bytes] = publisher("ozon").fetch
    for address, said in (
        (f"{bazaar.url}/files/none.jpg", "answered 404"), ("file:///etc/passwd", "no web address"),
        ("http://127.0.0.1:1/x.jpg", "cannot be fetched"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=said):
            fetch(address)


def test_a_folder_and_a_zip_hold_the_files_in_order(bazaar: Bazaar, tmp_path: Path) -> None:
    plain = parcel_of(bazaar, "ebay")
    for target in ("out", "out.zip"):
        parcel = Parcel("ebay", "RING-1", {"path": str(tmp_path / target)}, plain.pictures)
        maker = Folder()
        maker.send(parcel, Notes())
        shown = maker.shown(parcel)
        assert [Path(path).name for path in shown] == ["01_ring-0.jpg", "02_ring-1.jpg"]
        assert [maker.fetch(path) for path in shown] == [picture.data for picture in plain.pictures]
    first = (tmp_path / "out.zip").read_bytes()
    assert zipfile.ZipFile(io.BytesIO(first)).testzip() is None
    maker.send(parcel, Notes())
    assert (tmp_path / "out.zip").read_bytes() == first
