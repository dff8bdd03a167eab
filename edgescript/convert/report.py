"""What came of each directive of a file that was converted: nothing is dropped silently."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How much of a directive's meaning the Edgefile has."""

    CONVERTED = "converted"
    #: It works, but not in every detail as before.
    PARTLY = "partly"
    #: This program can do it another way, or has no such thing; the reason says which.
    NOT = "not converted"
    #: The program will have a directive for it and has none yet.
    NOT_YET = "not yet there"


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of one directive. Only CONVERTED needs no reason."""

    outcome: Outcome
    #: `nginx.conf:12`.
    place: str
    #: The directive, as it was written on one line.
    written: str
    reason: str = ""


@dataclass(slots=True)
class Report:
    """Everything that is to say about one conversion."""

    remarks: list[Remark] = field(default_factory=list)

    def add(self, outcome: Outcome, place: str, written: str, reason: str = "") -> None:
        self.remarks.append(Remark(outcome, place, written, reason))

    @property
    def is_complete(self) -> bool:
        """Everything was converted, with the same meaning."""
        return all(remark.outcome is Outcome.CONVERTED for remark in self.remarks)

    def open(self) -> list[Remark]:
        """What was not converted, or only partly."""
        return [remark for remark in self.remarks if remark.outcome is not Outcome.CONVERTED]

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"outcome": str(one.outcome), "place": one.place, "written": one.written, "reason": one.reason}
            for one in self.remarks
        ]


@dataclass(frozen=True, slots=True)
class Conversion:
    """An Edgefile, and how much of the original it holds."""

    text: str
    report: Report
