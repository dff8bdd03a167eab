"""Figures into ratios, and both into a table for a terminal and for `RESULTS.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from cases import Case, Goal


@dataclass(slots=True)
class Outcome:
    """What one case gave: a figure per round for each contender, or why there is none."""

    case: Case
    figures: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def middle(self, name: str) -> float | None:
        """The median of a contender's rounds."""
        return median(self.figures[name]) if self.figures.get(name) else None

    def ratio(self, who: str, against: str) -> float | None:
        """How many times as good as `against`: the median over the rounds, each compared with its own neighbour."""
        pairs = list(zip(self.figures.get(who, ()), self.figures.get(against, ()), strict=False))
        if not pairs:
            return None
        return median(ours / theirs if self.case.more_is_better else theirs / ours for ours, theirs in pairs)


def verdict(outcome: Outcome, goal: Goal) -> str:
    """Whether a goal was reached, in a few words."""
    if goal.against is None:
        figure = outcome.middle(goal.who)
        sign, fits = "≤", None if figure is None else (figure <= goal.must, figure <= goal.aim)
        return _judged(_shown(figure), f"{sign} {goal.must:g} (aim {goal.aim:g}) {outcome.case.unit}", fits)
    ratio = outcome.ratio(goal.who, goal.against)
    fits = None if ratio is None else (ratio >= goal.must, ratio >= goal.aim)
    text = f"{'-' if ratio is None else f'{ratio:.2f}'} × {goal.against}"
    return _judged(text, f"≥ {goal.must:g} (aim {goal.aim:g})", fits)


def _judged(text: str, wanted: str, fits: tuple[bool, bool] | None) -> str:
    word = "not measured" if fits is None else "aim reached" if fits[1] else "reached" if fits[0] else "NOT REACHED"
    return f"{text}, {wanted}: {word}"


def _shown(figure: float | None) -> str:
    if figure is None:
        return "not measured"
    if figure >= 1000:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if figure >= 20 else f"{figure:.3g}"


def as_text(outcome: Outcome) -> str:
    """One case for a terminal."""
    lines = [f"{outcome.case.name}: {outcome.case.title} [{outcome.case.unit}]"]
    lines += ["  {:<12} {:>14} {:>10}  {}".format(*row) for row in _rows(outcome)]
    lines += [f"  -> {goal.who}: {verdict(outcome, goal)}" for goal in outcome.case.goals]
    return "\n".join(lines)


def _rows(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """Contender, median, ratio of the first contender to it, spread or reason."""
    ours = outcome.case.contenders[0].name
    rows = []
    for contender in outcome.case.contenders:
        name = contender.name
        figures = outcome.figures.get(name)
        # Several contenders of one program are several figures of it, not rivals.
        is_rival = contender.program != outcome.case.contenders[0].program
        ratio = outcome.ratio(ours, name) if figures and (is_rival or outcome.case.needs_wrk) and name != ours else None
        detail = outcome.missing.get(name, "") if not figures else f"{_shown(min(figures))} to {_shown(max(figures))}"
        rows.append((name, _shown(outcome.middle(name)), "" if ratio is None else f"{ratio:.2f} ×", detail))
    return rows


def as_markdown(outcomes: list[Outcome], *, processor: str, versions: dict[str, str], rounds: int) -> str:
    """All cases, as kept in the repository."""
    head = [
        "# Results",
        "",
        "Written by `make bench`. Requests per CPU-second are requests answered, divided by the processor time that the",
        "server's processes used for them; the server has one core to itself, the load and the upstream have another.",
        f"Medians of {rounds} rounds in which all contenders take turns; ratios compare within the same round and say how",
        "many times as good the first contender is as the one in the row.",
        "",
        f"Processor: {processor}. "
        + ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        + ".",
    ]
    return "\n".join(head) + "\n" + "".join(_section(outcome) for outcome in outcomes)


def with_cases(text: str, outcomes: list[Outcome], order: Sequence[Case]) -> str:
    """The kept results with some cases measured anew, in the order of all cases."""
    head, *sections = text.split("\n## ")
    parts = {section.partition("\n")[0]: f"\n## {section.rstrip()}\n" for section in sections}
    parts |= {outcome.case.title: _section(outcome) for outcome in outcomes}
    return head.rstrip() + "\n" + "".join(parts[case.title] for case in order if case.title in parts)


def _section(outcome: Outcome) -> str:
    first = outcome.case.contenders[0].name
    lines = ["", f"## {outcome.case.title}", ""]
    lines += [f"| | {outcome.case.unit} | {first} is | lowest to highest |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in _rows(outcome)]
    lines += ["", *(f"- {goal.who}: {verdict(outcome, goal)}" for goal in outcome.case.goals)]
    return "\n".join(lines) + "\n"
