"""Where lines of logs go: what an Edgefile says about it, as a writer of the room that writes lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, get_args
from urllib.parse import urlsplit

from edgescript.declare.entries import Complaint, record
from edgescript.declare.fields import arg, option
from edgescript.declare.kinds import Duration, Kind, KindError, Scope, Size
from edgescript.directives._collector import SentField, collector_url
from edgescript.metric import Meter
from edgescript.observe.file import File, Rotation
from edgescript.observe.stream import Standard
from edgescript.observe.writer import Destination, LineWriter

if TYPE_CHECKING:
    from edgescript.observe.network import Address

_MODE = re.compile(r"0?[0-7]{3}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_SYSLOG = re.compile(
    r"(?P<scheme>udp|tcp|tls)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+)(?::(?P<port>[0-9]{1,5}))?|unix/(?P<path>/\S+)"
)
#: RFC 5426, RFC 6587 (by habit) and RFC 5425.
_SYSLOG_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
_SYSLOG_EXPECTED = "the address of a syslog server, such as udp://10.0.0.5:514, tls://logs.example.com or unix//dev/log"
#: RFC 5424, 6.3.2: a name of one's own is followed by one's enterprise number.
_STRUCTURED_DATA = re.compile(r'[^\s=\]"@]{1,24}@[0-9.]{1,7}')

Destinations = Literal["stdout", "stderr", "discard", "file", "syslog", "journald", "otlp"]
OUTPUTS = get_args(Destinations)

Facility = Literal[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
]  # fmt: skip


def _mode(text: str, scope: Scope) -> int:
    if _MODE.fullmatch(text) is None:
        raise KindError("expected permission bits such as 0640")
    return int(text, 8)


def _time_of_day(text: str, scope: Scope) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise KindError("expected a time of day such as 00:00 or 18:30")
    return int(found[1]) * 60 + int(found[2])


Mode = Annotated[int, Kind("permissions", "permission bits such as 0640", ("0640",), _mode, lambda mode: f"{mode:04o}")]
#: Minutes since midnight.
TimeOfDay = Annotated[
    int,
    Kind(
        "time of day",
        "a time of day such as 00:00",
        ("00:00", "18:30"),
        _time_of_day,
        lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}",
    ),
]


@record
class Rotate:
    """When a file is turned over, and how long old ones stay."""

    size: Size | None = option("When it has this size.", least=1, elsewhere=("roll_size", "maxsize", "max_size"))
    every: Duration | None = option(
        "After this time, counted from midnight in UTC: 1h on the hour, 1d at midnight.",
        least=60,
        elsewhere=("roll_interval",),
    )
    at: tuple[TimeOfDay, ...] = option("At these times of the day, in local time.", elsewhere=("roll_at",))
    keep: int | None = option(
        "How many old files are kept.", default="10", least=0, elsewhere=("roll_keep", "rotate", "max_backups")
    )
    keep_for: Duration | None = option("How long old files are kept.", least=60, elsewhere=("roll_keep_for", "maxage"))
    compress: Literal["gzip", "zstd", "off"] = option("How old files are compressed.", default="gzip")

    def check(self) -> Iterator[Complaint]:
        if self.size is None and self.every is None and not self.at:
            yield Complaint(
                None, "nothing says when the file is turned over", "write `size`, `every` or `at` in the block"
            )

    def rotation(self) -> Rotation:
        return Rotation(self.size, self.every, tuple(sorted(self.at)), self.keep, self.keep_for, self.compress)


#: Which outputs an option is for.
_FOR = {
    "mode": ("file",),
    "rotate": ("file",),
    "facility": ("syslog",),
    "app_name": ("syslog", "journald"),
    "structured_data": ("syslog",),
    "max_size": ("syslog",),
    "server_name": ("syslog",),
    "trust_pool": ("syslog", "otlp"),
    "header": ("otlp",),
    "service_name": ("otlp",),
}


@record
class Output:
    """Where lines go."""

    to: Destinations = arg(
        "A stream, `file` with a path behind it, `syslog` with an address (`udp://`, `tcp://`, `tls://`, `unix/` and a path), "
        "`journald`, `otlp` with the URL of a collector, or nowhere."
    )
    target: str | None = arg("Path of the file, address of the syslog server, or URL of the collector.")
    mode: Mode | None = option("Of a file: the permissions of a new one; without it, 0600.")
    rotate: Rotate | None = option(
        "Of a file: when it is turned over. Without it, a file grows; it is opened anew when it was moved away.",
        elsewhere=("roll_size", "roll_interval", "roll_at", "roll_keep", "roll_keep_for"),
    )
    facility: Facility | None = option("Of syslog: what kind of program this is; without it, local7.")
    app_name: str | None = option("Of syslog and journald: the program's name; without it, edge.", elsewhere=("tag",))
    structured_data: str | None = option(
        "Of syslog: also send the line's fields, in an element of this name, which has your enterprise number: `edge@12345`."
    )
    max_size: Size | None = option(
        "Of syslog: the longest message that the receiver takes; without it, 8KiB.", least=480
    )
    server_name: str | None = option("Of syslog over TLS: the name in the server's certificate, if it is not its host.")
    trust_pool: str | None = option("Of TLS: a file with certificates to trust instead of the system's.")
    header: tuple[SentField, ...] = option("Of otlp: a field of the requests, such as a token.", repeated=True)
    service_name: str | None = option("Of otlp: `service.name` of the resource; without it, edge.")

    def check(self) -> Iterator[Complaint]:
        yield from self._about_target()
        for name, outputs in _FOR.items():
            if self.to not in outputs and getattr(self, name):
                yield Complaint(name, f"{self.to} has no {name}; it is for {' and '.join(outputs)}")
        if self.structured_data is not None and _STRUCTURED_DATA.fullmatch(self.structured_data) is None:
            yield Complaint("structured_data", "expected a name and an enterprise number, such as edge@12345")

    def _about_target(self) -> Iterator[Complaint]:
        match self.to:
            case "file":
                if not self.target:
                    yield Complaint("to", "a file needs a path: `output file /var/log/edge.log`")
            case "syslog":
                if self.target is None:
                    yield Complaint("to", f"syslog needs {_SYSLOG_EXPECTED}")
                elif not self._is_syslog_address(self.target):
                    yield Complaint("target", f"expected {_SYSLOG_EXPECTED}", code="E106")
            case "otlp":
                if self.target is None:
                    yield Complaint("to", "otlp needs the URL of a collector: `output otlp http://localhost:4318`")
                else:
                    try:
                        collector_url(self.target)
                    except KindError as error:
                        yield Complaint("target", error.message, error.hint, error.code)
            case _:
                if self.target is not None:
                    hint = f"write `output file {self.target}`" if "/" in self.target else None
                    yield Complaint("target", f"{self.to} has nothing behind it", hint)

    @staticmethod
    def _is_syslog_address(text: str) -> bool:
        found = _SYSLOG.fullmatch(text)
        return found is not None and (found["port"] is None or 0 < int(found["port"]) < 65536)

    @property
    def takes_text(self) -> bool:
        """Lines as they are; otherwise entries."""
        return self.to in ("stdout", "stderr", "file")

    @property
    def takes_fields(self) -> bool:
        """Of entries: also what their text is made of."""
        return self.to != "syslog" or self.structured_data is not None

    def name(self, directory: str) -> str:
        """What it is called in messages and metrics."""
        if self.to == "file":
            assert self.target is not None
            return os.path.abspath(os.path.join(directory, self.target))
        if self.to == "otlp":
            return f"otlp {urlsplit(self.target or '').netloc}"
        return self.to if self.target is None else f"{self.to} {self.target}"

    def writer(self, directory: str, meter: Meter | None) -> LineWriter:
        """A writer to it; nothing is open before its first line."""
        return LineWriter(self.name(directory), self._destination(directory), meter)

    def _destination(self, directory: str) -> Destination:
        trust_file = None if self.trust_pool is None else os.path.join(directory, self.trust_pool)
        match self.to:
            case "stdout" | "stderr":
                return Standard(self.to)
            case "file":
                rotation = None if self.rotate is None else self.rotate.rotation()
                return File(self.name(directory), mode=0o600 if self.mode is None else self.mode, rotation=rotation)
            case "syslog":
                from edgescript.observe.syslog import FACILITIES, Form, Syslog

                form = Form(
                    FACILITIES[self.facility or "local7"],
                    self.app_name or "edge",
                    self.structured_data,
                    self.max_size or 8192,
                )
                return Syslog(_syslog_address(self.target or "", trust_file, self.server_name), form)
            case "journald":
                from edgescript.observe.journald import Journal

                return Journal(identifier=self.app_name or "edge")
            case _:
                from edgescript.observe.otlp_logs import Collector, Otlp

                headers = tuple(field.pair for field in self.header)
                return Otlp(Collector(_logs_url(self.target or ""), headers, self.service_name or "edge", trust_file))


def _logs_url(text: str) -> str:
    """An address alone means OTLP's own path below it, as for every exporter."""
    url = urlsplit(text)
    return text if url.path not in ("", "/") else f"{url.scheme}://{url.netloc}/v1/logs"


def _syslog_address(text: str, trust_file: str | None, server_name: str | None) -> Address:
    from edgescript.observe.network import Address

    found = _SYSLOG.fullmatch(text)
    assert found is not None
    if found["path"] is not None:
        return Address("unix", found["path"])
    scheme = found["scheme"]
    port = int(found["port"]) if found["port"] else _SYSLOG_PORTS[scheme]
    return Address(scheme, found["host"].strip("[]"), port, trust_file, server_name)  # type: ignore[arg-type]
