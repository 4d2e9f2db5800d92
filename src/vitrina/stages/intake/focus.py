"""Focus: blur on the piece itself, motion, depth of field across it, and noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from vitrina.imaging.measure import Edges, blur_map, noise_level
from vitrina.model import Finding, Region, Severity
from vitrina.stages.intake.advice import finding
from vitrina.stages.intake.view import View

_LEAST_EDGES = 60
_LEAST_RIM = 0.2
"""Share of the outline that must have contrast enough for its focus to be told."""
_WINDOWS = 48
"""Windows along the close frame's long side in which the blur is read."""
_WAYS = 8


def check(view: View) -> tuple[list[Finding], dict[str, Any]]:
    """Sharpness of the piece's edges, everywhere, by direction and by place; noise."""
    if view.box is None:
        return [], {}
    noise = noise_level(np.ascontiguousarray(view.close_lab[..., 0]))
    measures: dict[str, Any] = {"edges": len(view.edges), "noise_l": noise}
    findings = _noise(view, noise)
    blurred = _blur(view, measures) if len(view.edges) >= _LEAST_EDGES else []
    return [*findings, *(blurred or _outline(view, noise, measures))], measures


def _noise(view: View, noise: float) -> list[Finding]:
    limits = view.limits
    if noise <= limits.noise_warn:
        return []
    is_block = noise > limits.noise_block
    limit = limits.noise_block if is_block else limits.noise_warn
    severity = Severity.BLOCK if is_block else Severity.WARN
    return [finding("focus", "noise", severity, measured=noise, limit=limit, unit="L*", region=view.box)]


def _blur(view: View, measures: dict[str, Any]) -> list[Finding]:
    """Blur of the whole piece: by the sharpest fifth of its edges, and by those that face the camera's motion."""
    limits = view.limits
    sharpest = float(np.percentile(view.edges.width_px, 20))
    widest, ratio = smear(view.edges.within(view.rim))
    measures |= {"blur_px": sharpest, "smear_px": widest, "smear_ratio": ratio}
    moved = ratio > limits.motion_ratio and widest > limits.blur_warn_px
    measured = widest if moved else sharpest
    if measured <= limits.blur_warn_px:
        return []
    return [_soft_all_over(view, measured, code="motion-blur" if moved else "blur")]


def _soft_all_over(view: View, measured: float, *, code: str = "blur") -> Finding:
    limits = view.limits
    is_block = measured > limits.blur_block_px
    return finding(
        "focus", code, Severity.BLOCK if is_block else Severity.WARN, measured=measured,
        limit=limits.blur_block_px if is_block else limits.blur_warn_px, unit="px", region=view.box,
    )  # fmt: skip


def smear(edges: Edges) -> tuple[float, float]:
    """The typical width of the edges that face one way, the way where it is greatest, and its ratio to the least.

    Motion widens the edges across it and leaves those along it. The median of three neighbouring directions is taken,
    for one direction alone may be that of a soft reflection. (0, 1) when the edges do not face enough ways to tell.
    """
    degrees = np.degrees(edges.facing) % 180
    least = max(25, len(edges) // 60)
    typical = np.full(_WAYS, np.nan)
    for way in range(_WAYS):
        apart = np.abs((degrees - way * 180 / _WAYS + 90) % 180 - 90)
        facing = edges.width_px[apart < 20]
        if len(facing) >= least:
            typical[way] = np.percentile(facing, 20)
    around = np.stack([np.roll(typical, 1), typical, np.roll(typical, -1)])
    smooth = np.median(around, axis=0)
    if np.isfinite(smooth).sum() < _WAYS // 2:
        return 0.0, 1.0
    across, along = int(np.nanargmax(smooth)), int(np.nanargmin(typical))
    turn = abs(across - along) % _WAYS
    if min(turn, _WAYS - turn) < _WAYS // 2 - 1:  # what is widest and what is narrowest must face about square
        return 0.0, 1.0
    widest = float(smooth[across])
    return widest, widest / max(float(typical[along]), 0.6)


def _outline(view: View, noise: float, measures: dict[str, Any]) -> list[Finding]:
    """Blur of the piece's outline alone, for what metal reflects may be as soft or as sharp as it likes.

    Soft even in its sharpest fifth, it is `blur`: a few reflections or threads were all that spoke against it. Far
    softer in one stretch than in another, it has too little depth of field.
    """
    limits = view.limits
    light = np.ascontiguousarray(view.close_lab[..., 0])
    window = max(6.0, max(light.shape) / _WINDOWS)
    blur, energy = blur_map(light, within=view.rim, window_px=window, noise=noise)
    told = view.rim & (energy > limits.soft_least)
    if told.sum() < _LEAST_RIM * view.rim.sum():
        return []
    best = max(0.8, float(np.percentile(blur[told], 20)))
    if best > limits.blur_warn_px:
        return [_soft_all_over(view, best)]
    soft = told & (blur > max(limits.soft_factor * best, limits.soft_px))
    share = float(soft.sum() / view.rim.sum())
    measures |= {"soft_share": share, "sharpest_part_px": best}
    if share <= limits.soft_warn:
        return []
    return [
        finding(
            "focus", "shallow-focus", Severity.WARN, measured=share, limit=limits.soft_warn,
            unit="of the piece's outline", region=view.from_close(Region.around(soft)),
        )
    ]  # fmt: skip
