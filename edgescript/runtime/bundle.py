"""A configuration with all that it imports, as bytes: what every worker compiles, whatever becomes of the files meanwhile."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgescript.language.files import find_files, read_file
from edgescript.text.source import Source


@dataclass(frozen=True, slots=True)
class Bundle:
    """An Edgefile and the files that it imports."""

    #: As in `Source`.
    name: str
    text: str
    #: Where relative paths of directives start.
    directory: str
    #: The imported files, by the names that they are read by.
    files: Mapping[str, bytes] = field(default_factory=dict)
    #: What the patterns of imports matched.
    found: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        return Source(self.name, self.text)

    def read(self, name: str) -> bytes:
        """
        The bytes of an imported file.

        :raises OSError: if it was not there
        """
        try:
            return self.files[name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None

    def find(self, pattern: str) -> list[str]:
        return self.found.get(pattern, [])

    def as_data(self) -> dict[str, Any]:
        """As JSON has it. Bytes that are no UTF-8 become lone surrogates, which JSON escapes."""
        return {
            "name": self.name,
            "text": self.text,
            "directory": self.directory,
            "files": {name: data.decode("utf-8", "surrogateescape") for name, data in self.files.items()},
            "found": dict(self.found),
        }

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Bundle:
        """:raises Exception: KeyError, TypeError, ValueError or AttributeError, if it is no such data"""
        files = {str(name): text.encode("utf-8", "surrogateescape") for name, text in data["files"].items()}
        found = {str(pattern): [str(name) for name in names] for pattern, names in data["found"].items()}
        return cls(str(data["name"]), str(data["text"]), str(data["directory"]), files, found)


class Gathering:
    """Reads for whoever analyses an Edgefile, and keeps what was read."""

    def __init__(
        self,
        source: Source,
        directory: str,
        *,
        read: Callable[[str], bytes] = read_file,
        find: Callable[[str], list[str]] = find_files,
    ) -> None:
        self._source = source
        self._directory = directory
        self._read = read
        self._find = find
        self._files: dict[str, bytes] = {}
        self._found: dict[str, list[str]] = {}

    def read(self, name: str) -> bytes:
        data = self._files[name] = self._read(name)
        return data

    def find(self, pattern: str) -> list[str]:
        names = self._found[pattern] = self._find(pattern)
        return names

    def bundle(self) -> Bundle:
        """Everything that was read."""
        return Bundle(self._source.name, self._source.text, self._directory, self._files, self._found)


def in_memory(name: str, data: Any) -> int:
    """The descriptor of a nameless file that holds data as JSON; another process may have it."""
    text = json.dumps(data, separators=(",", ":")).encode()
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create(name)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    with open(descriptor, "wb", closefd=False) as file:
        file.write(text)
    return descriptor


def read_memory(descriptor: int) -> Any:
    """What `in_memory` has written. Several processes may read the same file, so its position is left alone."""
    return json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
