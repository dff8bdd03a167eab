"""Requests go before the search for problems, although both share one interpreter."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: After how many seconds a thread that waits for the interpreter is given it: a request at once …
_AT_ONCE = 0.0005
#: … and while one is being answered, the search for problems after as long as most answers take. Not much longer, because
#: an answer that reads a file lets go of the interpreter, and waits as long to have it back.
_LATER = 0.02


@contextmanager
def first() -> Iterator[None]:
    """Be interrupted as little as possible."""
    sys.setswitchinterval(_LATER)
    try:
        yield
    finally:
        done()


def done() -> None:
    """What had to be first is done, or waits for something itself."""
    sys.setswitchinterval(_AT_ONCE)
