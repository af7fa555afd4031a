"""The signer of a configuration: which key files gateway.yaml names, read with their permissions checked.

Apart from `wiring`, so that a command that looks at keys need not load the rest. Called by wiring, at the start and at
each reload, by `config check` and by the `keys` commands.
"""

from __future__ import annotations

from gateway.amend.keys import KeyPlace, SigningKey, load_keys
from gateway.amend.signing import Signer
from gateway.service.configuration import Configuration
from gateway.service.settings import FILE_NAME


def configured_keys(configuration: Configuration) -> tuple[SigningKey, ...]:
    """The keys that gateway.yaml names. Reads their files; raises ConfigInvalid with every key that can't be used."""
    places = (
        KeyPlace(domain=entry.domain, selector=entry.selector, file=configuration.path / entry.key.file)
        for entry in configuration.settings.signing
    )
    return load_keys(places, config=str(configuration.path / FILE_NAME))


def make_signer(configuration: Configuration) -> Signer:
    """Who signs for this configuration; raises ConfigInvalid as `configured_keys` does."""
    return Signer(configured_keys(configuration))
