"""Which sibling of a file to send instead of it: `app.js.br` beside `app.js`."""

from __future__ import annotations

#: File suffixes by content coding; zstd is RFC 8878's name, br RFC 7932's.
SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
