"""Start the quickstart: the small upstream in this process, and the server with the Edgefile beside it. `make run` calls it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from upstream import serve

HERE = Path(__file__).resolve().parent

WELCOME = """
The quickstart is on http://localhost:{port}/ (stop it with Ctrl-C). Try:

    curl http://localhost:{port}/healthz
    curl 'http://localhost:{port}/api/hello?name=you'
    curl -i http://localhost:{port}/old
    .venv/bin/edge explain --config examples/quickstart/Edgefile GET http://localhost:8080/api/hello

Its configuration is examples/quickstart/Edgefile.
"""


def main() -> int:
    # A free port of the system's choice, so that nothing that runs already is in the way.
    application = serve(int(os.environ.get("UPSTREAM_PORT", "0")))
    threading.Thread(target=application.serve_forever, daemon=True).start()
    environment = os.environ | {"UPSTREAM_PORT": str(application.server_port)}
    command = [str(Path(sys.executable).parent / "edge"), "run", "--config", str(HERE / "Edgefile")]
    edge = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    # Ctrl-C reaches both; the server ends in good order, and this process with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: edge.terminate())
    assert edge.stderr is not None
    for line in edge.stderr:
        sys.stderr.write(line)
        if "listening on" in line:
            print(WELCOME.format(port=line.strip().rpartition(":")[2]), flush=True)
        elif "address is in use" in line:
            print("Choose another port: EDGE_PORT=8081 make run", file=sys.stderr, flush=True)
    code = edge.wait()
    application.shutdown()
    return code


if __name__ == "__main__":
    sys.exit(main())
