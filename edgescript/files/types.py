"""The content type of a file, by its name: the same on every machine, whatever the system's own tables say."""

from __future__ import annotations

import mimetypes
from functools import lru_cache

#: What the web is made of, where Python's versions differ among themselves or know nothing.
TYPES = {
    ".apk": "application/vnd.android.package-archive",
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".bz2": "application/x-bzip2",
    ".css": "text/css",
    ".csv": "text/csv",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".ics": "text/calendar",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".log": "text/plain",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/matroska",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rar": "application/vnd.rar",
    ".rss": "application/rss+xml",
    ".rtf": "application/rtf",
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".tgz": "application/gzip",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".vtt": "text/vtt",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "text/xml",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}

#: Of a file that says nothing about itself; a browser saves it, and guesses nothing.
UNKNOWN = b"application/octet-stream"


def content_type(name: str) -> bytes:
    """The media type of a file of this name, with the character set where it is text."""
    dot = name.rfind(".")
    # A leading dot begins a name, not a suffix: `.profile`.
    return UNKNOWN if dot <= name.rfind("/") + 1 else _of_suffix(name[dot:].lower())


@lru_cache(maxsize=1024)
def _of_suffix(suffix: str) -> bytes:
    kind = TYPES.get(suffix) or _standard().types_map[True].get(suffix)
    if kind is None:
        return UNKNOWN
    return (f"{kind}; charset=utf-8" if kind.startswith("text/") else kind).encode("ascii")


@lru_cache(maxsize=1)
def _standard() -> mimetypes.MimeTypes:
    """Python's own table; an instance holds the built-in types only, not those of `/etc/mime.types`."""
    return mimetypes.MimeTypes()
