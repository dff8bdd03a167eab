"""`edge convert`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgescript.cli.main import edge

HARBOUR = "http://harbour.example {\n\trespond /pier north\n}\n"


@pytest.fixture
def caddyfile(tmp_path: Path) -> Path:
    file = tmp_path / "Caddyfile"
    file.write_text(HARBOUR)
    return file


def test_the_edgefile_goes_to_standard_output_and_the_report_to_standard_error(caddyfile: Path) -> None:
    result = CliRunner().invoke(edge, ["convert", str(caddyfile)])
    assert result.exit_code == 0
    assert result.stdout.startswith("http://harbour.example {\n    respond /pier north\n")
    assert result.stderr == "2 of 2 directives converted with the same meaning\n"


def test_it_writes_to_a_file(caddyfile: Path, tmp_path: Path) -> None:
    written = tmp_path / "Edgefile"
    result = CliRunner().invoke(edge, ["convert", str(caddyfile), "-o", str(written)])
    assert result.stdout == ""
    assert written.read_text().startswith("http://harbour.example {")


def test_a_file_that_exists_is_replaced_only_by_force(caddyfile: Path) -> None:
    result = CliRunner().invoke(edge, ["convert", str(caddyfile), "-o", str(caddyfile)])
    assert result.exit_code == 2
    assert "exists: --force replaces it" in result.stderr
    assert caddyfile.read_text() == HARBOUR
    assert CliRunner().invoke(edge, ["convert", str(caddyfile), "-o", str(caddyfile), "--force"]).exit_code == 0
    assert caddyfile.read_text().startswith("http://harbour.example {\n    respond")


def test_the_report_can_be_json(caddyfile: Path) -> None:
    result = CliRunner().invoke(edge, ["convert", str(caddyfile), "--report", "json"])
    assert [remark["outcome"] for remark in json.loads(result.stderr)] == ["converted", "converted"]


@pytest.mark.parametrize(("more", "code"), [("", 0), ("\ttemplates\n", 1)])
def test_strict_fails_where_something_is_not_converted(caddyfile: Path, more: str, code: int) -> None:
    caddyfile.write_text(HARBOUR.replace("}", f"{more}}}"))
    assert CliRunner().invoke(edge, ["convert", "--strict", str(caddyfile)]).exit_code == code
    assert CliRunner().invoke(edge, ["convert", str(caddyfile)]).exit_code == 0


def test_what_is_not_converted_is_told_with_place_and_reason(caddyfile: Path) -> None:
    caddyfile.write_text("http://harbour.example {\n\tsail fast\n}\n")
    result = CliRunner().invoke(edge, ["convert", str(caddyfile)])
    assert f"{caddyfile}:2: not converted: sail fast\n    Caddy itself has no directive sail\n" in result.stderr
    assert "    # not converted: sail fast\n" in result.stdout


def test_what_cannot_be_told_needs_to_be_said(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("buy bread\n")
    result = CliRunner().invoke(edge, ["convert", str(file)])
    assert result.exit_code == 2
    assert "--from caddy" in result.stderr
    assert CliRunner().invoke(edge, ["convert", "--from", "caddy", str(file)]).exit_code == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("harbour.example {\n\treverse_proxy app:80\n}\n", "proxy app:80"),
        ("server {\n    location / {\n        return 200 x;\n    }\n}\n", "respond 200 x"),
    ],
)
def test_what_a_file_is_is_told_by_what_stands_in_it(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "app.conf"
    file.write_text(text)
    assert expected in CliRunner().invoke(edge, ["convert", str(file)]).stdout


def test_bytes_that_are_no_text_give_a_report(caddyfile: Path) -> None:
    caddyfile.write_bytes(bytes(range(256)) * 20)
    result = CliRunner().invoke(edge, ["convert", str(caddyfile)])
    assert result.exit_code == 0
    assert "converted" in result.stderr
