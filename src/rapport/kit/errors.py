"""The errors every face can show: what happened with the value, and what to do."""

from __future__ import annotations


class RapportError(Exception):
    """Something a person should be told, in two sentences.

    `message` says what happened and with which value; `hint` says what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}".rstrip() if self.hint else self.message


class Invalid(RapportError):
    """The value cannot be used as it is."""


class NotFound(RapportError):
    """Nothing goes by that name here."""


class Denied(RapportError):
    """This person may not do that."""


class Conflict(RapportError):
    """Something else happened first."""


class Unavailable(RapportError):
    """Not now; try again after `retry_after_s` seconds."""

    def __init__(self, message: str, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint)
        self.retry_after_s = retry_after_s
