"""The keys of gateway.yaml that say how much the log tells and in which form.

Part of `gateway.service.settings`, in a file of its own.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class LogLevel(StrEnum):
    """How much the log says."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """JSON lines for a log collector, or text for a person."""

    JSON = "json"
    TEXT = "text"


class LogSettings(BaseModel):
    """The log, on standard error; it never holds text, subjects or addresses of mail."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    level: LogLevel = Field(default=LogLevel.INFO, description="debug, info, warning or error")
    format: LogFormat = Field(default=LogFormat.JSON, description="json (one object a line) or text")
