"""Everything that can go wrong, as one tree.

::

    VitrinaError
    ├── UsageError          2  400  the command line or a parameter is wrong
    │   └── Conflict        2  409  it is there already, or in a state that does not allow this move
    ├── InputError          3  422  an input cannot be read
    │   ├── Missing         3  404  there is no such file
    │   ├── Unreadable      3  422  not a picture, empty or damaged
    │   ├── Unsupported     3  415  a picture of a kind that is not taken
    │   └── TooLarge        3  413  more pixels than the limit
    ├── ResourceError       4  503  something the program needs is missing or refuses
    │   ├── ModelMissing    4  503  a model file is not there
    │   ├── ModelChanged    4  503  a model file is not the one that was checked
    │   ├── NotWritable     4  507  the output cannot be written (permission, full disk)
    │   ├── NotBuilt        4  501  asked for something that does not exist yet (video, Reels)
    │   ├── Refused         4  502  a marketplace said no, or kept other than what was sent
    │   ├── Busy            4  503  the database is locked, or a server does not answer: waiting may help
    │   └── Broken          4  500  records or archived bytes are not what they were
    ├── NotAllowed          5  403  the role or the approvals are lacking
    │   ├── NotSignedIn     5  401  nobody knows who is asking
    │   └── TooOften        5  429  too many wrong passwords: wait
    ├── Retryable           4  503  told to workers: try again after a while
    └── NeedsPerson         4  409  told to workers: park it, a person must look

The class carries the exit code and the HTTP status; the message says what, the measured value, the limit and the
remedy. A weak photo is none of these: it is a Finding.
"""

from __future__ import annotations


class VitrinaError(Exception):
    """The root; never raised itself."""

    exit_code = 4
    http_status = 500


class UsageError(VitrinaError):
    exit_code = 2
    http_status = 400


class Conflict(UsageError):
    http_status = 409


class InputError(VitrinaError):
    exit_code = 3
    http_status = 422


class Missing(InputError):
    http_status = 404


class Unreadable(InputError):
    pass


class Unsupported(InputError):
    http_status = 415


class TooLarge(InputError):
    http_status = 413


class ResourceError(VitrinaError):
    exit_code = 4
    http_status = 503


class ModelMissing(ResourceError):
    pass


class ModelChanged(ResourceError):
    pass


class NotWritable(ResourceError):
    http_status = 507


class NotBuilt(ResourceError):
    http_status = 501


class Refused(ResourceError):
    http_status = 502


class Busy(ResourceError):
    pass


class Broken(ResourceError):
    http_status = 500


class NotAllowed(VitrinaError):
    exit_code = 5
    http_status = 403


class NotSignedIn(NotAllowed):
    http_status = 401


class TooOften(NotAllowed):
    http_status = 429


class Retryable(VitrinaError):
    """A step could not be done now; the worker waits `after_s` seconds, longer each time, and tries again."""

    http_status = 503

    def __init__(self, message: str, *, after_s: float = 2.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class NeedsPerson(VitrinaError):
    """A step that no waiting will mend: the worker parks the job with the reason."""

    http_status = 409
