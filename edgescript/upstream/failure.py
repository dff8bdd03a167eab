"""How an attempt fails: what happened, how far it had come, and which status says so to the client."""

from __future__ import annotations

import os
from enum import Enum, auto


class Stage(Enum):
    """How far an attempt had come: it decides what may be tried again."""

    UNSENT = auto()  # no byte of the request was written
    UNANSWERED = auto()  # the upstream may have seen the request; not a byte of an answer came
    ANSWERED = auto()  # a part of an answer came


class UpstreamError(Exception):
    """An attempt gave no response that can be passed on."""

    def __init__(self, reason: str, stage: Stage, *, status: int = 502, stale: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.stage = stage
        #: 502, 503 (no free connection) or 504 (too slow).
        self.status = status
        #: The connection had served before, and was closed instead of an answer: the upstream's idle timeout, most likely.
        self.stale = stale

    @property
    def kind(self) -> str:
        """What happened, in a word, for those who count."""
        if self.stage is Stage.UNSENT:
            return {503: "no_connection", 504: "connect_timeout"}.get(self.status, "connect")
        if self.stage is Stage.ANSWERED:
            return "broken"
        return "timeout" if self.status == 504 else "stale" if self.stale else "closed"


def describe(error: BaseException) -> str:
    """An error of the network in a few words: "connection refused"."""
    import socket  # only after a failure; see `pool`
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, socket.gaierror):
        return "its name has no address"
    if isinstance(error, TimeoutError):
        return "connecting timed out"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error).lower() or type(error).__name__
