"""Findings in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_words(finding: Mapping[str, Any], language: str) -> dict[str, str]:
    """What a finding says: ``said``, the language of that (``lang``), and its numbers (``measured``, ``limit``)."""
    from vitrina.stages import words

    check, code, message = finding["check"], finding["code"], finding["message"]
    measured, limit, unit = finding["measured"], finding["limit"], finding["unit"]
    said = words.sentence(check, code, message, language, measured=measured, limit=limit)
    return {
        "said": said,
        "lang": "en" if said == message and language != "en" and message.isascii() else language,
        "measured": words.amount(measured, unit, language),
        "limit": words.amount(limit, unit, language),
    }
