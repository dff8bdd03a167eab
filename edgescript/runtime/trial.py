"""`edge run`, tried by a supervisor that is to be replaced: says which version this is, and what keeps it from taking over."""

from __future__ import annotations

import json
import os
import sys

from edgescript.graph.compile import has_errors
from edgescript.runtime import (
    supervisor as supervisor,  # imported, with the worker: what cannot be is better known before
)
from edgescript.runtime import worker as worker
from edgescript.runtime.bundle import Bundle, read_memory
from edgescript.runtime.configuration import understand
from edgescript.runtime.upgrade import PROTOCOL, TRIAL
from edgescript.version import __version__


def main() -> None:
    bundle = Bundle.of_data(read_memory(int(os.environ[TRIAL])))
    found = understand(bundle.source, bundle.directory, read=bundle.read, find=bundle.find)
    errors = [problem for problem in found.problems if has_errors([problem])]
    wrong = found.reason or "; ".join(f"{error.span}: {error.message}" for error in errors[:3])
    sys.stdout.write(json.dumps({"version": __version__, "protocol": PROTOCOL, "wrong": wrong}))
