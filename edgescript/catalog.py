"""All entries there are: found by walking the shelves, imported when first asked for.

The catalogue is a value that is passed in. A shelf is a package; the file `try_files.py` holds the entry `try_files`, and
`not_.py` the entry `not`, so that names can be listed, and misspelt ones answered, without importing anything. An entry with
groups of its own is a folder: `proxy/entry.py` holds `proxy`. Other packages add entries through the entry-point group
`edgescript.entries`; it is read only when a name stands on no shelf, because reading it takes 40 ms.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from edgescript.declare.entries import Placeholder
from edgescript.declare.plan import plan_of
from edgescript.text.problem import Problem

SHELVES = ("directives", "matchers", "placeholders", "balancers", "settings")
PLUGINS = "edgescript.entries"

#: A declared class, or a `Placeholder`.
Entry = Any


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point of an installed package."""

    #: What it names: `package.module` or `package.module:Class`.
    value: str
    #: The package as it was installed, where that is known.
    package: str | None
    version: str | None
    #: What it adds, by shelf and name.
    entries: list[tuple[str, str]] = field(default_factory=list)
    #: Why some of it, or all, is not added.
    problems: list[str] = field(default_factory=list)


class Catalogue:
    """Every entry that an Edgefile may name; a value, so that two configurations may have two."""

    def __init__(self, folders: Mapping[str, Sequence[Path]], added: Mapping[tuple[str, str], Entry]) -> None:
        self._folders = folders
        self._added = dict(added)
        self._files: dict[str, dict[str, Path]] = {}
        self._found: dict[tuple[str, str], Entry | None] = {}
        self._plugins: dict[tuple[str, str], Entry] | None = None
        self._installed: list[Plugin] = []
        self._problems: list[Problem] = []

    @classmethod
    def load(cls, *, extra_shelves: Mapping[str, Sequence[Path]] | None = None) -> Catalogue:
        """The entries that are installed. `extra_shelves` names more folders to look in, by shelf."""
        return cls(extra_shelves or {}, {})

    def with_entries(self, *entries: Entry) -> Catalogue:
        """This catalogue and these declared classes or placeholders, which stand in front of others of the same name."""
        added = {**self._added, **{_shelf_and_name(entry): entry for entry in entries}}
        return Catalogue(self._folders, added)

    # ---- looking up

    def directive(self, name: str) -> type[Any] | None:
        return self.entry("directives", name)

    def matcher(self, name: str) -> type[Any] | None:
        return self.entry("matchers", name)

    def balancer(self, name: str) -> type[Any] | None:
        return self.entry("balancers", name)

    def setting(self, name: str) -> type[Any] | None:
        return self.entry("settings", name)

    def placeholder(self, name: str) -> Placeholder | None:
        found: Placeholder | None = self.entry("placeholders", name)
        return found

    def entry(self, shelf: str, name: str) -> Entry | None:
        """The entry of this name, or None."""
        key = (shelf, name)
        if key not in self._found:
            self._found[key] = self._look_up(key)
        return self._found[key]

    def names(self, shelf: str) -> list[str]:
        """All names of a shelf, sorted."""
        added = {name for place, name in (*self._added, *self.plugins()) if place == shelf}
        return sorted(added.union(self.files(shelf)))

    def problems(self) -> list[Problem]:
        """What is wrong with the plug-ins, as far as they were looked at: not to be imported, or with a name that is taken."""
        return list(self._problems)

    def _look_up(self, key: tuple[str, str]) -> Entry | None:
        shelf, name = key
        if key in self._added:
            return self._added[key]
        file = self.files(shelf).get(name)
        if file is None:
            return self.plugins().get(key)
        return next(entries_of(self._module(shelf, file), shelf), None)

    # ---- shelves

    def files(self, shelf: str) -> dict[str, Path]:
        """The file of each entry of a shelf, by the entry's name."""
        if shelf not in self._files:
            package = importlib.import_module(f"edgescript.{shelf}")
            folders = [*map(Path, package.__path__), *self._folders.get(shelf, ())]
            self._files[shelf] = {name: file for folder in folders for name, file in _entry_files(folder)}
        return self._files[shelf]

    def _module(self, shelf: str, file: Path) -> ModuleType:
        if any(folder in file.parents for folder in self._folders.get(shelf, ())):
            return _import_file(shelf, file)
        path = f"{file.parent.name}.entry" if file.name == "entry.py" else file.stem
        return importlib.import_module(f"edgescript.{shelf}.{path}")

    # ---- plug-ins

    def plugins(self) -> dict[tuple[str, str], Entry]:
        """The entries of other packages, by shelf and name."""
        if self._plugins is None:
            self._plugins = {}
            for point in _entry_points():
                self._plug_in(point, self._plugins)
        return self._plugins

    def installed(self) -> list[Plugin]:
        """Every plug-in, whether it can be used or not."""
        self.plugins()
        return list(self._installed)

    def _plug_in(self, point: Any, plugins: dict[tuple[str, str], Entry]) -> None:
        plugin = _plugin(point)
        self._installed.append(plugin)
        try:
            entries = _brought(point.load())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a stranger's module may raise anything
            plugin.problems.append(f"cannot be imported: {error!r}")
            entries = []
        else:
            if not entries:
                plugin.problems.append("declares no entry")
        for entry in entries:
            key = shelf, name = _shelf_and_name(entry)
            if name in self.files(shelf) or key in plugins:
                plugin.problems.append(f'declares "{name}" on {shelf}, and that name is taken')
            else:
                plugins[key] = entry
                plugin.entries.append(key)
        self._problems += [_plugin_problem(plugin, what) for what in plugin.problems]


