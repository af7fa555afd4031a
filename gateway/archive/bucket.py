"""Loose bodies as objects of an S3 bucket, through obstore: put only where nothing is, read back whole, listed by age.

The server must refuse to write over an object (`If-None-Match: *`); `probe` sees to that at the start. Whether what it
took outlives a power cut is the server's to promise: docs/archive.md says what to set. Made by `homes`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from gateway.archive.bodies import SUFFIX, Loose
from gateway.message.errors import MachineryFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

STRAY_AGE = timedelta(hours=1)  # an object without a row is let be for so long: its row may be on the way
ROW_WITHIN_S = 600.0  # and a row that comes later than this after its object is refused
_CLOCK = "clock"
_OWNER = "store"
_PROBE = "probe-"
_PAGE = 500
_TIMEOUTS: ClientConfig = {"connect_timeout": "3s", "timeout": "60s"}
_RETRIES: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}
_DOWN_TIMEOUTS: ClientConfig = {"connect_timeout": "2s", "timeout": "3s"}
_NO_RETRIES: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a bucket is: `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in that URL. Raises ValueError, in words for an administrator."""
        parts = urlsplit(url)
        asked = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or parts.fragment:
            raise ValueError("not of the form s3://BUCKET/PREFIX?endpoint=URL")
        unknown = sorted(asked.keys() - {"endpoint", "region"})
        if unknown:
            raise ValueError(f"only `endpoint` and `region` may follow the question mark, not `{unknown[0]}`")
        endpoint = asked.get("endpoint", [None])[0]
        if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise ValueError("`endpoint` is not an http or https URL")
        return cls(
            bucket=parts.netloc,
            prefix=parts.path.strip("/"),
            endpoint=endpoint,
            region=asked.get("region", ["us-east-1"])[0],
        )


class Bucket:
    """The objects of one prefix of a bucket. Every body of the store lies here, whatever its size."""

    inline_bytes = -1

    def __init__(self, address: Address, *, key_id: str | None = None, secret: str | None = None) -> None:
        self._objects = _client(address, key_id, secret, _TIMEOUTS, _RETRIES)
        self._probed = _client(address, key_id, secret, _DOWN_TIMEOUTS, _NO_RETRIES)

    async def put(self, bodies: Sequence[Loose]) -> None:
        """Put each where nothing is. Raises MachineryFailed; what was put by then is left to the sweep."""
        results = await asyncio.gather(*(self._put(body) for body in bodies), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def get(self, name: str) -> bytes | None:
        """The object's bytes. Raises MachineryFailed if the server does not give them."""
        try:
            return bytes(obstore.get(self._objects, name).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise object_error(error) from error

    def discard(self, names: Iterable[str]) -> int:
        """Take the objects away; what can't be taken away is a stray."""
        gone = 0
        for name in names:
            with suppress(BaseError, FileNotFoundError):
                obstore.delete(self._objects, name)
                gone += 1
        return gone

    def strays(self) -> Iterator[list[str]]:
        """Names of objects that are older than STRAY_AGE by the server's own clock."""
        try:
            obstore.put(self._objects, _CLOCK, b"", mode="overwrite")
            before = obstore.head(self._objects, _CLOCK)["last_modified"] - STRAY_AGE
            for page in obstore.list(self._objects, chunk_size=_PAGE):
                found = [entry["path"] for entry in page if entry["last_modified"] < before]
                yield [name for name in found if name.endswith(SUFFIX) or name.startswith(_PROBE)]
        except BaseError as error:
            raise object_error(error) from error

    def is_down(self) -> bool:
        """True if the server takes nothing now."""
        try:
            obstore.put(self._probed, _CLOCK, b"", mode="overwrite")
        except (BaseError, OSError):
            return True
        return False

    def probe(self) -> None:
        """See that the server keeps what it is given and writes over nothing. Raises MachineryFailed."""
        name = f"{_PROBE}{os.urandom(8).hex()}"
        content = os.urandom(64)
        try:
            obstore.put(self._objects, name, content, mode="create")
            kept = bytes(obstore.get(self._objects, name).bytes())
            try:
                obstore.put(self._objects, name, b"other", mode="create")
            except AlreadyExistsError:
                is_safe = kept == content
            else:
                is_safe = False
            obstore.delete(self._objects, name)
        except (BaseError, OSError) as error:
            raise object_error(error) from error
        if not is_safe:
            raise MachineryFailed("the object store writes over objects (If-None-Match is not kept): it can't be used")

    def claim(self, owner: str) -> None:
        """Make the prefix that store's own; a sweep would take another's objects for strays. Raises MachineryFailed."""
        try:
            try:
                obstore.put(self._objects, _OWNER, owner.encode(), mode="create")
            except AlreadyExistsError:
                kept = bytes(obstore.get(self._objects, _OWNER).bytes()).decode("ascii", "replace")
                if kept != owner:
                    raise MachineryFailed("these objects are another store's: give each store a prefix") from None
        except (BaseError, OSError) as error:
            raise object_error(error) from error

    async def _put(self, body: Loose) -> None:
        try:
            await obstore.put_async(self._objects, body.name, body.content, mode="create", use_multipart=False)
        except AlreadyExistsError as error:
            if not await self._is_there(body):  # ours, if an answer was lost and the request repeated
                raise MachineryFailed("already in the store") from error
        except BaseError as error:
            raise object_error(error) from error

    async def _is_there(self, body: Loose) -> bool:
        try:
            found = await obstore.get_async(self._objects, body.name)
            kept = bytes(await found.bytes_async())
        except (BaseError, FileNotFoundError) as error:
            raise object_error(error) from error
        return hashlib.sha256(kept).digest() == hashlib.sha256(body.content).digest()


def object_error(error: Exception) -> MachineryFailed:
    """The error by the name of its type alone: its text has names and addresses."""
    return MachineryFailed("object store failed", fault=type(error).__name__)


def _client(
    address: Address, key_id: str | None, secret: str | None, timeouts: ClientConfig, retries: RetryConfig
) -> S3Store:
    config: S3Config = {"region": address.region}
    if address.endpoint is not None:
        config["endpoint"] = address.endpoint
    if key_id is not None and secret is not None:
        config["access_key_id"], config["secret_access_key"] = key_id, secret
    options: ClientConfig = {**timeouts, "allow_http": (address.endpoint or "").startswith("http:")}
    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options=options,
        retry_config=retries,
    )
