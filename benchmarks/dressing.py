"""What tools do around the piece: edges, frame and shape, ground, print; and what they may do.

Each function takes a `Piece` and a random generator and gives a `Made`, or None when it does not apply.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from piece import (
    WHITE,
    Made,
    Piece,
    Random,
    about,
    centre_of,
    disc,
    grown,
    region_of,
)

from vitrina.imaging.colour import decode_srgb, lab
from vitrina.imaging.compose import over
from vitrina.model import Region, Rgb

LATIN, CYRILLIC = ("SALE -50%", "925 SILVER", "NEW COLLECTION"), ("СКИДКА 30%", "ЗОЛОТО 585", "Бесплатная доставка")
FACES = ("sans", "serif", "italic")
"""Typefaces that OpenCV brings along; all three have Cyrillic."""


# Edges, frame, geometry


def edge_halo(piece: Piece, _: Random) -> Made | None:
    radius = max(2, round(0.004 * max(piece.alpha.shape)))
    wide = np.asarray(cv2.dilate(piece.alpha, disc(2 * radius + 1)), np.float32)
    picture = over(piece.rgb, wide, np.array(WHITE, np.float32))
    if float(lab(picture)[grown(piece.alpha > 0.5, radius) & (piece.alpha < 0.1)][:, 0].mean()) > 90:
        grey = np.where((piece.alpha > 0.5)[..., None], piece.rgb, np.float32(0.45))
        picture = over(grey.astype(np.float32), wide, np.array(WHITE, np.float32))
    return Made(picture, f"a rim of {radius} px of the old ground", region_of(wide > 0.5), "small")


def edge_eroded(piece: Piece, _: Random) -> Made | None:
    radius = max(2, round(0.0026 * max(piece.alpha.shape)))
    alpha = np.asarray(cv2.erode(piece.alpha, disc(2 * radius + 1)), np.float32)
    if float(alpha.sum()) < 0.35 * float(piece.alpha.sum()):
        return None
    picture = over(piece.foreground, alpha, np.array(WHITE, np.float32))
    return Made(picture, f"cut-out eroded by {radius} px", region_of(piece.alpha > 0.5))


def cropped(piece: Piece, rng: Random) -> Made | None:
    height, width = piece.alpha.shape
    box = region_of(piece.alpha > 0.5)
    share = float(rng.uniform(0.05, 0.12))
    side = int(rng.integers(4))
    cut = round(share * (box.width if side < 2 else box.height))
    dx = (width - box.x - box.width + cut, -(box.x + cut), 0, 0)[side]
    dy = (0, 0, height - box.y - box.height + cut, -(box.y + cut))[side]
    lost = (
        Region(box.x + box.width - cut, box.y, cut, box.height), Region(box.x, box.y, cut, box.height),
        Region(box.x, box.y + box.height - cut, box.width, cut), Region(box.x, box.y, box.width, cut),
    )[side]  # fmt: skip
    matrix = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])
    return Made(piece.on(), f"cut by the frame, {share:.2f} of its extent", lost, matrix=matrix, still=True)


def mirrored(piece: Piece, _: Random) -> Made | None:
    matrix = np.array([[-1, 0, piece.alpha.shape[1] - 1], [0, 1, 0], [0, 0, 1.0]])
    return Made(piece.on(), "mirrored", region_of(piece.alpha > 0.5), "strong", matrix=matrix)


def stretched(piece: Piece, rng: Random) -> Made | None:
    x, y = centre_of(piece.alpha > 0.5)
    wide = bool(rng.integers(2))
    matrix = about((x, y), 1.04 if wide else 1.0, 1.0 if wide else 1.04)
    return Made(piece.on(), f"{'width' if wide else 'height'} x1.04", region_of(piece.alpha > 0.5), matrix=matrix)


def warped(piece: Piece, rng: Random) -> Made | None:
    """Liquify: a bulge that moves the piece by up to 4 px at 1000 px."""
    rows, columns = np.nonzero(piece.alpha > 0.9)
    pick = int(rng.integers(len(rows)))
    shift, reach = 0.004 * max(piece.alpha.shape), 0.07 * piece.extent
    y, x = np.mgrid[: piece.alpha.shape[0], : piece.alpha.shape[1]].astype(np.float32)
    bump = np.exp(-((x - columns[pick]) ** 2 + (y - rows[pick]) ** 2) / (2 * reach**2))
    turn = rng.uniform(0, 2 * math.pi)
    maps = [(p + shift * v * bump).astype(np.float32) for p, v in ((x, math.cos(turn)), (y, math.sin(turn)))]
    picture = np.asarray(cv2.remap(piece.on(), *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
    box = region_of((bump > 0.5) & (piece.alpha > 0.5))
    return Made(np.clip(picture, 0, 1), "pushed by up to 4 px", box, "small")


# Ground and print


def bg_tint(piece: Piece, rng: Random) -> Made | None:
    tint = (1 - rng.uniform(0.05, 0.16, 3) * (rng.permutation(3) != 0)).tolist()
    ground = (tint[0], tint[1], tint[2])
    return Made(piece.on(ground), "tinted ground", beyond=ground)


def bg_gradient(piece: Piece, rng: Random) -> Made | None:
    light = np.linspace(1.0, float(rng.uniform(0.15, 0.45)), piece.alpha.shape[0], dtype=np.float32)
    ground = np.broadcast_to(light[:, None, None], piece.rgb.shape).astype(np.float32)
    return Made(over(piece.foreground, piece.alpha, ground), "ground from white to grey", severity="strong", still=True)


def _printed(picture: Rgb, ink: NDArray[np.float32], colour: tuple[float, float, float], strength: float) -> Rgb:
    return over(np.broadcast_to(np.array(colour, np.float32), picture.shape), ink * np.float32(strength), picture)


def _words(shape: tuple[int, int], text: str, at: tuple[int, int], size: int, rng: Random) -> NDArray[np.float32]:
    ink = np.zeros(shape, np.uint8)
    cv2.putText(ink, text, at, 255, cv2.FontFace(str(rng.choice(FACES))), size, int(rng.choice([400, 700])))
    return ink.astype(np.float32) / 255


def _banner(texts: tuple[str, ...]) -> Callable[[Piece, Random], Made | None]:
    def make(piece: Piece, rng: Random) -> Made | None:
        height, width = piece.alpha.shape
        size = round(0.05 * width * float(rng.uniform(0.8, 1.2)))
        top = bool(rng.integers(2))
        at = (round(0.04 * width), round(0.035 * height) + size if top else round(0.95 * height))
        ink = _words((height, width), str(rng.choice(texts)), at, size, rng)
        colour = ((0.6, 0.01, 0.01), (0.02, 0.02, 0.02), (0.02, 0.03, 0.3))[int(rng.integers(3))]
        picture = _printed(piece.on(), ink, colour, 1.0)
        return Made(picture, "a line of text", region_of(ink > 0.3), "strong", still=True)

    return make


def text_diagonal(piece: Piece, rng: Random) -> Made | None:
    """A pale watermark across the middle."""
    height, width = piece.alpha.shape
    size = round(0.07 * width)
    text = str(rng.choice((*LATIN, *CYRILLIC)))
    flat = _words((height, width), text, (round(0.22 * width), height // 2), size, rng)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(20, 40)), 1.0)
    ink = np.asarray(cv2.warpAffine(flat, turn, (width, height)), np.float32)
    picture = _printed(piece.on(), ink, (0.25, 0.25, 0.25), float(rng.uniform(0.3, 0.5)))
    return Made(picture, "a pale diagonal watermark", region_of(ink > 0.3))


def text_logo(piece: Piece, rng: Random) -> Made | None:
    """A round badge in a corner."""
    height, width = piece.alpha.shape
    radius = round(0.055 * width)
    corner = int(rng.integers(4))
    at = (radius + 20 if corner % 2 else width - radius - 20, radius + 20 if corner < 2 else height - radius - 20)
    ink = np.zeros((height, width), np.uint8)
    cv2.circle(ink, at, radius, 255, max(3, radius // 8), cv2.LINE_AA)
    cv2.fillPoly(ink, [np.array([(at[0], at[1] - radius // 2), (at[0] + radius // 2, at[1] + radius // 3),
                                 (at[0] - radius // 2, at[1] + radius // 3)], np.int32)], 255, cv2.LINE_AA)  # fmt: skip
    colour = ((0.4, 0.25, 0.02), (0.02, 0.02, 0.02))[int(rng.integers(2))]
    picture = _printed(piece.on(), ink.astype(np.float32) / 255, colour, 1.0)
    return Made(picture, "a logo in the corner", region_of(ink > 80), still=True)


# What may be done


def clean_lightgrey(piece: Piece, _: Random) -> Made | None:
    grey = float(decode_srgb(np.array([241], np.uint8))[0])
    return Made(piece.on((grey, grey, grey)), "light grey 241", beyond=(grey, grey, grey))


def clean_softshadow(piece: Piece, rng: Random) -> Made | None:
    height, width = piece.alpha.shape
    reach = 0.02 * piece.extent
    fall = np.array([[1, 0, 0.4 * reach], [0, 1, 0.8 * reach]], np.float32)
    shadow = cv2.GaussianBlur(cv2.warpAffine(piece.alpha, fall, (width, height)), (0, 0), reach)[..., None]
    ground = np.asarray(np.repeat(1 - float(rng.uniform(0.2, 0.4)) * shadow, 3, axis=-1), np.float32)
    return Made(over(piece.foreground, piece.alpha, ground), "soft contact shadow", still=True)


def clean_exposure(piece: Piece, _: Random) -> Made | None:
    lifted = np.clip(piece.foreground * np.float32(2**0.1), 0, 1)
    return Made(over(lifted, piece.alpha, np.array(WHITE, np.float32)), "exposure +0.1 EV")


def clean_reframe(piece: Piece, rng: Random) -> Made | None:
    """The piece scaled, turned by up to 3° and laid off the middle, still whole in the frame."""
    height, width = piece.alpha.shape
    box = region_of(piece.alpha > 0.5)
    turn = math.radians(float(rng.uniform(-3, 3)))
    room = min(width / (box.width + 0.06 * box.height), height / (box.height + 0.06 * box.width))
    scale = float(rng.uniform(0.75, 0.92)) * min(room, 1.25)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    x, y = box.x + box.width / 2, box.y + box.height / 2
    spare = 0.5 * np.array([width, height]) - 0.5 * scale * np.array(
        [box.width + 0.06 * box.height, box.height + 0.06 * box.width]
    )
    to = np.array([width / 2, height / 2]) + rng.uniform(-0.8, 0.8, 2) * np.maximum(spare, 0)
    matrix = np.array([[c, -s, to[0] - c * x + s * y], [s, c, to[1] - s * x - c * y], [0, 0, 1.0]])
    return Made(piece.on(), f"scale {scale:.2f}, turned {math.degrees(turn):.1f}°", matrix=matrix, still=True)


def clean_neutralised(piece: Piece, rng: Random) -> Made | None:
    """The photo is given a cast by its light; the edit is the card without it. Only where the old ground is neutral."""
    backdrop = np.median(piece.rgb[piece.alpha < 0.01], axis=0) if (piece.alpha < 0.01).any() else np.ones(3)
    if float(np.hypot(*lab(backdrop.reshape(1, 1, 3).astype(np.float32))[0, 0, 1:])) > 5:
        return None
    gains = np.array([(1.0, 0.90, 0.74), (0.86, 0.95, 1.0)][int(rng.integers(2))], np.float32)
    return Made(piece.on(), "the photo's colour cast taken out", source=np.asarray(piece.rgb * gains, np.float32))


DRESSING: dict[str, Callable[[Piece, Random], Made | None]] = {
    "edge_halo": edge_halo,
    "edge_eroded": edge_eroded,
    "cropped": cropped,
    "mirrored": mirrored,
    "stretched": stretched,
    "warped": warped,
    "bg_tint": bg_tint,
    "bg_gradient": bg_gradient,
    "text_banner": _banner(LATIN),
    "text_cyrillic": _banner(CYRILLIC),
    "text_diagonal": text_diagonal,
    "text_logo": text_logo,
    "clean_cutout": lambda piece, _: Made(piece.on(), "exact cut-out on white"),
    "clean_lightgrey": clean_lightgrey,
    "clean_softshadow": clean_softshadow,
    "clean_exposure": clean_exposure,
    "clean_resize_q85": lambda piece, _: Made(piece.on(), "800 px, JPEG q85", side=800, quality=85),
    "clean_reframe": clean_reframe,
    "clean_noise": lambda piece, _: Made(piece.on(), "fresh grain", noise=2.0),
    "clean_neutralised": clean_neutralised,
}
"""Those that begin with ``clean`` are allowed."""
