"""Points that a campaign does not visit, each with the reason why nothing but a broken program passes it."""

NEVER_RETURNS = "what is awaited works until it is cancelled or raises: it never returns"
CANCELLED = "what is awaited was cancelled the line before, so that the await raises"
BROKEN = "only after an error that no code expects has ended a job; test_binance_endurance.py breaks them so"
ORPHANED = "only for a request whose desk lost it by an error that no code expects, half a minute before"
AT_ONCE = "the exchange here has always matched a buy or a sale at the market by the time that it answers"
PAPER = "only a replay or paper trading asks for it"

_TABLE = {
    NEVER_RETURNS: (
        "trading.brokers.binance:BinanceBroker._for_ever#1 await >",
        "trading.brokers.binance:BinanceBroker.run#1 await >",
        "trading.binance.user_stream:UserStream._keep#1 await >",
        "trading.binance.user_stream:UserStream._run_once#1 await >",
    ),
    CANCELLED: (
        "trading.binance.user_stream:UserStream.events#2 await >",
        "trading.binance.venue:BinanceVenue.close#1 await >",
        "services.live.thread:_cancelled#1 await >",
    ),
    BROKEN: (
        "trading.brokers.binance:BinanceBroker._for_ever#2 await <",
        "trading.brokers.binance:BinanceBroker._for_ever#2 await >",
        "services.live.thread:VenueThread._until#2 await <",
        "services.live.thread:VenueThread._until#2 await >",
    ),
    ORPHANED: (
        "trading.brokers.binance_reconciling:Reconciler._look_for_interrupted#1 await <",
        "trading.brokers.binance_reconciling:Reconciler._look_for_interrupted#1 await >",
        "trading.brokers.binance_sending:Sender.look_once#1 await <",
        "trading.brokers.binance_sending:Sender.look_once#1 await >",
    ),
    AT_ONCE: (
        "trading.brokers.binance_sending:Sender.until_over#2 await <",
        "trading.brokers.binance_sending:Sender.until_over#2 await >",
        "trading.brokers.binance_sending:Sender.until_over#3 await <",
        "trading.brokers.binance_sending:Sender.until_over#3 await >",
        "trading.brokers.binance_desk:SymbolDesk._see_after#1 await <",
        "trading.brokers.binance_desk:SymbolDesk._see_after#1 await >",
    ),
    PAPER: (
        "storage.recorder:SqlRecorder.forget#1 write <",
        "storage.recorder:SqlRecorder.forget#1 write >",
    ),
}
EXCLUDED: dict[str, str] = {name: reason for reason, names in _TABLE.items() for name in names}
