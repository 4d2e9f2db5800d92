"""Changes as findings, in a seller's words."""

from __future__ import annotations

import numpy as np

from vitrina.model import Finding, Mask, Region, Severity
from vitrina.stages.verify.changes import Change
from vitrina.stages.verify.limits import VerifyLimits
from vitrina.stages.verify.naming import Name

WORDS = {
    "overlay": "Print (text, logo or watermark) lies on the picture. Remove it.",
    "leftover": "Something of the source's own backdrop was left over beside the piece. Cut out again from the source.",
    "extra-piece": "Something that the source does not show lies beside the piece. Regenerate or reject.",
    "piece-missing": "A separate part of the source is not in the edit. Regenerate or reject.",
    "glare-added": "A bright spot covers a place that is clear in the source. Regenerate or reject.",
    "clasp-missing": "The clasp of the source is not in the edit. Regenerate or reject.",
    "clasp-changed": "The clasp does not look as in the source. Regenerate or reject.",
    "ear-wire-missing": "An ear wire or hook of the source is not in the edit. Regenerate or reject.",
    "ear-wire-changed": "An ear wire or hook does not look as in the source. Regenerate or reject.",
    "link-missing": "Links of the source are gone: the chain is broken or shortened. Regenerate or reject.",
    "link-added": "The chain has metal where the source shows daylight. Regenerate or reject.",
    "link-altered": "Links do not look as in the source (melted, doubled or redrawn). Regenerate or reject.",
    "chain-changed": "The chain beside the clasp changed too: check by eye.",
    "scratch-removed": "A mark of the real piece was smoothed over. Real scratches stay: use the source's surface.",
    "stone-recoloured": "A stone's colour moved. Restore the source's colour or reject.",
    "stone-missing": "A stone or part of its setting is not in the edit. Regenerate or reject.",
    "stone-added": "A stone or setting appears that the source does not have. Regenerate or reject.",
    "stone-changed": "A stone or its setting does not look as in the source. Regenerate or reject.",
}
"""What a change is called in English; stages/words says the same in Russian and Kazakh (its test asks for each)."""

_MOST = 12
"""Findings of one code that are listed one by one; the rest are summed up in a last one."""


def describe(named: list[tuple[Change, tuple[Name, ...]]], limits: VerifyLimits) -> list[Finding]:
    """One finding per change and reading, the overlays of one picture joined."""
    by_code: dict[tuple[str, str], list[tuple[Change, Name]]] = {}
    for change, names in named:
        for name in names:
            by_code.setdefault((name.check, name.code), []).append((change, name))
    findings: list[Finding] = []
    for (check, code), members in by_code.items():
        if check == "text":
            mask: Mask = np.logical_or.reduce([change.mask for change, _ in members])
            findings.append(_finding(check, code, members, Region.around(mask), limits))
            continue
        for index, member in enumerate(members):
            if index + 1 == _MOST and len(members) > _MOST:
                left: Mask = np.logical_or.reduce([change.mask for change, _ in members[index:]])
                findings.append(_finding(check, code, members[index:], Region.around(left), limits))
                break
            findings.append(_finding(check, code, [member], member[0].region, limits))
    return findings


def _finding(
    check: str, code: str, members: list[tuple[Change, Name]], region: Region | None, limits: VerifyLimits
) -> Finding:
    worst = max(members, key=lambda item: item[0].peak_de)
    limit = limits.drift_de if worst[0].drifted else limits.change_de
    sure = any(name.sure for _, name in members)
    count = f" ({len(members)} places)" if len(members) > 1 else ""
    return Finding(
        check,
        code,
        Severity.BLOCK if sure else Severity.WARN,
        worst[0].peak_de,
        limit,
        "ΔE",
        WORDS[code] + count,
        region,
    )
