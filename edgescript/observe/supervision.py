"""What the supervisor counts about its own work."""

from __future__ import annotations

from edgescript.metric import Kind, Metric

RELOADS = Metric(
    "edge_config_reloads",
    Kind.COUNTER,
    "Configurations that were to be put to use, by what became of it: ok or failed.",
    ("result",),
)
LAST_RELOAD = Metric(
    "edge_config_last_reload_successful", Kind.GAUGE, "1 if the last configuration was put to use, 0 if it was refused."
)
LAST_RELOAD_TIME = Metric(
    "edge_config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    "When a configuration was last put to use, in seconds since 1970.",
)
WORKERS = Metric("edge_workers", Kind.GAUGE, "Workers by their state: starting, ready, draining.", ("state",))
RESTARTS = Metric(
    "edge_worker_restarts", Kind.COUNTER, "Workers that were started anew, by why: died or unresponsive.", ("reason",)
)
BUILD = Metric("edge_build_info", Kind.GAUGE, "Always 1; the version is in the label.", ("version",))
