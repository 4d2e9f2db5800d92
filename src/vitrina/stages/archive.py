"""Fixity and the dispute pack as values: what the archive ought to hold, and the recipe to check a pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

RECIPE = """\
How to check this pack without Vitrina
======================================
Everything here can be checked with tools that any computer has: unzip, sha256sum (macOS: shasum -a 256) and Python 3.

1. No file was changed since the pack was made:
     sha256sum --check SHA256SUMS
   Every line must say OK. SHA256SUMS does not list itself.

2. Every picture is what its name says: files under originals/ and works/ are named by the SHA-256 of their bytes:
     sha256sum originals/* works/*
   The digest printed must be the beginning of each file's name.

3. The ledger is one unbroken chain. events.jsonl holds one event per line, oldest first. For each event, take the
   fields seq, at, person, verb, subject, digests, details, previous (and no others), write them as JSON with sorted
   keys, without spaces, in UTF-8, and hash that with SHA-256: it must be the event's "hash", and the next event's
   "previous". The first event's "previous" is 64 zeros. In Python:
     import hashlib, json
     last = "0" * 64
     for line in open("events.jsonl", encoding="utf-8"):
         e = json.loads(line); h = e.pop("hash")
         text = json.dumps(e, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
         assert e["previous"] == last, e["seq"]
         assert e.get("sealed") or hashlib.sha256(text.encode()).hexdigest() == h, e["seq"]
         last = h
     print("whole, ends with", last)
   Events about other SKUs are there by their hash alone ("sealed": true, with seq, previous and hash): they keep the
   chain whole without telling what happened. The last hash is the one in manifest.json under "ledger".

4. What was sold is what was approved: for each entry of "exports" in manifest.json, each file's digest must be among
   the "names" of an entry of "decisions" that approves the same variant and was made before the export.

Times are those of the seller's computer. The pack proves that its parts belong together and were not changed later; it
does not prove who the people were, nor what a buyer received.
"""


@dataclass(frozen=True, slots=True)
class Fixity:
    """What is wrong with the archive: each list holds digests."""

    lost: tuple[str, ...]
    altered: tuple[str, ...]
    orphans: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.altered)


def check_fixity(recorded: Iterable[str], found: Mapping[str, str | None]) -> Fixity:
    """Compare what the records say with what was found: the digest of each stored file's bytes, by its name.

    None as a digest means that the file cannot be read. An orphan is whole, but no record speaks of it.
    """
    wanted = set(recorded)
    return Fixity(
        lost=tuple(sorted(wanted - set(found))),
        altered=tuple(sorted(name for name, digest in found.items() if digest != name)),
        orphans=tuple(sorted(name for name, digest in found.items() if digest == name and name not in wanted)),
    )


def sums(files: Mapping[str, str]) -> str:
    """The lines of a SHA256SUMS file for digests by path."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
