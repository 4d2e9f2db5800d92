"""The same photo found again, measured: what copies cost in bits, how far other photos are, and how fast it is.

    python benchmarks/copies.py [--photos FILE...] [--records N]

`--photos` are JPEG or PNG files of different views. Each is copied in the ways that photos are (encoded, resized,
lightened, turned, cropped, mirrored, captioned); the bits in which the copies' prints differ are printed, and the
nearest two photos that are not copies. `--records` puts N photos with prints into an SQLite database in a temporary
folder and times what an added photo is asked: does it stand under another SKU?
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from vitrina.actions.origins import judge_origin
from vitrina.config import Config
from vitrina.imaging.colour import decode_srgb
from vitrina.imaging.likeness import as_words, bits_apart, photo_print
from vitrina.model import Sku
from vitrina.stages.copies import SAME_PHOTO_BITS
from vitrina.stages.rights import Right, Rights
from vitrina.store import pictures, skus
from vitrina.store.engine import open_store

Picture = NDArray[np.uint8]
LONG_PX = 1600


def encoded(picture: Picture, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def resized(picture: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def lightened(picture: Picture, gain: float) -> Picture:
    return np.clip(picture * gain, 0, 255).astype(np.uint8)


def turned(picture: Picture, degrees: float) -> Picture:
    size = picture.shape[1::-1]
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def cropped(picture: Picture, share: float) -> Picture:
    rows, columns = (int(side * share) for side in picture.shape[:2])
    return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]


def captioned(picture: Picture) -> Picture:
    at = (picture.shape[1] // 20, picture.shape[0] - picture.shape[0] // 20)
    return np.asarray(cv2.putText(picture.copy(), "SALE -30%", at, cv2.FONT_HERSHEY_DUPLEX, 2, (255,) * 3, 4), np.uint8)


WAYS: dict[str, Callable[[Picture], Picture]] = {
    "encoded at quality 40": lambda p: encoded(p, 40),
    "two fifths as large": lambda p: resized(p, 0.4),
    "two fifths as large, quality 50": lambda p: encoded(resized(p, 0.4), 50),
    "lightened by 15 %": lambda p: lightened(p, 1.15),
    "darkened by 20 %": lambda p: lightened(p, 0.8),
    "mirrored": lambda p: p[:, ::-1],
    "turned by 1°": lambda p: turned(p, 1),
    "captioned": captioned,
    "cropped by 2 % a side": lambda p: cropped(p, 0.02),
    "cropped by 5 % a side": lambda p: cropped(p, 0.05),
}


def print_of(picture: Picture) -> str:
    return photo_print(decode_srgb(np.ascontiguousarray(picture[..., ::-1])))


def measure_photos(paths: list[Path]) -> None:
    """Copies and others, in bits."""
    photos = []
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is not None:
            photos.append(resized(np.asarray(picture, np.uint8), min(1.0, LONG_PX / max(picture.shape))))
    words = as_words("".join(map(print_of, photos)))
    print(f"{len(photos)} photos; a copy is what differs in at most {SAME_PHOTO_BITS} bits of 256")
    for name, change in WAYS.items():
        apart = [int(bits_apart(own, as_words(print_of(change(p))))[0]) for own, p in zip(words, photos, strict=True)]
        found = sum(bits <= SAME_PHOTO_BITS for bits in apart)
        print(f"  {name:32} found {found} of {len(apart)}, median {np.median(apart):.0f}, most {max(apart)}")
    others = [int(bits_apart(words[i], words[i + 1 :]).min()) for i in range(len(words) - 1)]
    print(f"  the nearest of {len(words) * (len(words) - 1) // 2} pairs of other photos: {min(others)} bits")


def measure_records(count: int) -> None:
    """Time to ask about one added photo among `count` others."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as home:
        store = open_store(Config(Path(home)))
        with store.writing() as conn:
            skus.put(conn, Sku("A"), at="t")
            row = skus.get(conn, "A")
            assert row is not None
            digests = [f"{number:064x}" for number in range(count)]
            conn.execute(
                sa.insert(pictures.blobs),
                [{"digest": d, "room": "originals", "bytes": 1, "kept_at": "t"} for d in digests],
            )
            prints = [rng.bytes(32).hex() for _ in digests]
            conn.execute(
                sa.insert(pictures.photos),
                [
                    {"sku_id": row.id, "digest": d, "name": "p.jpg", "capture": {}, "verdict": "", "added_at": "t",
                     "print": taken}
                    for d, taken in zip(digests, prints, strict=True)
                ],
            )  # fmt: skip
        for _ in range(5):
            started, cpu = time.perf_counter(), time.process_time()
            with store.reading() as conn:
                found = judge_origin(conn, None, digest="none", taken_print=prints[-1], rights=Rights(Right.OWN))
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
            print(f"  among {count} photos: {1000 * wall:.0f} ms ({1000 * cpu:.0f} ms of CPU), found {len(found)}")
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, nargs="+", default=[])
    parser.add_argument("--records", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.photos:
        measure_photos(chosen.photos)
    if chosen.records:
        measure_records(chosen.records)


if __name__ == "__main__":
    main()
