"""Inspecting a SKU's photos together: the shot list, and the best of several."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vitrina.config import load_config
from vitrina.errors import Unreadable, UsageError, VitrinaError
from vitrina.files import photos_in, read_bytes, write_bytes
from vitrina.model import Source, Verdict


def photos_of(paths: Sequence[Path]) -> list[Path]:
    """`paths` with every folder replaced by the photos in it; raises Unreadable for a folder without any."""
    found: list[Path] = []
    for path in paths:
        inside = photos_in(path) if path.is_dir() else [path]
        if not inside:
            raise Unreadable(f"{path}: no photos in this folder. Put the photos of one SKU into it.")
        found += inside
    return found


def told_shots(pairs: Sequence[str], photos: Sequence[Path]) -> dict[str, str]:
    """``FILE=KIND`` as a table by file name; raises UsageError for a file or a kind there is none of."""
    from vitrina.stages.intake.shots import Shot

    kinds, names = [str(shot) for shot in Shot], {path.name for path in photos}
    table = {}
    for pair in pairs:
        name, mark, kind = pair.rpartition("=")
        if not mark or kind not in kinds:
            raise UsageError(f"--shot {pair}: FILE=KIND is wanted, KIND one of {', '.join(kinds)}.")
        if Path(name).name not in names:
            raise UsageError(f"--shot {pair}: there is no photo {Path(name).name} among those that are inspected.")
        table[Path(name).name] = kind
    return table


def piece_type_of(sku: str, home: Path | None = None) -> str | None:
    """The catalogue's piece type of `sku`; None without a catalogue or without the SKU in it. Makes no home."""
    config = load_config(home=home)
    if not config.home.is_dir():
        return None
    from vitrina.actions.house import open_house
    from vitrina.actions.skus import show_sku

    try:
        with open_house(config, person=None) as house:
            return str(show_sku(house, sku)["piece_type"])
    except VitrinaError:
        return None


def shots_wanted(piece_type: str) -> list[str]:
    """The views that a piece of this type needs, in the order in which they are best taken."""
    from vitrina.stages.intake.shots import WANTED

    return [str(shot) for shot in WANTED.get(piece_type, WANTED["other"])]


class ShotList:
    """Collects what is seen of a SKU's photos, one at a time, and judges them together."""

    def __init__(self, piece_type: str, told: Mapping[str, str], language: str, model: Path | None) -> None:
        from vitrina import steps
        from vitrina.stages.intake.shots import WANTED

        if piece_type not in WANTED:
            raise UsageError(f"--type {piece_type}: there are {', '.join(WANTED)}.")
        self._type, self._told, self._language = piece_type, told, language
        self._finder = steps.segmenter(model)
        self._seen: list[Any] = []
        self._paths: dict[str, Path] = {}

    def inspect(self, path: Path) -> dict[str, Any]:
        """The document of one photo, with the view that it shows."""
        from vitrina import steps

        source = steps.take_in(read_bytes(path), name=str(path))
        judgement, seen = steps.inspect_shot(
            source, finder=self._finder, piece_type=self._type, told=self._told.get(path.name)
        )
        self._seen.append(seen)
        self._paths[seen.name] = path
        return {"file": str(path), "shot": seen.shot, **steps.advise(judgement, self._language).as_dict()}

    def fuse(self, out: Path, method: str | None) -> Iterator[dict[str, Any]]:
        """Each view that was taken several times made one picture in `out`, the best frame first; its documents.

        A fused picture that verification rejects is not written, and the document says so.
        """
        from vitrina import steps
        from vitrina.codec.encode import encode_png16
        from vitrina.codec.xmp import fused_packet
        from vitrina.stages.intake.shots import best_first, groups

        for group in groups(self._seen):
            if len(group) < 2:
                continue
            paths = [self._paths[photo.name] for photo in best_first(group)]

            def frame(number: int, paths: Sequence[Path] = paths) -> Source:
                return steps.take_in(read_bytes(paths[number]), name=str(paths[number]))

            fused, judgement = steps.fuse(len(paths), frame, method=method, finder=self._finder)
            kept = [paths[number] for number in fused.frames]
            document: dict[str, Any] = {"frames": [str(path) for path in kept], "output": None}
            if fused.rgb is not None and judgement.verdict is not Verdict.REJECT:
                target = out / f"{kept[0].stem}-fused.png"
                digests = [hashlib.sha256(read_bytes(path)).hexdigest() for path in kept]
                write_bytes(target, encode_png16(fused.rgb, xmp=fused_packet(fused.method, digests)))
                document |= {"output": str(target), "sha256": digests, "status": "draft"}
            yield {**document, **steps.advise(judgement, self._language).as_dict()}

    def judge(self, sku: str) -> dict[str, Any]:
        """The document of all of them together."""
        from vitrina import steps

        judgement = steps.judge_shots(self._seen, piece_type=self._type)
        return {"sku": sku, **steps.advise(judgement, self._language).as_dict()}
