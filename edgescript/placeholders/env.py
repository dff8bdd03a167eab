"""A variable of the environment."""

from __future__ import annotations

import os

from edgescript.declare.entries import Placeholder, Reader


def _variable(part: str) -> Reader:
    value = os.environ.get(part, "")
    return lambda exchange: value


PLACEHOLDER = Placeholder(
    "env",
    "`{env.NAME}` is a variable of the environment that the server was started in.",
    member=_variable,
    sample="HOME",
)
