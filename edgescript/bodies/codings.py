"""Content codings (RFC 9110 8.4.1): how each is written and read, as transformers.

Levels end where 64 KiB take 5 ms and a response in flight 10 MB: beyond, the loop would stand still for everybody else.
Measured with JSON, for 64 KiB: gzip 9 5.0 ms; br 7 4.2 ms, br 9 13 ms and 33 MB, br 11 137 ms; zstd 9 2.0 ms, zstd 12 17 ms.
Windows are small: a response in flight at the default level holds about 1 MB with br or zstd, and 0.25 MB with gzip.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from edgescript.bodies.transform import STEP
from edgescript.http.body import BodyBroken

#: Base 2 logarithm of the window of br and zstd, in bytes.
_WINDOW = 18
#: The largest window that a zstd body may ask for: 8 MiB, what RFC 9659 allows in HTTP.
_MOST_WINDOW = 23

#: A body that grows beyond this many times its size is no text but a bomb: deflate cannot do more than 1032, and what the
#: others make of texts stays below 100. Only bodies of more than _HARMLESS bytes are looked at.
_MOST_GROWTH = 1100
_HARMLESS = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Coding:
    """One content coding. Its levels are 0 to 0 where it is only for what others have coded."""

    name: str
    levels: range
    default: int
    encoder: Callable[[int], Encoder]
    decoder: Callable[[], Decoder]


class Encoder:
    """Compresses."""

    __slots__ = ("_compress", "_finish", "_flush")

    def __init__(
        self, compress: Callable[[bytes], bytes], flush: Callable[[], bytes], finish: Callable[[], bytes]
    ) -> None:
        self._compress = compress
        self._flush = flush
        self._finish = finish

    def feed(self, data: bytes) -> Iterable[bytes]:
        return (self._compress(data),)

    def flush(self) -> bytes:
        return self._flush()

    def finish(self) -> bytes:
        return self._finish()


class Decoder:
    """
    Decompresses: never more than a step at a time, and no bombs.

    Feeding raises BodyBroken where the bytes are malformed or grow too much, and so does `finish` where the end is missing.
    """

    __slots__ = ("_error", "_given", "_name", "_reader", "_taken")

    def __init__(self, name: str, reader: Reader, error: type[Exception]) -> None:
        self._name = name
        self._reader = reader
        self._error = error
        self._taken = self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._taken += len(data)
        try:
            for piece in self._reader.read(data):
                self._given += len(piece)
                if self._given > _HARMLESS and self._given > _MOST_GROWTH * self._taken:
                    raise BodyBroken(f"a {self._name} body of {self._taken} bytes became too large")
                yield piece
        except self._error as error:
            raise BodyBroken(f"a {self._name} body is malformed: {error}") from error

    def flush(self) -> bytes:
        return b""  # all that can be had has been given

    def finish(self) -> bytes:
        if self._taken and not self._reader.complete:
            raise BodyBroken(f"a {self._name} body ends early")
        return b""


class Reader:
    """What is particular about the decompression of one coding."""

    __slots__ = ()

    @property
    def complete(self) -> bool:
        """Whether what has been read is a whole."""
        raise NotImplementedError

    def read(self, data: bytes) -> Iterator[bytes]:
        """What comes of `data`, in steps."""
        raise NotImplementedError


# ---- gzip (RFC 1952) and deflate (RFC 1950)

_GZIP = 31  # zlib's: a window of 32 KiB, and gzip's head and tail
_ZLIB = 15
_RAW = -15


def _zlib_encoder(level: int, window: int) -> Encoder:
    deflate = zlib.compressobj(level, zlib.DEFLATED, window)
    return Encoder(deflate.compress, lambda: deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush)


class _ZlibReader(Reader):
    """Members one behind the other, as RFC 1952 allows for gzip."""

    __slots__ = ("_inflate", "_window")

    def __init__(self, window: int) -> None:
        self._window = window
        self._inflate: Any = None

    @property
    def complete(self) -> bool:
        return self._inflate is not None and bool(self._inflate.eof)

    def read(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._inflate = zlib.decompressobj(self._window or _window_of(data))
        while True:
            if self._inflate.eof and data:
                if self._window != _GZIP:
                    raise zlib.error("there is something behind its end")
                self._inflate = zlib.decompressobj(_GZIP)
            piece = self._inflate.decompress(data, STEP)
            yield piece
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if not data and len(piece) < STEP:
                return


def _window_of(data: bytes) -> int:
    """Of a deflate body: many servers leave zlib's head out, against RFC 9110 8.4.1.2."""
    return _ZLIB if data[0] & 0x8F == 8 else _RAW


