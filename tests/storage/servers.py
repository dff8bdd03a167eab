"""Redis servers of Debian's package, each started by a test run for itself, on free ports, with nothing kept on disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SERVER = shutil.which("redis-server", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/sbin")
PASSWORD = "open sesame/@1"
USER, USERS_PASSWORD = "edge", "second:secret"
#: Seconds until a server must be ready on a busy machine.
PATIENCE = 30.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, and that have one 10,000 above them, which a cluster uses too."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            # Below those that the system gives to connections, so that none takes it before the server does.
            port = 10_000 + port % 20_000
            with contextlib.suppress(OSError):
                other.bind(("127.0.0.1", port))
                if port not in found:
                    found.append(port)
    return found


@dataclass
class Server:
    """One process."""

    directory: Path
    port: int
    options: list[str] = field(default_factory=list)
    password: str | None = None
    process: subprocess.Popen[bytes] | None = None
    tls_port: int = 0
    certificates: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        assert SERVER is not None
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [SERVER, *self.options, "--port", str(self.port), "--dir", str(self.directory), "--bind", "127.0.0.1"]
        if "--sentinel" not in self.options:
            command += ["--save", "", "--appendonly", "no"]
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self.wait_until("PONG", "PING")

    def wait_until(self, answer: str, *command: str) -> None:
        """Ask until the answer has this text in it."""
        end = time.monotonic() + PATIENCE
        said = ""
        while time.monotonic() < end:
            assert self.process is not None
            if self.process.poll() is not None:
                raise RuntimeError((self.directory / "log").read_text())
            with contextlib.suppress(OSError):
                said = self.ask(*command)
                if answer in said:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{command} gave {said!r}, and not {answer!r}")

    def ask(self, *command: str) -> str:
        """One command in Redis's own protocol; what comes back, as it is."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            if self.password is not None:
                connection.sendall(_request("AUTH", self.password))
                connection.recv(1000)
            connection.sendall(_request(*command))
            return connection.recv(100_000).decode("utf-8", "replace")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


def _request(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


@contextlib.contextmanager
def running(*servers: Server) -> Iterator[None]:
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.stop()


@contextlib.contextmanager
def single(directory: Path) -> Iterator[Server]:
    """One that asks for a password, has a user of its own for us, speaks TLS on another port, and has a socket."""
    certificates = make_certificates(directory)
    port, tls_port = free_ports(2)
    server = Server(directory, port, password=PASSWORD)
    server.options = [
        "--requirepass", PASSWORD, "--unixsocket", str(directory / "redis.sock"),
        "--tls-port", str(tls_port), "--tls-cert-file", certificates["server"], "--tls-key-file", certificates["server-key"],
        "--tls-ca-cert-file", certificates["ca"], "--tls-auth-clients", "yes",
        "--user", USER, "on", f">{USERS_PASSWORD}", "~edge:*", "+@read", "+@write", "+@scripting", "+@connection",
    ]  # fmt: skip
    server.tls_port = tls_port
    server.certificates = certificates
    with running(server):
        yield server


def make_certificates(directory: Path) -> dict[str, str]:
    """A certificate authority, a server's certificate for localhost, and a client's."""
    directory.mkdir(parents=True, exist_ok=True)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
    for name, extension in (("server", "subjectAltName=DNS:localhost"), ("client", "subjectAltName=DNS:client")):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (directory / f"{name}.ext").write_text(extension)
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-out", f"{name}.pem", "-extfile", f"{name}.ext",
        )  # fmt: skip
    return {
        name: str(directory / file)
        for name, file in (
            ("ca", "ca.pem"), ("server", "server.pem"), ("server-key", "server.key"),
            ("client", "client.pem"), ("client-key", "client.key"),
        )
    }  # fmt: skip


@contextlib.contextmanager
def cluster(directory: Path) -> Iterator[list[Server]]:
    """Three masters, with a third of the slots each."""
    servers = [
        Server(
            directory / str(port), port,
            ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no",
             "--cluster-port", str(bus)],
        )
        for port, bus in zip(*[iter(free_ports(6))] * 2, strict=True)
    ]  # fmt: skip
    with running(*servers):
        for number, server in enumerate(servers):
            first, last = 16384 * number // 3, 16384 * (number + 1) // 3 - 1
            server.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            server.ask("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        for other in servers[1:]:
            bus = other.options[-1]
            servers[0].ask("CLUSTER", "MEET", "127.0.0.1", str(other.port), bus)
        for server in servers:
            server.wait_until("cluster_slots_ok:16384", "CLUSTER", "INFO")
            server.wait_until("cluster_state:ok", "CLUSTER", "INFO")
        yield servers


@dataclass
class Watched:
    master: Server
    replica: Server
    sentinel: Server

    def fail_over(self) -> None:
        """Kill the master, and wait until the sentinel has made the replica master."""
        self.master.kill()
        self.sentinel.wait_until(str(self.replica.port), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")
        self.replica.wait_until("role:master", "INFO", "replication")


@contextlib.contextmanager
def sentinel(directory: Path) -> Iterator[Watched]:
    """A master with a password, its replica, and a sentinel that watches them."""
    first, second, third = free_ports(3)
    secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    master = Server(directory / "master", first, [*secret, "--repl-diskless-sync-delay", "0"], PASSWORD)
    replica = Server(directory / "replica", second, [*secret, "--replicaof", "127.0.0.1", str(first)], PASSWORD)
    watcher = directory / "sentinel.conf"
    directory.mkdir(parents=True, exist_ok=True)
    watcher.write_text(
        f"sentinel monitor mymaster 127.0.0.1 {first} 1\n"
        f'sentinel auth-pass mymaster "{PASSWORD}"\n'
        "sentinel down-after-milliseconds mymaster 500\n"
        "sentinel failover-timeout mymaster 2000\n"
    )
    sentinel = Server(directory / "sentinel", third, [str(watcher), "--sentinel"])
    with running(master, replica):
        replica.wait_until("master_link_status:up", "INFO", "replication")
        with running(sentinel):
            sentinel.wait_until(str(second), "SENTINEL", "REPLICAS", "mymaster")
            yield Watched(master, replica, sentinel)
