"""Metrics as text, in the two formats that Prometheus and its relatives read; which one, the client's Accept says.

The formats are Prometheus' text format 0.0.4 and OpenMetrics 1.0. The latter knows exemplars. Writing them is a page, and
the objects that `prometheus_client` wants for each value would cost more than the text; it reads what is written here in the
tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from edgescript.metric import Exemplar, Kind, Series
from edgescript.observe.segments import Family

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
#: Versions of OpenMetrics whose readers can read ours; without one, any is meant.
_VERSIONS = frozenset({"", "1.0.0", "0.0.1"})


def expose(families: Sequence[Family], accept: str = "") -> tuple[str, bytes]:
    """
    Metrics as text, and its Content-Type.

    :param accept: the value of the client's Accept field
    """
    if wants_openmetrics(accept):
        return OPENMETRICS, "".join([*_lines(families, openmetrics=True), "# EOF\n"]).encode()
    return TEXT, "".join(_lines(families, openmetrics=False)).encode()


def wants_openmetrics(accept: str) -> bool:
    """Whether a client likes OpenMetrics at least as well as the text format (RFC 9110 12.5.1)."""
    openmetrics = text = 0.0
    for part in accept.lower().split(","):
        kind, *parameters = [piece.strip() for piece in part.split(";")]
        said = dict(piece.partition("=")[::2] for piece in parameters)
        quality = said.get("q", "1")
        weight = float(quality) if _QUALITY.fullmatch(quality) else 0.0
        if kind == "application/openmetrics-text" and said.get("version", "").strip('"') in _VERSIONS:
            openmetrics = max(openmetrics, weight)
        elif kind == "text/plain":
            text = max(text, weight)
    return openmetrics > 0 and openmetrics >= text


def _lines(families: Iterable[Family], *, openmetrics: bool) -> Iterator[str]:
    for family in families:
        metric = family.metric
        counter = "_total" if metric.kind is Kind.COUNTER else ""
        # In OpenMetrics a counter's family is called without the suffix that its values have.
        name = metric.name + ("" if openmetrics else counter)
        yield f"# HELP {name} {_help(metric.doc, openmetrics=openmetrics)}\n# TYPE {name} {metric.kind.value}\n"
        for series in family.series:
            labels = ",".join(
                f'{label}="{_escaped(value)}"' for label, value in zip(metric.labels, series.labels, strict=True)
            )
            if metric.kind is Kind.HISTOGRAM:
                yield from _histogram(series, labels, openmetrics=openmetrics)
            else:
                shown = f"{{{labels}}}" if labels else ""
                yield f"{metric.name}{counter}{shown} {_number(series.values[0])}\n"


def _histogram(series: Series, labels: str, *, openmetrics: bool) -> Iterator[str]:
    name = series.metric.name
    before = f"{labels}," if labels else ""
    below = 0.0
    for bucket, count in enumerate(series.counts):
        below += count
        bounds = series.metric.buckets
        bound = repr(bounds[bucket]) if bucket < len(bounds) else "+Inf"
        exemplar = series.exemplar(bucket) if openmetrics else None
        yield f'{name}_bucket{{{before}le="{bound}"}} {_number(below)}{_exemplar(exemplar)}\n'
    shown = f"{{{labels}}}" if labels else ""
    yield f"{name}_sum{shown} {_number(series.values[0])}\n{name}_count{shown} {_number(below)}\n"


def _exemplar(exemplar: Exemplar | None) -> str:
    if exemplar is None:
        return ""
    trace = f'trace_id="{exemplar.trace_id}",span_id="{exemplar.span_id}"'
    return f" # {{{trace}}} {_number(exemplar.value)} {exemplar.when:.3f}"


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return repr(value)


def _escaped(text: str) -> str:
    """A label's value; what is no Unicode text, as a file's name may be, is replaced."""
    text = text.encode("utf-8", "replace").decode()
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _help(text: str, *, openmetrics: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if openmetrics else text
