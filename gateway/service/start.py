"""Where `serve` begins: one process that serves, or a parent and several.

Not what they do (`gateway.service.life`, `gateway.service.parent`). Called by the command line.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import uvloop

from gateway.service.activation import inherited_sockets
from gateway.service.configuration import load_configuration
from gateway.service.logs import set_up_logs

_log = logging.getLogger(__name__)


def run_service(path: Path, workers: int | None = None) -> None:
    """Run the gateway of a configuration directory until a signal ends it, with `workers` instead of the configured.

    Raises ConfigInvalid, GatewayError (the store can't be used) or OSError (an address is taken) when it can't start.
    """
    configuration = load_configuration(path)
    settings = configuration.settings
    count = workers or settings.workers
    set_up_logs(settings.log.level, settings.log.format)
    for words in settings.warnings():
        _log.warning("configured without effect", extra={"what": words})
    sockets = inherited_sockets(os.environ, os.getpid())
    if count == 1:
        from gateway.service.life import Life  # noqa: PLC0415 - each of the two loads only what it runs

        uvloop.run(Life(configuration, sockets).run())
    else:
        from gateway.service.parent import Parent  # noqa: PLC0415 - as above

        uvloop.run(Parent(configuration, count, sockets).run())
