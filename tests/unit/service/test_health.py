"""The health pages, without a socket: a request's bytes in, a page out."""

from __future__ import annotations

import asyncio

import pytest

from gateway.service.addresses import Endpoint
from gateway.service.health import HealthServer, Page, _response


def answer(head: bytes) -> Page:
    async def live() -> Page:
        return Page(status=200, body=b"alive\n")

    async def broken() -> Page:
        raise RuntimeError("secret words")

    server = HealthServer(Endpoint("127.0.0.1", 0), {"/livez": live, "/broken": broken})
    return asyncio.run(server._page(head))


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /livez HTTP/1.1", 200),
        (b"GET /livez?x=1 HTTP/1.0", 200),
        (b"HEAD /livez HTTP/1.1", 200),
        (b"GET / HTTP/1.1", 404),
        (b"GET /\xff HTTP/1.1", 404),
        (b"POST /livez HTTP/1.1", 405),
        (b"GET /livez", 400),
        (b"\x16\x03\x01", 400),
        (b"", 400),
    ],
)
def test_a_request_line_gets_its_status(request_line: bytes, status: int) -> None:
    assert answer(request_line + b"\r\nHost: x\r\n\r\n").status == status


def test_a_page_that_fails_says_so_without_the_words_of_the_error() -> None:
    page = answer(b"GET /broken HTTP/1.1\r\n\r\n")
    assert page.status == 500
    assert b"secret" not in page.body


def test_a_response_tells_its_length_and_a_head_request_gets_no_body() -> None:
    page = Page(status=200, body=b"alive\n")
    assert _response(page, with_body=True).endswith(b"Connection: close\r\n\r\nalive\n")
    assert b"Content-Length: 6\r\n" in _response(page, with_body=False)
    assert _response(page, with_body=False).endswith(b"\r\n\r\n")
