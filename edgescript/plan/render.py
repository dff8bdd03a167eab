"""A plan as text: what changes, site by site, and then what traffic notices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from edgescript.plan.model import Change, Detail, Kind, Plan, named
from edgescript.text.source import Span

SIGNS = {
    Kind.ADDED: "+",
    Kind.REMOVED: "-",
    Kind.CHANGED: "~",
    Kind.MOVED: "^",
    Kind.SHADOWED: "!",
    Kind.WARNED: "!",
}
#: Changes that are shown to a person; `--format json` has all.
SHOWN = 200


def as_text(plan: Plan) -> str:
    """The plan for a terminal."""
    if not plan.changes:
        return "nothing changes"
    lines: list[str] = []
    told = [(_headline(same), same[0]) for same in _together(plan.changes)]
    for headline, group in groupby(told[:SHOWN], lambda one: one[0]):
        lines += [headline, *(line for _, change in group for line in _lines(change)), ""]
    if len(told) > SHOWN:
        lines += [f"… and {len(told) - SHOWN:,} more changes", ""]
    lines += _effects(plan)
    return "\n".join([*lines, "", _summary(plan)])


def _together(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes that are the same on several sites, from a snippet for example, are told once."""
    found: dict[object, list[Change]] = {}
    for change in changes:
        key = (change.kind, change.what, change.text, change.inside, change.details)
        found.setdefault(key, []).append(change)
    return list(found.values())


def _headline(same: Sequence[Change]) -> str:
    change = same[0]
    if change.what in ("site", "address"):
        return "sites"
    return (
        "warnings that are new"
        if change.what == "warning"
        else named([one.site for one in same if one.site]) or "global settings"
    )


def _lines(change: Change) -> Iterator[str]:
    """One change: its sign and text, where, and below it what differs."""
    inside = "".join(f"{one} > " for one in change.inside)
    what = f"{change.what} " if change.what in ("site", "address", "matcher") else ""
    yield f"  {SIGNS[change.kind]} {what}{inside}{change.text}  ({_where(change.old, change.new)})"
    if any(detail.on_line for detail in change.details):
        yield f"      before {change.before}"
    for detail in change.details:
        if not detail.on_line:
            yield from _detail(detail)


def _where(old: Span | None, new: Span | None) -> str:
    return " → ".join(str(span) for span in (old, new) if span is not None) or "default"


def _detail(detail: Detail) -> Iterator[str]:
    if not detail.name or (len(detail.removed) > 1 or len(detail.added) > 1):
        if detail.name:
            yield f"      {detail.name}"
        yield from (f"      - {value}" for value in detail.removed)
        yield from (f"      + {value}" for value in detail.added)
    elif not detail.removed and detail.name.startswith("now "):
        yield f"      {detail.name} {detail.added[0]}"
    elif not detail.removed:
        yield f"      {detail.name} + {detail.added[0]}"
    elif not detail.added:
        yield f"      {detail.name} - {detail.removed[0]}"
    else:
        about = f"  ({_briefly(detail.doc)})" if detail.doc else ""
        yield f"      {detail.name} {detail.removed[0]} → {detail.added[0]}{about}"


def _briefly(doc: str) -> str:
    """The first clause of what a field is about."""
    first = re.split(r"[.;:]( |$)", doc, maxsplit=1)[0]
    return first[:1].lower() + first[1:]


def _effects(plan: Plan) -> Iterator[str]:
    yield "what traffic notices"
    if not plan.effects and not plan.untried:
        yield "  nothing: all requests that were tried are answered as before"
    for effect in plan.effects[:SHOWN]:
        yield f"  {effect.requests} {effect.text}"
    if len(plan.effects) > SHOWN:
        yield f"  … and {len(plan.effects) - SHOWN:,} more"
    if any(change.what == "setting" for change in plan.changes):
        yield "  what the global settings above say holds for every site"
    for reason in plan.untried[:SHOWN]:
        yield f"  not tried: {reason}"


def _summary(plan: Plan) -> str:
    counts = Counter(change.kind for change in plan.changes)
    number = len(plan.changes)
    parts = ", ".join(f"{counts[kind]:,} {kind}" for kind in Kind if counts[kind])
    return f"{number:,} change{'' if number == 1 else 's'}: {parts}"
