"""What a request may be turned away for. The words that somebody reads about it stand in ``templates/error.html``."""

from __future__ import annotations

from enum import Enum


class Trouble(Enum):
    """A name for the log and the page, and the status of the answer."""

    HOST = "host", 400
    TARGET = "target", 400
    UNREADABLE = "unreadable", 400
    FOREIGN = "foreign", 403
    STALE_FORM = "stale_form", 403
    FORBIDDEN = "forbidden", 403
    NOT_FOUND = "not_found", 404
    METHOD = "method", 405
    SLOW = "slow", 408
    TOO_LARGE = "too_large", 413
    CONTENT_TYPE = "content_type", 415
    FAILED = "failed", 500
    BUSY = "busy", 503
    UNAVAILABLE = "unavailable", 503
    UNSEALED = "unsealed", 503

    def __init__(self, word: str, status: int) -> None:
        self.word = word
        self.status = status


class Turned(Exception):
    """The request is turned away.

    Arguments:
        trouble: why.
    """

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.word)
        self.trouble = trouble
