"""The one error tree. Every message says what is wrong, where, and what to do."""


class CockpitError(Exception):
    """Base of every error that the cockpit raises on purpose."""


class BadInput(CockpitError):
    """A file, document, argument or setting that a person can correct."""


class BadCandles(BadInput):
    """Candles that cannot be read or that contradict themselves."""


class BadStrategy(BadInput):
    """A strategy document that is refused; the message names the field and its range, `mistakes` has one text each."""

    def __init__(self, message: str, mistakes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.mistakes = mistakes or (message,)


class UnknownStrategy(BadInput):
    """A strategy, or a version of one, that the user's folder does not hold."""


class StrategyChanged(BadInput):
    """A strategy that was changed since it was read: nothing was written. `version` is the newest one."""

    def __init__(self, message: str, version: int = 0) -> None:
        super().__init__(message)
        self.version = version


class StrategyInUse(BadInput):
    """A strategy that trades, or will at the next start, was to be deleted: nothing was changed."""


class AgentsUnreadable(BadInput):
    """The file of the agents cannot be read; it is left as it is."""


class ModelRefused(BadInput):
    """Files of a trained model that are missing, damaged, foreign or could run code; nothing of them was used."""


class FeedFailed(CockpitError):
    """A market data source that cannot answer."""


class StateFailed(CockpitError):
    """The database cannot be read, written or trusted."""


class Refused(CockpitError):
    """A venue said no to a request: nothing happened. `code` is the venue's own, `remedy` what to do about it."""

    def __init__(self, message: str, code: int = 0, status: int = 0, remedy: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.remedy = code, status, remedy


class OutcomeUnknown(CockpitError):
    """A request may have been carried out or not: ask the venue, never send it again."""


class NotSent(CockpitError):
    """A request that never left this process, or that the venue turned away unread; `retry_s` is when to try again."""

    def __init__(self, message: str, retry_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_s = retry_s


class TooOld(NotSent):
    """A request whose turn came too late for its timestamp: whoever still wants it makes it anew."""


class NoAnswer(NotSent):
    """A question to a venue that got no answer one can use. It changed nothing there: ask again after `retry_s`."""


class AlreadyRunning(CockpitError):
    """Another instance holds this data folder."""


class BrokenInvariant(CockpitError):
    """Something that must never happen did; trading halts. The message holds the value seen."""
