"""What is to be said about each line while it is converted: the worst counts, reasons are told once."""

from __future__ import annotations

from edgescript.convert.nginx.lines import Line, walk
from edgescript.convert.nginx.syntax import Failure
from edgescript.convert.report import Outcome, Report

_WORSE = [Outcome.CONVERTED, Outcome.PARTLY, Outcome.NOT_YET, Outcome.NOT]


class Notes:
    """Outcome and reasons by line."""

    def __init__(self) -> None:
        self._said: dict[Line, tuple[Outcome, list[str]]] = {}

    def say(self, line: Line, outcome: Outcome, reason: str = "") -> None:
        """Add what came of a line, perhaps to what was said of it before."""
        before, reasons = self._said.get(line, (Outcome.CONVERTED, []))
        if reason and reason not in reasons:
            reasons = [*reasons, reason]
        self._said[line] = (max(before, outcome, key=_WORSE.index), reasons)

    def done(self, *lines: Line) -> None:
        """The lines are converted."""
        for line in lines:
            self.say(line, Outcome.CONVERTED)

    def knows(self, line: Line) -> bool:
        return line in self._said

    def outcome(self, line: Line) -> Outcome | None:
        found = self._said.get(line)
        return None if found is None else found[0]

    def report(self, root: Line, failures: list[Failure]) -> Report:
        """Everything that was said, in the order of the file; first what could not be read."""
        report = Report()
        for failure in failures:
            report.add(Outcome.NOT, failure.place, failure.written, failure.reason)
        # Dictionaries keep their order: first what stands in the tree, then what was taken out of it.
        failed = {(failure.place, failure.written) for failure in failures}
        for line in {**dict.fromkeys(walk(root)), **self._said}:
            if line in self._said and (line.place, str(line)) not in failed:
                outcome, reasons = self._said[line]
                report.add(outcome, line.place, str(line), "; ".join(reasons))
        return report