def entries_of(module: ModuleType, shelf: str) -> Iterator[Entry]:
    """The entries of a shelf that a module (or a package's own modules) declares; what it imported does not count."""
    for value in vars(module).values():
        if isinstance(value, Placeholder):
            if shelf == "placeholders":
                yield value
        elif isinstance(value, type) and "declaration" in vars(value):
            own = f"{value.__module__}.".startswith(f"{module.__name__}.")
            if own and vars(value)["declaration"].shelf == shelf:
                yield value


def _brought(loaded: Any) -> list[Entry]:
    """
    What an entry point stands for: an entry, or the entries that a module declares.

    :raises DeclarationError: if one of them is declared wrongly
    """
    if isinstance(loaded, Placeholder) or (isinstance(loaded, type) and "declaration" in vars(loaded)):
        entries: list[Entry] = [loaded]
    else:
        entries = [entry for shelf in SHELVES for entry in entries_of(loaded, shelf)]
    for entry in entries:
        if not isinstance(entry, Placeholder):
            plan_of(entry)
    return entries


def _shelf_and_name(entry: Entry) -> tuple[str, str]:
    if isinstance(entry, Placeholder):
        return "placeholders", entry.name
    return entry.declaration.shelf, entry.declaration.name


def _entry_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, file) of each entry in a shelf's folder. Names that begin with `_` are not entries."""
    with os.scandir(folder) as found:
        for item in found:
            if item.name.startswith(("_", ".")):
                continue
            if item.name.endswith(".py"):
                yield item.name.removesuffix(".py").rstrip("_"), folder / item.name
            elif os.path.exists(os.path.join(item.path, "entry.py")):
                yield item.name.rstrip("_"), folder / item.name / "entry.py"


def _import_file(shelf: str, file: Path) -> ModuleType:
    """Import a file that belongs to no package."""
    name = f"edgescript_extra_{shelf}_{file.stem}_{abs(hash(str(file))):x}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Annotations are resolved through the module's globals, which dataclasses look for here.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _entry_points() -> Iterator[Any]:
    from importlib.metadata import entry_points  # 40 ms that most runs do not need

    yield from entry_points(group=PLUGINS)


def _plugin(point: Any) -> Plugin:
    distribution = getattr(point, "dist", None)
    if distribution is None:
        return Plugin(point.value, None, None)
    return Plugin(point.value, distribution.name, distribution.version)


def _plugin_problem(plugin: Plugin, what: str) -> Problem:
    return Problem("W101", f'the plug-in "{plugin.value}" {what}', None, hint="uninstall it, or ask its author")
