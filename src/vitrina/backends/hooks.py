"""Messages to a webhook's receiver, signed as Standard Webhooks says (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import urllib3

from vitrina import __version__
from vitrina.errors import Busy

TIMEOUT_S = 15.0
MOST_SAID = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: a status, or None and why there was none."""

    status: int | None
    said: str

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def require_good(self) -> None:
        """Raise Busy for anything but 2xx: a receiver may be mended, or come back."""
        if not self.is_good:
            raise Busy(f"the receiver answered {self.status or 'nothing'} ({self.said})")


def signed(secret: str, message: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers of a message: its id, the time of this attempt, and the HMAC-SHA256 over both and the body."""
    moment = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST `body`, following nothing; the first words of what was answered."""
    sent = {"Content-Type": "application/json", "User-Agent": f"vitrina/{__version__}", **headers}
    with urllib3.PoolManager(retries=False, timeout=TIMEOUT_S) as pool:
        try:
            answer = pool.request("POST", url, body=body, headers=sent, redirect=False, preload_content=False)
            said = answer.read(MOST_SAID).decode("utf-8", "replace")
            answer.drain_conn()
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer(None, str(error)[:MOST_SAID])
    return Answer(answer.status, " ".join(said.split()))
