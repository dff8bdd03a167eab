"""Where spans are sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from edgescript.declare.entries import Build, record, setting
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration
from edgescript.directives._collector import CollectorUrl, SentField

if TYPE_CHECKING:
    from edgescript.observe.tracing.export import Exporter


@record
class Attribute:
    """Something that all spans say about this server."""

    name: str = arg("Its name, one of OpenTelemetry's.")
    value: str = arg("Its value.")


@setting("tracing")
class Tracing:
    """
    Say where `trace` sends its spans: to a collector that speaks OTLP.

    Without an `endpoint` the environment variables of OpenTelemetry count (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kind); if
    they say nothing either, no spans are recorded, and traces only pass through.

    ```edge-test
    {
        tracing {
            endpoint http://collector.example:4318/v1/traces
            service shop
            attribute deployment.environment.name production
        }
    }
    :80 {
        trace
        respond "hello"
    }
    test "tracing changes no answer" {
        request GET http://localhost/
        expect body "hello"
    }
    ```
    """

    endpoint: CollectorUrl | None = option(
        "Where the collector is: a whole URL such as `http://127.0.0.1:4318/v1/traces`, with `protocol grpc` without path."
    )
    protocol: Literal["http", "grpc"] = option("OTLP over HTTP, or over gRPC.", default="http")
    header: tuple[SentField, ...] = option("A header field that the collector is sent.", repeated=True)
    trust_pool: str | None = option("File with the certificates of the authorities that are believed; PEM.")
    timeout: Duration = option("How long one sending may take.", default="10s", least=0.1)
    service: str = option("What this server is called in traces.", default="edge")
    attribute: tuple[Attribute, ...] = option("Something that all spans say about this server.", repeated=True)


#: Where the SDK of OpenTelemetry looks for an endpoint.
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def exporter_of(build: Build) -> Exporter | None:
    """What sends spans, one for all sites and graphs that say the same; None where nobody says where to."""
    said = build.setting(Tracing)
    if said.endpoint is None and not any(os.environ.get(name) for name in _VARIABLES):
        return None
    from edgescript.observe.tracing.export import Destination, Exporter, cells

    destination = Destination(
        protocol=said.protocol,
        endpoint=said.endpoint,
        headers=tuple(field.pair for field in said.header),
        trust_file=None if said.trust_pool is None else os.path.join(build.directory(), said.trust_pool),
        timeout=said.timeout,
        service=said.service,
        resource=tuple((one.name, one.value) for one in said.attribute),
    )
    meter = build.meter
    cells(meter)  # every graph holds them, for the exporter outlives the one that it is made for
    return build.share(("tracing", destination), lambda: Exporter(destination, meter))
