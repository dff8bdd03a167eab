"""`edgescript.asgi`: an Edgefile as an application for somebody else's server."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest

from edgescript.asgi import EdgefileError, application, from_environment


def test_an_edgefile_answers_as_an_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.edge").write_text(":80 {\n    files public\n}\n")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "hello.txt").write_text("hello")
    monkeypatch.setenv("EDGEFILE", str(tmp_path / "site.edge"))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(from_environment())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/hello.txt")

    answer = anyio.run(ask)
    assert (answer.status_code, answer.text) == (200, "hello")


@pytest.mark.parametrize("content", [b":80 {\n    respnod\n}\n", b":80 {\n    respond \xff\n}\n"])
def test_a_file_with_errors_is_no_application(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "Edgefile"
    file.write_bytes(content)
    with pytest.raises(EdgefileError, match=r"Edgefile:2:\d+: .* \[E\d+\]"):
        application(file)
