"""Requests go before the search for problems, although both share one interpreter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: How soon a thread that waits for the interpreter gets it, in seconds: at once where a request waits …
_AT_ONCE = 0.0005
#: … and where the search for problems waits, when the request is answered (the interpreter is given up then anyway).
_LATER = 1.0


@contextmanager
def first() -> Iterator[None]:
    """Keep the interpreter until this is done; whoever is in here meanwhile got it within half a millisecond."""
    sys.setswitchinterval(_LATER)
    try:
        yield
    finally:
        sys.setswitchinterval(_AT_ONCE)
