"""Answer with the server's metrics."""

from __future__ import annotations

from edgescript.declare.entries import Build, Built, Role, directive
from edgescript.http.exchange import Exchange
from edgescript.http.message import HTTPError, Response
from edgescript.http.pending import in_task
from edgescript.metric import Exposition, Meter


@directive("metrics", role=Role.TERMINAL)
class Metrics:
    """
    Answer with everything that the server counts, for Prometheus and others to read.

    The answer is the text format of Prometheus or, for clients that ask for it, OpenMetrics with exemplars. It is the sum of
    all workers. It names sites, routes and servers behind, so let only those see it who may know them.

    ```edge-test
    :80 {
        @monitoring {
            path /metrics
            remote_ip 127.0.0.0/8 10.0.0.0/8
        }
        metrics @monitoring
        respond "hello"
    }
    test "metrics are text" {
        request GET http://localhost/metrics
        expect status 200
        expect header Content-Type "text/plain; version=0.0.4; charset=utf-8"
    }
    test "a client may ask for OpenMetrics" {
        request GET http://localhost/metrics
        header Accept application/openmetrics-text
        expect header Content-Type "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
    ```
    """

    def build(self, build: Build) -> Built:
        meter = build.meter

        async def run(exchange: Exchange) -> Response:
            if exchange.method not in (b"GET", b"HEAD"):
                raise HTTPError(405, "metrics are read with GET", [(b"allow", b"GET, HEAD")])
            ask = meter.exposition or _own(meter)
            kind, text = await in_task(ask(_accept(exchange)))
            headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store"), (b"vary", b"accept")]
            return Response(200, headers, text)

        return Built(run, lambda exchange: "answer with the metrics")


def _accept(exchange: Exchange) -> str:
    return ",".join(value.decode("latin-1") for name, value in exchange.headers if name == b"accept")


def _own(meter: Meter) -> Exposition:
    """What this process has counted, where it is the only one."""

    async def ask(accept: str) -> tuple[str, bytes]:
        from edgescript.observe.exposition import expose
        from edgescript.observe.segments import own_families

        return expose(own_families(meter), accept)

    return ask
