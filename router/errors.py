"""The tree of refusals and faults, each with a stable code that clients may rely on."""

from __future__ import annotations


class KccError(Exception):
    """Anything this server raises on purpose. `code` is stable; `message` is for people."""

    code = "error"

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        if code is not None:
            self.code = code
        super().__init__(message or self.code.replace("_", " "))

    @property
    def message(self) -> str:
        return str(self)


class Refusal(KccError):
    """The wish is impossible now; nothing has changed. Not worth repeating unaltered."""

    code = "refused"


class UnknownThing(Refusal):
    """The contact, agent, queue, offer or follow-up named does not exist (any more)."""

    code = "unknown"


class StaleOffer(Refusal):
    """The offer was withdrawn, expired, or is another's."""

    code = "stale_offer"


class WrongState(Refusal):
    """The transition is not in the tables for the present state."""

    code = "wrong_state"


class InvalidInput(Refusal):
    """The request is malformed or beyond a limit."""

    code = "invalid"


class NotAllowed(Refusal):
    """Who asks is known but may not do this."""

    code = "not_allowed"


class NotSignedIn(Refusal):
    """Nobody is signed in, or the session has ended."""

    code = "not_signed_in"


class TooMany(Refusal):
    """A limit on rate or size has been reached; try again later."""

    code = "too_many"


class QueueFull(TooMany):
    """So many wait, or so long, that nobody else is put in this queue for now."""


class Fault(KccError):
    """The world broke: worth trying again, or stopping."""

    code = "fault"


class Unavailable(Fault):
    """The centre cannot take this in at the moment (starting, stopping, or its disk refuses)."""

    code = "unavailable"


class JournalFault(Fault):
    """The record could not be written; nothing of the batch counts as recorded."""

    code = "journal_fault"


class JournalDamaged(Fault):
    """The record cannot be trusted: a fact in the middle of it is unreadable. Needs a person."""

    code = "journal_damaged"


class Deposed(Fault):
    """Another process owns this centre now."""

    code = "deposed"


class Erased(KccError):
    """What the reference pointed to has been erased and cannot be read by anybody."""

    code = "erased"


class ConfigurationInvalid(KccError):
    """The configuration has mistakes; `mistakes` lists every one of them."""

    code = "configuration_invalid"

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))
