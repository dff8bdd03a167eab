"""The server and its workers at a glance."""

from __future__ import annotations

from edgescript.admin.applying import problems_as_json
from edgescript.admin.operator import Applied, WorkerStatus
from edgescript.admin.request import Request, json_answer
from edgescript.http.message import Response


async def get(request: Request) -> Response:
    """What `edge status` shows: version, addresses, the configuration in use, each worker, and the last reload."""
    status = request.operator.status()
    config = status.config
    return json_answer(
        {
            "version": status.version,
            "pid": status.pid,
            "started": status.started,
            "addresses": list(status.addresses),
            "ready": status.ready,
            "config": {"number": config.number, "when": config.when, "source": config.source, "name": config.name},
            "workers": [_worker(worker) for worker in status.workers],
            "last_reload": None if status.last_reload is None else _applied(status.last_reload),
            "upgrade_failed": status.upgrade_failed,
        }
    )


def _worker(worker: WorkerStatus) -> dict[str, object]:
    return {
        "number": worker.number,
        "pid": worker.pid,
        "state": worker.state,
        "since": worker.since,
        "restarts": worker.restarts,
        "reason": worker.reason,
    }


def _applied(applied: Applied) -> dict[str, object]:
    return {
        "done": applied.done,
        "number": applied.number,
        "reason": applied.reason,
        "problems": problems_as_json(applied.problems),
    }
