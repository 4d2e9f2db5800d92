"""Bytes in a bucket of S3, or of anything that speaks it, each under its own SHA-256: put once, never changed.

The bucket is named by ``[store] blobs = "s3://BUCKET/PREFIX"``; who we are and where it is comes from the environment,
as every S3 program reads it: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from vitrina.backends.blobs import digest_of
from vitrina.codec.metadata import media_type
from vitrina.errors import Broken, Busy, Missing, ResourceError, UsageError
from vitrina.model import Digest

_Answer = TypeVar("_Answer")
_PATIENCE = {"max_retries": 4, "retry_timeout": timedelta(seconds=40)}


@dataclass(frozen=True, slots=True)
class S3Blobs:
    """Objects ``PREFIX/ROOM/sha256/ab/cd/abcd…`` in a bucket; `url` is ``s3://BUCKET/PREFIX``.

    Raises UsageError for another address, ResourceError when obstore is not installed or the bucket refuses, Busy when
    it does not answer.
    """

    url: str
    room: str = "originals"
    _store: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_store", _open(self.url))

    def put(self, data: bytes) -> Digest:
        """Keep `data` and return its name; what is there already is checked, not written again."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        digest = digest_of(data)
        with suppress(AlreadyExistsError):
            self._ask(lambda: obstore.put(self._store, self._path(digest), data, mode="create"))
        self.get(digest)
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes called `digest`, verified. Raises Missing, or Broken when they have changed."""
        import obstore

        try:
            data = self._ask(lambda: bytes(obstore.get(self._store, self._path(digest)).bytes()))
        except _absent():
            raise Missing(
                f"{self.room} {digest[:12]}… is not in the archive at {self.url}. Restore it from a backup."
            ) from None
        if digest_of(data) != digest:
            raise Broken(
                f"{self.url}/{self._path(digest)}: the archived bytes have changed. Restore them from a backup."
            )
        return data

    def digests(self) -> Iterator[Digest]:
        """The names of everything kept, in order."""
        import obstore

        def listed() -> list[str]:
            found = obstore.list(self._store, prefix=f"{self.room}/sha256")
            return [str(entry["path"]).rsplit("/", 1)[-1] for batch in found for entry in batch]

        yield from (Digest(name) for name in sorted(self._ask(listed)) if len(name) == 64)

    def has(self, digest: Digest) -> bool:
        """Whether there is an object of that name; `get` says whether it is whole."""
        import obstore

        try:
            self._ask(lambda: obstore.head(self._store, self._path(digest)))
        except _absent():
            return False
        return True

    def remove(self, digest: Digest) -> None:
        """Remove the bytes; only a recorded act of erasure calls this."""
        import obstore

        try:
            self._ask(lambda: obstore.delete(self._store, self._path(digest)))
        except _absent():
            return

    def mend(self, data: bytes) -> Digest:
        """Put `data` in the place of damaged bytes of the same name."""
        self.remove(digest_of(data))
        return self.put(data)

    def _path(self, digest: Digest) -> str:
        return f"{self.room}/sha256/{digest[:2]}/{digest[2:4]}/{digest}"

    def _ask(self, call: Callable[[], _Answer]) -> _Answer:
        """What the bucket answers; a refusal or silence becomes a ResourceError that says whose."""
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            return call()
        except AlreadyExistsError:
            raise
        except (BaseError, OSError) as error:
            if isinstance(error, _absent()) and "NoSuchBucket" not in str(error):
                raise
            said = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            waiting_helps = not isinstance(error, (*_absent(), *_refusals()))
            raise (Busy if waiting_helps else ResourceError)(
                f"{self.url}: the bucket does not do what is asked ({said}). Check its name, AWS_ENDPOINT_URL and the "
                "access key, then run the same command again."
            ) from error


def put_pictures(url: str, files: Mapping[str, bytes]) -> None:
    """Put pictures under their own names into ``s3://BUCKET/PREFIX``, for marketplaces that fetch pictures.

    What lies there under a name is replaced. Whether anybody may read it is the bucket's own policy. Raises as S3Blobs.
    """
    place = S3Blobs(url)
    import obstore

    for name, data in files.items():
        told = {"Content-Type": media_type(data)}
        place._ask(lambda n=name, d=data, t=told: obstore.put(place._store, n, d, attributes=t))  # type: ignore[misc]


def _absent() -> tuple[type[Exception], ...]:
    """What obstore raises for an object that is not there."""
    from obstore.exceptions import NotFoundError

    return FileNotFoundError, NotFoundError


def _refusals() -> tuple[type[Exception], ...]:
    """What obstore raises when asking again will not help: the key, the name or the settings are wrong."""
    from obstore import exceptions

    return (
        exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, exceptions.InvalidPathError,
        exceptions.UnknownConfigurationKeyError, exceptions.NotSupportedError,
    )  # fmt: skip


def _open(url: str) -> Any:
    """The bucket and prefix that `url` names."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise UsageError(f"{url!r} names no bucket. Write s3://BUCKET/PREFIX.")
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise ResourceError(
            f"{url}: obstore is not installed, so no bucket can be reached. pip install 'vitrina[s3]'"
        ) from error
    try:
        return S3Store(
            bucket, prefix=prefix.strip("/") or None, client_options={"allow_http": True}, retry_config=_PATIENCE
        )
    except Exception as error:  # obstore has no class of its own for an environment it cannot read
        raise ResourceError(f"{url}: cannot be opened ({error}). Check the AWS_… variables.") from error
