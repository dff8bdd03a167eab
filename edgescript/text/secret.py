"""A text that is shown to nobody: no repr, log line or dump has it."""

from __future__ import annotations


class Secret:
    """Holds a text; whoever uses it asks for its `value`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return "***"
