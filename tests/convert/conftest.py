"""What the tests of both converters share: the figures of the guides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgescript.convert.report import Conversion, Outcome, Remark

_GUIDES = Path(__file__).parents[2] / "docs" / "guide"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->"
#: Lines that say only where a site is.
_ADDRESS = re.compile(r"listen |server_name |internal|https?://|:\d|\{\$SITE|localhost\b|[\w*-]+\.example\b|\*\.")

_KINDS = ("converted fully", "converted but for HTTPS, which is not there yet", "converted partly", "not converted")


def _kind(conversion: Conversion) -> str:
    """How much of a file is converted; not, where nothing of it is left but addresses."""
    open_remarks = conversion.report.open()
    if not open_remarks:
        return _KINDS[0]
    if all("HTTPS" in one.reason for one in open_remarks):
        return _KINDS[1]
    return _KINDS[2 if any(map(_says_something, conversion.report.remarks)) else 3]


def _says_something(remark: Remark) -> bool:
    is_left = remark.outcome in (Outcome.CONVERTED, Outcome.PARTLY)
    is_block = remark.written.endswith("{ … }") or remark.reason.startswith("not needed")
    return is_left and not is_block and not _ADDRESS.match(remark.written)


def _figures(conversions: Sequence[Conversion]) -> str:
    kinds = [_kind(one) for one in conversions]
    outcomes = [remark.outcome for one in conversions for remark in one.report.remarks]
    rows = {
        "files": len(conversions),
        **{kind: kinds.count(kind) for kind in _KINDS},
        "directives": len(outcomes),
        **{f"of them {outcome}": outcomes.count(outcome) for outcome in Outcome},
    }
    return "| What | How many |\n| --- | ---: |\n" + "".join(f"| {name} | {count} |\n" for name, count in rows.items())


@pytest.fixture
def figures_stand_in(golden: Callable[[Path, str], None]) -> Callable[[str, Sequence[Conversion]], None]:
    """`figures_stand_in(guide, conversions)` holds that a guide says how many files are converted."""

    def compare(guide: str, conversions: Sequence[Conversion]) -> None:
        before, begin, rest = (_GUIDES / guide).read_text("utf-8").partition(_BEGIN)
        _, end, after = rest.partition(_END)
        assert begin
        assert end
        golden(_GUIDES / guide, f"{before}{begin}{_figures(conversions)}{end}{after}")

    return compare
