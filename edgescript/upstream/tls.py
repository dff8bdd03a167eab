"""TLS towards endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


class ClientTls:
    """
    How to speak TLS to an endpoint: its certificate is verified unless `verify` is off.

    It equals another one that was told the same, of files with the same content, so that connections are kept through a
    reload, and are not where a certificate was renewed.

    :param trust_file: the authorities that are believed, instead of the system's
    :param certificate: what we show of ourselves; its key is in `key`, or in the same file
    :raises OSError: if a file cannot be read
    """

    __slots__ = ("_certificate", "_context", "_key", "_trust_file", "_verify")

    def __init__(
        self,
        *,
        trust_file: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        verify: bool = True,
    ) -> None:
        self._trust_file = _File.read(trust_file)
        self._certificate = _File.read(certificate)
        self._key = _File.read(key)
        self._verify = verify
        self._context: ssl.SSLContext | None = None

    @property
    def _said(self) -> tuple[_File | None, _File | None, _File | None, bool]:
        return self._trust_file, self._certificate, self._key, self._verify

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientTls) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    def load(self) -> None:
        """
        Make the context now, where it takes files of its own, so that what is wrong with them is known.

        :raises OSError: if one (as ssl.SSLError) holds nothing of use
        """
        if self._said != (None, None, None, True):
            self()

    def __call__(self) -> ssl.SSLContext:
        """The context, made when it is first asked for."""
        if self._context is None:
            self._context = _system_context() if self._said == (None, None, None, True) else self._made()
        return self._context

    def _made(self) -> ssl.SSLContext:
        context = _context(None if self._trust_file is None else self._trust_file.path)
        if not self._verify:
            import ssl

            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._certificate is not None:
            context.load_cert_chain(self._certificate.path, None if self._key is None else self._key.path)
        return context


@dataclass(frozen=True, slots=True)
class _File:
    """A file, and what it held when it was read: of a key, nothing that could be printed."""

    path: str
    digest: bytes

    @classmethod
    def read(cls, path: str | None) -> _File | None:
        if path is None:
            return None
        from hashlib import sha256  # most Edgefiles do without

        with open(path, "rb") as file:
            return cls(path, sha256(file.read()).digest())


def _context(trust_file: str | None) -> ssl.SSLContext:
    import ssl  # most Edgefiles do without

    context = ssl.create_default_context(cafile=trust_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


@cache
def _system_context() -> ssl.SSLContext:
    """Without any options; the same for all, because reading the system's authorities takes long."""
    return _context(None)
