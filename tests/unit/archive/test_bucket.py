"""Where a bucket is, from its URL."""

from __future__ import annotations

import pytest

from gateway.archive.bucket import Address


def test_an_address_has_bucket_prefix_endpoint_and_region() -> None:
    found = Address.of("s3://archive/a/b?endpoint=https://s3.agency.example:9000&region=ca-central-1")
    assert (found.bucket, found.prefix, found.region) == ("archive", "a/b", "ca-central-1")
    assert found.endpoint == "https://s3.agency.example:9000"
    assert Address.of("s3://archive").endpoint is None


@pytest.mark.parametrize(
    "url",
    ["archive", "http://archive/a", "s3:///a", "s3://key:secret@archive/a", "s3://archive?secret=x", "s3://a?endpoint",
     "s3://archive?endpoint=ftp://x", "s3://archive/a#b"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Address.of(url)
    assert "secret@" not in str(caught.value)
