"""What people compare product pictures with today, as distances (larger: more different).

Every measure gets a fair chance: it does not see the photo with its old backdrop but the perfect card, the source's
cutout (by the true matte) composed over the edit's ground. `registered`: brought onto the edit by verify's own
registration; `as it comes`: only resized to the edit. A pair that verify cannot register is as far apart as can be.

- SSIM: 1 − mean structural similarity of luma, Gaussian window of 1.5 px (Wang et al. 2004).
- ΔE: the 99th percentile of ΔE00, the usual "colour difference threshold", so that a small part counts.
- pixels: share of pixels that differ by more than a tenth of full scale in any channel.
- gradients: an LPIPS-like measure without a network. LPIPS (Zhang et al. 2018) compares features of several scales and
  averages; here the features are gradient magnitudes of lightness and opponent colour at four octaves, compared by
  gradient similarity and pooled by their deviation (MS-GMSD; Xue et al. 2014, Zhang et al. 2017).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vitrina.imaging.colour import delta_e00, encode_srgb, lab
from vitrina.imaging.compose import over
from vitrina.model import Alpha, Rgb, Source
from vitrina.stages.verify.align import Aligned

PEERS = ("SSIM", "ΔE", "pixels", "gradients")
SIDE = 700
"""Long side at which the measures work."""
FAR = 1e6

Picture = NDArray[np.float32]


def distances(source: Source, alpha: Alpha, edit: Source, pair: Aligned | None) -> dict[str, float]:
    """Every measure, registered and as it comes, of one pair."""
    out = {f"{name}, registered": FAR for name in PEERS}
    if pair is not None:
        ground = np.asarray(cv2.cvtColor(np.ascontiguousarray(pair.ground.surface), cv2.COLOR_Lab2LRGB), np.float32)
        card = over(pair.source, pair.alpha, ground)
        out = {f"{name}, registered": value for name, value in _all(card, pair.edit).items()}
    size = (edit.rgb.shape[1], edit.rgb.shape[0])
    plain = over(source.rgb, alpha, np.array((1, 1, 1), np.float32))
    resized = np.asarray(cv2.resize(plain, size, interpolation=cv2.INTER_AREA), np.float32)
    out |= {f"{name}, as it comes": value for name, value in _all(resized, edit.rgb).items()}
    return out


def _all(first: Rgb, second: Rgb) -> dict[str, float]:
    one, two = (_small(picture) for picture in (first, second))
    lab_one, lab_two = lab(one), lab(two)
    srgb_one, srgb_two = encode_srgb(one), encode_srgb(two)
    far = delta_e00(lab_one.reshape(-1, 3), lab_two.reshape(-1, 3))
    return {
        "SSIM": 1 - ssim(lab_one[..., 0] / 100, lab_two[..., 0] / 100),
        "ΔE": float(np.percentile(far, 99)),
        "pixels": float((np.abs(srgb_one - srgb_two).max(axis=-1) > 0.1).mean()),
        "gradients": gradient_distance(lab_one, lab_two),
    }


def _small(rgb: Rgb) -> Rgb:
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(np.clip(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), 0, 1), np.float32)


def ssim(first: Picture, second: Picture) -> float:
    """Mean structural similarity of two planes 0…1."""
    c1, c2 = 0.01**2, 0.03**2

    def blur(plane: Picture) -> Picture:
        return np.asarray(cv2.GaussianBlur(plane, (11, 11), 1.5))

    mean1, mean2 = blur(first), blur(second)
    var1, var2 = blur(first * first) - mean1**2, blur(second * second) - mean2**2
    both = blur(first * second) - mean1 * mean2
    value = (2 * mean1 * mean2 + c1) * (2 * both + c2) / ((mean1**2 + mean2**2 + c1) * (var1 + var2 + c2))
    return float(value.mean())


def gradient_distance(first: Picture, second: Picture) -> float:
    """Root of the mean squared gradient-similarity deviation over four octaves and three Lab channels."""
    total, weights = 0.0, (0.1, 0.3, 0.35, 0.25)
    for octave, weight in enumerate(weights):
        if min(first.shape[:2]) < 16:
            break
        for channel, share in enumerate((0.6, 0.2, 0.2)):
            one, two = (_slope(np.ascontiguousarray(picture[..., channel])) for picture in (first, second))
            similar = (2 * one * two + 10.0) / (one**2 + two**2 + 10.0)
            total += weight * share * float(similar.std()) ** 2
        if octave + 1 < len(weights):
            first, second = (cv2.pyrDown(picture) for picture in (first, second))
    return float(np.sqrt(total))


def _slope(plane: Picture) -> Picture:
    across, down = (cv2.Scharr(plane, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down))
