"""Every kind of file in: upright, colour-managed, linear; and what cannot be taken, with a reason and a remedy."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.codec.files import (
    ADOBE_RGB,
    QUADRANTS,
    as_stored,
    chunk,
    exif,
    matrix_profile,
    png_claiming,
    quadrants,
    saved,
)
from tests.conftest import DATA
from tests.scenes import Scene
from vitrina.codec.decode import decode, decode_alpha
from vitrina.codec.encode import encode_png16
from vitrina.errors import InputError, TooLarge, Unreadable, Unsupported
from vitrina.imaging.colour import decode_srgb, delta_e00, lab, lab_of
from vitrina.model import Size, Source


def corners(source: Source) -> np.ndarray:
    """Lab of the middle of each quadrant: top left, top right, bottom left, bottom right."""
    height, width = source.rgb.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return lab(np.array([[source.rgb[row, column] for row in rows for column in columns]], np.float32))[0]


EXPECTED = lab(decode_srgb(np.array([QUADRANTS], np.uint8)))[0]


def is_upright(source: Source, *, limit_de00: float = 3) -> bool:
    return bool(delta_e00(corners(source), EXPECTED).max() < limit_de00)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    stored = as_stored(quadrants(), orientation)
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    source = decode(saved(stored, kind, exif=exif(orientation), **options), name="turned")
    assert source.size == Size(64, 48)
    assert is_upright(source)


def test_a_heic_turned_by_its_container_is_turned_once() -> None:
    """Phones write both the container's rotation and EXIF's; only one may be applied."""
    source = decode((DATA / "turned.heic").read_bytes(), name="turned.heic")
    assert source.facts.format == "HEIF"
    assert source.size == Size(48, 64)
    upright = lab(decode_srgb(np.array([[QUADRANTS[i] for i in (2, 0, 3, 1)]], np.uint8)))[0]
    assert delta_e00(corners(source), upright).max() < 3


@pytest.mark.parametrize("at", [33, -12], ids=["before", "behind"])
def test_a_png_says_its_orientation_before_or_behind_its_pixels(at: int) -> None:
    plain = saved(as_stored(quadrants(), 6), "PNG")
    source = decode(plain[:at] + chunk(b"eXIf", exif(6)[6:]) + plain[at:], name="turned.png")
    assert source.size == Size(64, 48)
    assert is_upright(source)


def test_avif_is_taken() -> None:
    assert is_upright(decode(saved(quadrants(), "AVIF", quality=95), name="x.avif"))


def test_eight_bit_codes_decode_exactly() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = np.dstack([codes, codes[::-1], codes.T])
    source = decode(saved(picture, "PNG"), name="codes.png")
    assert np.array_equal(source.rgb, decode_srgb(picture))
    assert source.rgb.dtype == np.float32


def test_sixteen_bits_with_alpha_keep_their_depth(drawn_ring: Scene) -> None:
    data = encode_png16(drawn_ring.foreground, drawn_ring.alpha)
    source = decode(data, name="cutout.png")
    assert source.facts.bits == 16
    assert source.alpha is not None
    assert source.alpha == pytest.approx(drawn_ring.alpha, abs=1 / 65535)
    assert source.rgb == pytest.approx(drawn_ring.on((1, 1, 1)), abs=1e-3)
    assert [note.code for note in source.notes] == ["transparent"]


def test_alpha_alone_is_the_alpha_of_the_whole(drawn_ring: Scene) -> None:
    data = encode_png16(drawn_ring.foreground, drawn_ring.alpha)
    alone = decode_alpha(data, name="ring.png")
    assert alone is not None and np.array_equal(alone, decode(data, name="ring.png").alpha)
    assert decode_alpha(saved(Image.new("L", (20, 20), 128), "PNG"), name="grey.png") is None
    assert decode_alpha(saved(Image.new("RGBA", (20, 20), (9, 9, 9, 255)), "PNG"), name="opaque.png") is None
    with pytest.raises(Unreadable):
        decode_alpha(data[: len(data) // 2], name="half.png")


def test_an_opaque_alpha_channel_is_no_transparency() -> None:
    opaque = np.dstack([quadrants(), np.full((48, 64), 255, np.uint8)])
    source = decode(saved(opaque, "PNG"), name="opaque.png")
    assert source.alpha is None
    assert is_upright(source)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16"])
def test_other_pixel_layouts_become_rgb(mode: str) -> None:
    picture = quadrants()
    if mode == "I;16":
        image = Image.fromarray(picture[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(picture).convert(mode)
    source = decode(saved(image, "PNG"), name="layout.png")
    assert source.rgb.shape == (48, 64, 3)
    assert source.rgb[:24, :32].mean() < source.rgb[24:, 32:].mean() - 0.1
    if mode in ("L", "LA", "1", "I;16"):
        assert np.ptp(source.rgb, axis=-1).max() < 1e-6


def test_a_transparent_palette_is_laid_on_white() -> None:
    image = Image.fromarray(quadrants()).convert("P", palette=Image.Palette.ADAPTIVE)
    image.info["transparency"] = image.getpixel((2, 2))
    source = decode(saved(image, "PNG", transparency=image.getpixel((2, 2))), name="palette.png")
    assert source.alpha is not None
    assert source.rgb[2, 2] == pytest.approx(1, abs=1e-3)
    assert float(source.alpha[-2, -2]) == 1


def test_an_embedded_profile_is_honoured() -> None:
    """Adobe RGB values are other colours than the same sRGB values; the arithmetic is done here by hand."""
    profile = matrix_profile(ADOBE_RGB, gamma=2.19921875, name="Adobe RGB (1998)")
    picture = np.full((32, 32, 3), (140, 170, 90), np.uint8)
    source = decode(saved(picture, "PNG", icc_profile=profile), name="adobe.png")
    assert source.facts.icc_description == "Adobe RGB (1998)"
    xyz_d50 = (picture[0, 0] / 255.0) ** 2.19921875 @ np.array(ADOBE_RGB)
    bradford = np.array([  # D50 to D65, then XYZ to linear sRGB (IEC 61966-2-1)
        [0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.0204830, 1.3299098],
    ])  # fmt: skip
    to_srgb = np.array([
        [3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252],
    ])  # fmt: skip
    expected = to_srgb @ bradford @ xyz_d50
    assert delta_e00(lab_of(source.rgb[5, 5]), lab_of(expected)) < 0.6
    naive = decode_srgb(picture)[5, 5]
    assert delta_e00(lab_of(source.rgb[5, 5]), lab_of(naive)) > 2.5


def test_a_damaged_profile_is_said() -> None:
    source = decode(saved(quadrants(), "PNG", icc_profile=b"not a profile at all" * 10), name="bad-icc.png")
    assert is_upright(source)
    assert [note.code for note in source.notes] == ["colour-assumed"]


def test_our_own_profile_changes_nothing() -> None:
    """All 16-bit codes come back, although the file carries a profile."""
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    picture = decode_srgb(np.dstack([codes, codes[::-1], codes.T]))
    assert np.array_equal(decode(encode_png16(picture), name="master.png").rgb, picture)


def test_cmyk_is_converted_and_said() -> None:
    image = Image.fromarray(quadrants()).convert("CMYK")
    source = decode(saved(image, "JPEG", quality=95), name="press.jpg")
    assert source.facts.mode == "CMYK"
    assert [note.code for note in source.notes] == ["colour-assumed"]
    # Which press it was nobody knows: hues must be kept, not values.
    red, green, blue, white = corners(source)
    assert red[1] > 25
    assert green[1] < -15
    assert blue[2] < -15
    assert white[0] > 85


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", Unreadable, ("empty", "0 bytes")),
        (b"Dear customer, the ring is lovely.\n" * 40, Unreadable, ("not a picture", "1400 bytes")),
        (saved(quadrants(), "JPEG")[:300], Unreadable, ("damaged",)),
        (saved(quadrants(), "PNG")[:80], Unreadable, ("damaged",)),
        (png_claiming(20_000, 10_000), TooLarge, ("200 megapixels", "limit 120", "VITRINA_MAX_MEGAPIXELS")),
        (saved(quadrants(), "GIF"), Unsupported, ("GIF", "JPEG")),
        (saved(quadrants(), "BMP"), Unsupported, ("BMP",)),
    ],
    ids=["empty", "text", "truncated-jpeg", "truncated-png", "bomb", "gif", "bmp"],
)
def test_what_cannot_be_taken_says_why(data: bytes, kind: type[InputError], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        decode(data, name="photo.jpg")
    message = str(caught.value)
    assert message.startswith("photo.jpg: ")
    for word in words:
        assert word in message
    assert "\n" not in message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF"])
def test_animations_are_refused(kind: str) -> None:
    frames = [Image.fromarray(quadrants()), Image.fromarray(quadrants()[::-1].copy())]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(Unsupported, match=r"animation of 2 frames|GIF"):
        decode(data, name="moving")


def test_the_limit_counts_pixels_not_bytes() -> None:
    data = saved(quadrants(), "PNG")
    assert decode(data, name="x", max_megapixels=64 * 48 / 1e6).size == Size(64, 48)
    with pytest.raises(TooLarge):
        decode(data, name="x", max_megapixels=64 * 48 / 1e6 - 1e-6)


def test_one_pixel_is_a_picture() -> None:
    source = decode(saved(np.full((1, 1, 3), 200, np.uint8), "PNG"), name="dot.png")
    assert source.size == Size(1, 1)
