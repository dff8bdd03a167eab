"""What is counted, and where the figures go by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from edgescript.declare.entries import Build, record, setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration
from edgescript.directives._collector import CollectorUrl, SentField

if TYPE_CHECKING:  # whoever only reads an Edgefile needs none of it
    from edgescript.observe.otlp import Collector, Push
    from edgescript.observe.segments import Totals


@record
class Otlp:
    """Where metrics are sent by themselves."""

    url: CollectorUrl = arg("Where the collector takes metrics: `http://127.0.0.1:4318/v1/metrics`.")
    interval: Duration = option("How often they are sent.", default="15s", least=1)
    timeout: Duration = option("How long the collector may take for one answer.", default="10s", least=0.001)
    header: tuple[SentField, ...] = option("A field of each request, such as a key.", repeated=True)

    @property
    def collector(self) -> Collector:
        from edgescript.observe.otlp import Collector

        headers = tuple(field.pair for field in self.header)
        return Collector(self.url, headers, interval=self.interval, timeout=self.timeout)


@setting("metrics")
class Metrics:
    """
    Set what is counted of requests, and how much memory that may take.

    Everything is counted by default; the `metrics` directive and the admin address show it. `metrics off` counts nothing of
    single requests any more; connections, servers behind and the process itself still are.

    Each metric has at most `budget` series (combinations of its labels) in each worker. What would be one more is counted
    under labels that are all `_other`, and `edge_metrics_folded_series_total` tells how many those were.

    ```edge-test
    {
        metrics {
            budget 200
            otlp http://127.0.0.1:4318/v1/metrics {
                interval 30s
                header Authorization "Bearer secret"
            }
        }
    }
    :80 {
        respond 200 "hello"
    }
    test "counting changes nothing" {
        request GET http://localhost/
        expect status 200
    }
    ```
    """

    requests: Literal["on", "off"] = arg("Whether requests are counted.", default="on")
    budget: int = option("The most series of one metric in one worker.", default="1000", least=1, most=100_000)
    otlp: Otlp | None = option("Send metrics to an OpenTelemetry collector, too.")

    @property
    def counts_requests(self) -> bool:
        return self.requests == "on"

    def build(self, build: Build) -> None:
        from edgescript.observe.process import ProcessWatch

        meter = build.meter
        meter.budget = self.budget
        build.share(("process metrics",), lambda: ProcessWatch(meter))
        # A worker's figures are a part of the whole, which its supervisor sends.
        if self.otlp is not None and not meter.shared:
            from edgescript.observe.otlp import Push
            from edgescript.observe.segments import own_families

            collector = self.otlp.collector
            build.share(("metrics to", collector), lambda: Push(collector, lambda: own_families(meter), meter))

    def push(self, totals: Totals) -> Push | None:
        """What sends the sums of all workers, for their supervisor."""
        from edgescript.observe.otlp import Push

        return None if self.otlp is None else Push(self.otlp.collector, totals.families, totals.meter)
