"""Everything that can go wrong, as one tree.

::

    VitrinaError
    ├── UsageError          2  400  the command line or a parameter is wrong
    ├── InputError          3  422  an input cannot be read
    │   ├── Missing         3  404  there is no such file
    │   ├── Unreadable      3  422  not a picture, empty or damaged
    │   ├── Unsupported     3  415  a picture of a kind that is not taken
    │   └── TooLarge        3  413  more pixels than the limit
    ├── ResourceError       4  503  something the program needs is missing or refuses
    │   ├── ModelMissing    4  503  a model file is not there
    │   ├── ModelChanged    4  503  a model file is not the one that was checked
    │   ├── NotWritable     4  507  the output cannot be written (permission, full disk)
    │   └── NotBuilt        4  501  asked for something that does not exist yet (video, Reels)
    └── NotAllowed          5  403  the role or the approvals are lacking

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


class NotAllowed(VitrinaError):
    exit_code = 5
    http_status = 403
