"""The table of all metrics in the guide, from their declarations."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import edgescript
from edgescript.catalog import Catalogue
from edgescript.generate.shelves import as_table
from edgescript.metric import Across, Kind, Metric

PAGE = "docs/reference/metrics.md"

_PACKAGE = Path(next(iter(edgescript.__path__)))
#: What a file has that declares a metric.
_DECLARES = re.compile(r"^[A-Z_]+ = Metric\(", re.M)

_ABOUT = """\
Every metric that this server counts, by its name. [The guide](../guide/metrics.md) says where they are read. Counters are
shown with `_total` behind their name; histograms as `_bucket`, `_sum` and `_count`. The values of all workers are added up;
where that makes no sense, a label `worker` tells them apart or the largest is shown.
"""


def files(catalogue: Catalogue) -> dict[str, str]:
    rows = [[f"`{_shown(metric)}`", metric.kind.value, _labels(metric), metric.doc] for metric in declared()]
    return {PAGE: f"# Metrics\n\n{_ABOUT}\n{as_table(['Name', 'Kind', 'Labels', 'What it counts'], rows)}\n"}


def declared() -> list[Metric]:
    """Every metric of the package, by name."""
    found = {metric.name: metric for module in _modules() for metric in vars(importlib.import_module(module)).values()
             if isinstance(metric, Metric)}  # fmt: skip
    return [found[name] for name in sorted(found)]


def _modules() -> Iterator[str]:
    for file in sorted(_PACKAGE.rglob("*.py")):
        if _DECLARES.search(file.read_text(encoding="utf-8")):
            yield ".".join(("edgescript", *file.relative_to(_PACKAGE).with_suffix("").parts))


def _shown(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.kind is Kind.COUNTER else metric.name


def _labels(metric: Metric) -> str:
    labels = (*metric.labels, "worker") if metric.across is Across.WORKER else metric.labels
    return " ".join(f"`{label}`" for label in labels)
