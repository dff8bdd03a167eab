"""What collectors are sent is shown nowhere: of metrics, traces, logs, and of the program's own log."""

from __future__ import annotations

import json

import pytest

from edgescript.catalog import Catalogue
from edgescript.graph.adapt import adapt
from edgescript.graph.load import load
from edgescript.text.render import as_text
from edgescript.text.source import Source

_CATALOGUE = Catalogue.load()
_EVERYWHERE = """{
    metrics {
        otlp http://a/v1/metrics {
            header X-Key hunter2hunter2
        }
    }
    tracing {
        endpoint http://a/v1/traces
        header X-Key hunter2hunter2
    }
    log {
        output otlp http://a {
            header X-Key hunter2hunter2
        }
    }
}
:80 {
    log {
        output otlp http://a {
            header X-Key hunter2hunter2
        }
        fields {
            hash client_ip
            hash_key hunter2hunter2
        }
    }
    respond
}
"""


def test_no_secret_is_in_the_adapted_graph() -> None:
    graph, problems = load(Source("E", _EVERYWHERE), catalogue=_CATALOGUE, environment={}, directory=".")
    assert graph is not None, problems
    dumped = json.dumps(adapt(graph))
    assert dumped.count('"x-key"') == 3
    assert "hunter2" not in dumped
    assert "hunter2" not in repr(dict(graph.settings))


@pytest.mark.parametrize(
    "lines",
    [
        "tracing {\nendpoint http://me:hunter2hunter2@a/\n}",
        "metrics {\notlp http://me:hunter2hunter2@a/\n}",
        "metrics {\notlp ftp://me:hunter2hunter2@a/\n}",
        "log {\noutput otlp http://me:hunter2hunter2@a/\n}",
        'tracing {\nendpoint http://a/\nheader X-Key "hunter2hunter2\\n"\n}',
        'log {\noutput otlp http://a/ {\nheader X-Key "hunter2hunter2\\n"\n}\n}',
    ],
)
def test_no_problem_shows_a_secret(lines: str) -> None:
    source = Source("E", f"{{\n{lines}\n}}\n:80 {{\nrespond\n}}\n")
    graph, problems = load(source, catalogue=_CATALOGUE, environment={}, directory=".")
    assert graph is None
    shown = as_text(problems)
    assert "hunter2" not in shown
    assert "name and password" in shown or "printable ASCII" in shown