# ---- br (RFC 7932)


@cache
def _brotli() -> ModuleType:
    """Imported by the first body that needs it."""
    import brotli

    module: ModuleType = brotli
    return module


def _brotli_encoder(level: int) -> Encoder:
    compressor = _brotli().Compressor(quality=level, lgwin=_WINDOW)
    return Encoder(compressor.process, compressor.flush, compressor.finish)


class _BrotliReader(Reader):
    __slots__ = ("_decompressor",)

    def __init__(self) -> None:
        self._decompressor = _brotli().Decompressor()

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.is_finished())

    def read(self, data: bytes) -> Iterator[bytes]:
        decompressor = self._decompressor
        piece = decompressor.process(data, output_buffer_limit=STEP)
        yield piece
        # There may be more to come of bytes that have all been taken.
        while len(piece) >= STEP or not decompressor.can_accept_more_data():
            piece = decompressor.process(b"", output_buffer_limit=STEP)
            yield piece


# ---- zstd (RFC 8878)


@cache
def _zstd() -> ModuleType:
    """Imported by the first body that needs it. It is what Python has as `compression.zstd` from 3.14 on."""
    from backports import zstd

    module: ModuleType = zstd
    return module


def _zstd_encoder(level: int) -> Encoder:
    zstd = _zstd()
    options = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.window_log: _WINDOW,
    }
    compressor = zstd.ZstdCompressor(options=options)
    return Encoder(compressor.compress, lambda: compressor.flush(compressor.FLUSH_BLOCK), compressor.flush)


class _ZstdReader(Reader):
    """Frames one behind the other, as RFC 8878 allows."""

    __slots__ = ("_decompressor",)

    def __init__(self) -> None:
        self._decompressor = self._fresh()

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.eof)

    def read(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._decompressor.eof:
                self._decompressor = self._fresh()
            yield self._decompressor.decompress(data, STEP)
            if self._decompressor.eof:
                data = self._decompressor.unused_data
                if not data:
                    return
            elif self._decompressor.needs_input:
                return
            else:
                data = b""

    def _fresh(self) -> Any:
        zstd = _zstd()
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _MOST_WINDOW})


# ---- all of them

CODINGS = {
    coding.name: coding
    for coding in (
        Coding("zstd", range(1, 10), 3, _zstd_encoder, lambda: Decoder("zstd", _ZstdReader(), _zstd().ZstdError)),
        Coding("br", range(8), 4, _brotli_encoder, lambda: Decoder("br", _BrotliReader(), _brotli().error)),
        Coding(
            "gzip",
            range(1, 10),
            5,
            lambda level: _zlib_encoder(level, _GZIP),
            lambda: Decoder("gzip", _ZlibReader(_GZIP), zlib.error),
        ),
        # Never offered: nobody agrees on what it is. But others send it.
        Coding(
            "deflate",
            range(1, 10),
            5,
            lambda level: _zlib_encoder(level, _ZLIB),
            lambda: Decoder("deflate", _ZlibReader(0), zlib.error),
        ),
    )
}


def named(name: bytes) -> Coding | None:
    """The coding that a member of Content-Encoding names (RFC 9110 8.4.1), or None if it is not known."""
    return CODINGS.get(name.lower().removeprefix(b"x-").decode("latin-1"))
