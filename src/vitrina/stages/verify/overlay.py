"""Faint print on the ground: watermarks too pale to be a change of their own."""

from __future__ import annotations

import cv2
import numpy as np

from vitrina.imaging.compare import smooth
from vitrina.model import Finding, Mask, Plane, Region, Severity
from vitrina.stages.verify.align import Aligned
from vitrina.stages.verify.limits import VerifyLimits


def judge_faint_print(pair: Aligned, explained: Mask, limits: VerifyLimits) -> list[Finding]:
    """Fine strokes on the open ground, which neither noise nor a soft shadow makes; `explained` is left out."""
    open_ground = cv2.dilate(((pair.alpha > 0.01) | explained).astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    if pair.ground.roughness > 3 or open_ground.sum() < 2000:
        return []
    lightness = pair.edit_lab[..., 0]
    stroke = np.abs(_mean(lightness, open_ground, 0.8) - _mean(lightness, open_ground, 2.5))
    noise = 1.4826 * float(np.median(stroke[open_ground]))
    high = open_ground & (stroke > max(limits.faint_print_l, 8 * noise))
    clumps = cv2.dilate(high.astype(np.uint8), np.ones((15, 15), np.uint8))
    count, labels = cv2.connectedComponents(clumps, connectivity=8)
    inked = np.bincount(labels[high], minlength=count)
    inked[0] = 0
    least = max(60.0, 1.5e-4 * lightness.size)
    kept = [index for index in range(1, count) if inked[index] >= least]
    if not kept:
        return []
    mask: Mask = np.isin(labels, kept) & high
    value = float(np.percentile(stroke[mask], 90))
    return [
        Finding(
            "text", "faint-print", Severity.BLOCK, value, limits.faint_print_l, "L*",
            "Faint print (a pale watermark, letters or a logo) lies on the ground. Remove it.", Region.around(mask),
        )
    ]  # fmt: skip


def _mean(plane: Plane, where: Mask, sigma_px: float) -> Plane:
    """The mean of `plane` over the `where` pixels nearby: the piece must not bleed into it."""
    weight = where.astype(np.float32)
    return np.asarray(smooth(plane * weight, sigma_px) / np.maximum(smooth(weight, sigma_px), 1e-3), np.float32)
