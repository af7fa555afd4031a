"""The gateway's side of opening attachments: chooses the documents, has each opened in a process of its own, waits.

`read` blocks and is for `check`, the pack's cases and a thread; `read_in_thread` is for the event loop. What is late
or dies is a finding (UNSCANNABLE, which holds), never an exception; where no process can be started at all, it is
MachineryFailed: 451, and the sender's server comes again. Not the opening itself: that is `opening`, in `process`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

from gateway.content.documents.choose import (
    documents_of,
    findings_of_document,
    name_of_document,
    text_of_document,
    unscannable,
)
from gateway.content.documents.limits import DEFAULT, DocumentLimits
from gateway.content.documents.model import AnswerInvalid, Document, Opened, pack_question, unpack_answer
from gateway.content.documents.trouble import Trouble
from gateway.content.finding import Finding
from gateway.content.forking import AnswerTooLong, Forked, ForkServer
from gateway.message.errors import MachineryFailed
from gateway.message.model import Message, ReadableText
from gateway.message.transfer import decode_transfer

log = logging.getLogger(__name__)

_START_S = 60.0
_PROCESS = "gateway.content.documents.process"
_MAX_ANSWER_BYTES = 16 * 1024 * 1024
_KNOWN_PICTURE_BYTES = 1024 * 1024
_WAITING_MESSAGES = 4
"""How many messages' time a message may wait for its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What the attachments of a message say, and what was found in them besides words."""

    texts: tuple[ReadableText, ...] = ()
    findings: tuple[Finding, ...] = ()

    def added_to(self, message: Message) -> Message:
        """The message with these texts behind its own; all else is as it was."""
        return message.with_texts(self.texts)


NOTHING = Attachments()


class DocumentReader:
    """Owns the nursery. Thread-safe, and safe to use in a process forked later; `close` ends it."""

    def __init__(
        self, *, known_pictures: frozenset[str] = frozenset(), at_once: int = 2, limits: DocumentLimits = DEFAULT
    ) -> None:
        """`known_pictures` are SHA-256 hashes in hex of pictures that are no finding; `at_once` messages are read."""
        self._known = known_pictures
        self._at_once = at_once
        self._limits = limits
        self._lock = threading.Lock()
        self._nursery: ForkServer | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._is_closed = False

    def start(self) -> None:
        """Start the nursery before the first document asks for it."""
        self._running_nursery()

    def read(self, message: Message) -> Attachments:
        """What stands in the attachments. Raises MachineryFailed if no process could be started."""
        return self._read(documents_of(message))

    async def read_in_thread(self, message: Message) -> Attachments:
        """As `read`, beside the event loop. Raises MachineryFailed too where too many messages wait."""
        documents = documents_of(message)
        if not documents:
            return NOTHING
        if self._waiting >= self._at_once * (_WAITING_MESSAGES + 1):
            raise MachineryFailed("too many messages wait for their attachments to be opened", waiting=self._waiting)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="documents")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, documents)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the nursery and what it still does; nothing is opened afterwards."""
        with self._lock:
            self._is_closed = True
            if self._nursery is not None:
                self._nursery.close()
                self._nursery = None
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _read(self, documents: tuple[Document, ...]) -> Attachments:
        ends_at = time.monotonic() + self._limits.message_s
        chars_left = self._limits.message_chars
        texts: list[ReadableText] = []
        findings: list[Finding] = []
        for document in documents:
            if self._is_known(document):
                continue
            if (name := name_of_document(document)) is not None:
                texts.append(name)
            opened = self._opened(document, ends_at)
            text = text_of_document(document, opened, chars_left)
            if len(opened.text) > chars_left:
                findings.append(unscannable(document, Trouble.TOO_LONG))
            if text is not None:
                chars_left -= len(text.text)
                texts.append(text)
            findings.extend(findings_of_document(document, opened))
        return Attachments(texts=tuple(texts), findings=tuple(findings))

    def _is_known(self, document: Document) -> bool:
        """True for a picture that the administrator knows: no process is needed to see that."""
        if not self._known or len(document.body) > _KNOWN_PICTURE_BYTES:
            return False
        return sha256(decode_transfer(document.body, document.encoding)[0]).hexdigest() in self._known

    def _opened(self, document: Document, ends_at: float) -> Opened:
        if len(document.body) > self._limits.max_bytes * 3 // 2:
            return Opened(troubles=(Trouble.TOO_LARGE,))
        if time.monotonic() >= ends_at:
            return Opened(troubles=(Trouble.LATE,))
        child = self._child()
        try:
            return unpack_answer(child.ask(pack_question(document, self._known), ends_at, _MAX_ANSWER_BYTES))
        except TimeoutError:
            log.warning("opening an attachment was late: process %d is ended", child.pid)
            return Opened(troubles=(Trouble.LATE,))
        except (OSError, EOFError, AnswerInvalid, AnswerTooLong):
            log.warning("opening an attachment failed: process %d died", child.pid)
            return Opened(troubles=(Trouble.CRASHED,))
        finally:
            child.end()

    def _child(self) -> Forked:
        for is_last in (False, True):
            nursery = self._running_nursery()
            try:
                child = nursery.fork(_START_S)
            except (OSError, EOFError, ValueError, AnswerTooLong) as problem:
                self._drop(nursery)
                if is_last:
                    raise MachineryFailed("no process to open attachments in could be started") from problem
            else:
                if not child.is_filtered:
                    log.warning("this kernel filters no system calls: attachments are opened under limits alone")
                return child
        raise AssertionError

    def _running_nursery(self) -> ForkServer:
        with self._lock:
            if self._is_closed:
                raise MachineryFailed("attachments are opened no more: the gateway ends")
            if self._nursery is None:
                try:
                    self._nursery = ForkServer(_PROCESS)
                except OSError as problem:
                    raise MachineryFailed("the process that opens attachments could not be started") from problem
            return self._nursery

    def _drop(self, nursery: ForkServer) -> None:
        log.error("the process that opens attachments is silent: replaced")
        with self._lock:
            if self._nursery is nursery:
                self._nursery = None
        nursery.close()
