"""Python modules that belong to an Edgefile: imported when its graph starts, and loaded anew when one of them has changed.

The modules of one folder, of one state of its files, are a *generation*: they are imported together, share what they import
from each other, and are loaded anew together as soon as one of the files has another content. The old generation lives on
beside the new one, as long as a graph uses it. Modules from elsewhere (installed packages, the standard library) are imported
as always and never loaded anew.

`sys.modules` is one for the whole process. While a generation is loaded, the modules of others are taken out of it, so that two
folders may each have a `helper.py`; afterwards they stand in it again, as far as their names are free, for imports inside
functions.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from edgescript.api._hooks import COLLECTING, Hooks
from edgescript.api._threads import in_own_thread

#: In a module's namespace: the generation that it was loaded for.
_MARK = "__edge_generation__"
#: Folders below which nothing is the user's own, wherever they stand.
_INSTALLED = frozenset({"site-packages", "dist-packages"})
#: This package is never loaded anew, even where the Edgefile stands beside it.
_OURS = __name__.partition(".")[0]
#: Nanoseconds by which the time of a file may lag behind the clock: the kernel stamps it by the tick (10 ms at most).
_COARSE = 20_000_000
#: One import at a time changes `sys.path` and `sys.modules`.
_LOCK = threading.RLock()
#: Seconds that a generation which is not used any more waits for an import to end.
_PATIENCE = 30.0

log = logging.getLogger("edgescript.handlers")


@dataclass(frozen=True, slots=True)
class Target:
    """What `module:callable` and `file.py:callable` name."""

    #: As it was written.
    text: str
    #: The folder whose modules are the user's own.
    folder: str
    #: The dotted name of the module; of a file, the file's name without `.py`.
    module: str
    #: The file, where one was named.
    file: str | None
    #: The attribute, with dots where it is an attribute's attribute.
    attribute: str


def parse_target(text: str, directory: str) -> Target:
    """
    The target that a text means.

    :param directory: where relative paths and modules are looked for
    :raises ValueError: with what is wrong with it
    """
    place, colon, attribute = text.rpartition(":")
    if not colon or not place:
        raise ValueError("expected module:callable or file.py:callable")
    if not all(part.isidentifier() for part in attribute.split(".")):
        raise ValueError(f'"{attribute}" cannot be the name of a callable')
    if place.endswith(".py"):
        path = Path(directory, place).absolute()
        return Target(text, str(path.parent), path.stem, str(path), attribute)
    if not all(part.isidentifier() for part in place.split(".")):
        hint = f"; did you mean {place}.py:{attribute}?" if "/" in place else ""
        raise ValueError(f'"{place}" cannot be the name of a module{hint}')
    return Target(text, str(Path(directory).absolute()), place, None, attribute)


class Modules:
    """The generations of one worker: what graphs that follow each other have in common."""

    def __init__(self) -> None:
        self._generations: dict[str, list[Generation]] = {}
        self._number = 0

    def generation(self, folder: str) -> Generation:
        """The newest generation of a folder of which no file has changed, or a new one."""
        known = self._generations.setdefault(folder, [])
        for generation in reversed(known):
            if generation.is_current():
                return generation
        self._number += 1
        known.append(Generation(folder, self._number, self))
        return known[-1]

    def forget(self, generation: Generation) -> None:
        """A generation is not used any more."""
        known = self._generations.get(generation.folder, [])
        if generation in known:
            known.remove(generation)
        if not known:
            self._generations.pop(generation.folder, None)

    def has(self, folder: str) -> bool:
        """Whether a generation of this folder is in use."""
        return folder in self._generations

    def newest(self, folder: str) -> dict[str, ModuleType]:
        """What the newest generation of a folder has loaded."""
        known = self._generations.get(folder)
        return known[-1].loaded if known else {}

    async def close(self) -> None:
        """Nothing of it is open: generations are closed by whoever uses them."""


class Generation:
    """The modules of one folder, of one state of their files."""

    def __init__(self, folder: str, number: int, modules: Modules) -> None:
        self.folder = folder
        #: Tells it from others of the same folder.
        self.number = number
        self._modules = modules
        self.loaded: dict[str, ModuleType] = {}
        #: Modules of the folder that somebody else had imported before, such as a program that this one runs inside of.
        self._foreign: frozenset[str] = frozenset()
        self._foreign = frozenset(name for name, module in tuple(sys.modules.items()) if self._is_own(name, module))
        #: What the files held when they were loaded.
        self._contents: dict[str, bytes | None] = {}
        self._loaded_at = 0

    @property
    def files(self) -> dict[str, bool]:
        """The files that were loaded, and whether each still holds what it held then."""
        return {file: _content(file) == content for file, content in self._contents.items()}

    def is_current(self) -> bool:
        """Whether every file still holds what it held when it was loaded."""
        self._adopt()
        return all(_content(file) == content for file, content in self._contents.items())

    def _adopt(self) -> None:
        """Take what functions have imported since, from the folder; what that file held then is only known of an old one."""
        for name, module in self._new(set(self.loaded)) if self.loaded else ():
            self._take({name: module})
            file = getattr(module, "__file__", None)
            if file and _changed_at(file) + _COARSE >= self._loaded_at:
                self._contents[file] = None

    def load(self, target: Target) -> tuple[Any, Hooks]:
        """
        What a target names, and the hooks that are new with it. Its module is imported, unless it is here already; that takes
        as long as the module takes.

        :raises ImportError: if there is no such module, or it has no such attribute
        :raises Exception: whatever the module raises
        """
        with _LOCK, self._importing() as hooks:
            module = self._module(target)
        found: Any = module
        for name in target.attribute.split("."):
            try:
                found = getattr(found, name)
            except AttributeError:
                raise ImportError(f"{_named(module)} has no {target.attribute!r}") from None
        return found, hooks

    def _module(self, target: Target) -> ModuleType:
        if target.file is None:
            return importlib.import_module(target.module)
        for module in self.loaded.values():
            if getattr(module, "__file__", None) == target.file:
                return module
        return _import_file(target.file, target.module)

    @contextmanager
    def _importing(self) -> Iterator[Hooks]:
        """Have imports find these modules, and take what is imported; nothing of that stays after an error."""
        hidden = _taken_out(self)
        sys.modules.update(self.loaded)
        sys.path.insert(0, self.folder)
        importlib.invalidate_caches()
        # Bytecode is told from newer source by seconds and size: a file that was changed twice in a second would stay old.
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        before = set(sys.modules)
        hooks = Hooks()
        token = COLLECTING.set(hooks)
        try:
            yield hooks
        except BaseException:
            for name, _ in self._new(before):
                del sys.modules[name]
            raise
        else:
            self._take(dict(self._new(before)))
            self._loaded_at = time.time_ns()
            hidden = {name: module for name, module in hidden.items() if vars(module)[_MARK].folder != self.folder}
        finally:
            COLLECTING.reset(token)
            sys.dont_write_bytecode = writes
            with suppress(ValueError):  # a module may have put another path in place
                sys.path.remove(self.folder)
            if self.loaded and self.folder not in sys.path:
                sys.path.append(
                    self.folder
                )  # for imports inside functions; last, so that it hides nothing from the server
            for name, module in hidden.items():
                sys.modules.setdefault(name, module)

    def _new(self, before: set[str]) -> list[tuple[str, ModuleType]]:
        """The modules of the folder that were not there before, and are no other generation's."""
        found = [(name, module) for name, module in tuple(sys.modules.items()) if name not in before]
        return [(name, module) for name, module in found if self._is_own(name, module)]

    def _is_own(self, name: str, module: ModuleType) -> bool:
        if name.partition(".")[0] == _OURS or name in self._foreign or _MARK in getattr(module, "__dict__", ()):
            return False
        file = getattr(module, "__file__", None)
        places = [file] if file else list(getattr(module, "__path__", ()))  # a folder without __init__ has no file
        return bool(places) and all(self._is_below(place) for place in places)

    def _is_below(self, place: str) -> bool:
        folder = self.folder.rstrip(os.sep) + os.sep
        return place.startswith(folder) and _INSTALLED.isdisjoint(place.removeprefix(folder).split(os.sep))

    def _take(self, modules: dict[str, ModuleType]) -> None:
        for name, module in modules.items():
            vars(module)[_MARK] = self
            self.loaded[name] = module
            if file := getattr(module, "__file__", None):
                self._contents[file] = _content(file)

    async def close(self) -> None:
        """Let the modules go. While something is imported, that is waited for in a thread, as it may take long."""
        if not self._let_go(wait=0):
            await in_own_thread(self._let_go, _PATIENCE)

    def _let_go(self, wait: float) -> bool:
        if not _LOCK.acquire(timeout=wait):
            if wait:
                log.error("the modules of %s stay, because an import does not end", self.folder)
            return False
        try:
            self._adopt()
            self._modules.forget(self)
            if not self._modules.has(self.folder) and self.folder in sys.path:
                sys.path.remove(self.folder)
            for name, module in self.loaded.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
                vars(module).pop(_MARK, None)
            for name, module in self._modules.newest(self.folder).items():
                sys.modules.setdefault(name, module)
            self.loaded.clear()
        finally:
            _LOCK.release()
        return True


def _taken_out(generation: Generation) -> dict[str, ModuleType]:
    """The modules of all other generations, which are not in `sys.modules` any more."""
    hidden: dict[str, ModuleType] = {}
    for name, module in tuple(sys.modules.items()):
        owner = getattr(module, "__dict__", {}).get(_MARK)
        if owner is not None and owner is not generation:
            hidden[name] = sys.modules.pop(name)
    return hidden


def _import_file(file: str, stem: str) -> ModuleType:
    """
    Import a file by its path.

    :raises ImportError: if there is none
    """
    if not Path(file).is_file():
        raise ImportError(f"there is no file {file}")
    # `json.py` must neither be the standard library's nor take its place.
    name = stem if stem.isidentifier() and stem not in sys.modules and not _is_installed(stem) else f"edge_file_{stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _is_installed(name: str) -> bool:
    return name in sys.stdlib_module_names


def _content(file: str) -> bytes:
    """A digest of what a file holds; empty where it cannot be read."""
    try:
        return blake2b(Path(file).read_bytes(), digest_size=16).digest()
    except OSError:
        return b""


def _changed_at(file: str) -> int:
    """In nanoseconds since 1970; now, where it cannot be read."""
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return time.time_ns()


def _named(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or f"the module {module.__name__}"
