"""ICC profiles: what the numbers mean, on the way in and on the way out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyvips


@cache
def srgb_profile() -> bytes:
    """The bytes of an sRGB ICC profile (littleCMS's built-in one)."""
    from PIL import ImageCms

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _undated(made, date=_DATE)


_DATE = bytes.fromhex("07e800010001000000000000")
"""The day in the profile's header, 2024-01-01: littleCMS writes today's, but the same pixels give the same file."""


def _undated(profile: bytes, *, date: bytes = bytes(12)) -> bytes:
    """`profile` with its day of creation (ICC.1:2022, header bytes 24 to 35) set to `date` and without its digest."""
    return profile[:24] + date + profile[36:84] + bytes(16) + profile[100:]


def to_srgb(image: pyvips.Image) -> tuple[pyvips.Image, str | None]:
    """`image` in sRGB, three bands, at its own depth, and what was assumed about it (None: nothing).

    An embedded profile is honoured by relative colorimetric intent with black point compensation; CMYK without a
    profile goes through libvips' built-in CMYK profile, which is said.
    """
    import pyvips

    depth = 16 if image.format in ("ushort", "float", "double", "uint") else 8
    embedded = image.get_typeof("icc-profile-data") != 0
    is_cmyk = image.interpretation == "cmyk"
    said = None
    if embedded and image.bands == 3 and _undated(image.get("icc-profile-data")) == _undated(srgb_profile()):
        return image, None  # what we wrote ourselves comes back bit for bit; a transform would cost a few codes
    if embedded or is_cmyk:
        try:
            out = image.icc_transform(
                "srgb", embedded=True, input_profile="cmyk" if is_cmyk else "srgb", depth=depth,
                intent="relative", black_point_compensation=True,
            )  # fmt: skip
            if is_cmyk and not embedded:
                said = "CMYK without a profile: a standard press profile was assumed"
            elif is_cmyk:
                said = "CMYK converted by its own profile"
            return out, said
        except pyvips.Error:
            said = "the embedded ICC profile is damaged: sRGB was assumed"
    wanted = "rgb16" if depth == 16 else "srgb"
    if image.interpretation not in ("srgb", "rgb16"):
        image = image.colourspace(wanted)
    return image, said
