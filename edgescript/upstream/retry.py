"""What may be tried again, and where: a pure decision."""

from __future__ import annotations

from enum import Enum, auto

from edgescript.upstream.failure import Stage, UpstreamError

#: RFC 9110 9.2.2: doing it twice has the effect of doing it once.
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})


class Verdict(Enum):
    """What to do after a failed attempt."""

    STOP = auto()
    FRESH = auto()  # the same endpoint, over a new connection
    OTHER = auto()  # another endpoint


def decide(error: UpstreamError, method: bytes, *, replayable: bool, retries_left: int, fresh: bool) -> Verdict:
    """
    What to do after an attempt that failed.

    What was never sent can be sent again, whatever it is. What may have been seen is sent again only where twice is as good
    as once. A kept connection that the upstream closed instead of answering (its idle timeout crossed our request) says
    nothing about the upstream's health: the same endpoint gets one more chance, which does not count.

    :param replayable: no byte of the request's body was taken from the client, or all of it is at hand
    :param fresh: the attempt was made over a new connection on purpose
    """
    if not replayable or (error.stage is not Stage.UNSENT and method not in IDEMPOTENT):
        return Verdict.STOP
    if error.stale and not fresh:
        return Verdict.FRESH
    return Verdict.OTHER if retries_left > 0 else Verdict.STOP
