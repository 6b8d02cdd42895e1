"""Points that a campaign does not visit, each with the reason why nothing but a broken program passes it."""

NEVER_RETURNS = "what is awaited works until it is cancelled or raises: it never returns"
CANCELLED = "what is awaited was cancelled the line before, so that the await raises"
ORPHANED = (
    "only for a request that is in flight half a minute after its order ended, or that no order ever had: a desk ends "
    "no order before its requests are settled, one that an error broke off goes on with it, and a start asks for all")
PAPER = "only a replay or paper trading asks for it"

_TABLE = {
    NEVER_RETURNS: (
        "trading.brokers.binance:BinanceBroker._for_ever#1 await >",
        "trading.brokers.binance:BinanceBroker.run#1 await >",
        "trading.brokers.binance_reconciling:Reconciler.watch_orders#1 await >",
        "trading.brokers.binance_reconciling:Reconciler.watch_pauses#1 await >",
        "trading.binance.user_stream:UserStream._keep#1 await >",
        "trading.binance.user_stream:UserStream._run_once#1 await >",
    ),
    CANCELLED: (
        "trading.binance.user_stream:UserStream.events#2 await >",
        "trading.binance.venue:BinanceVenue.close#1 await >",
        "services.live.thread:_cancelled#1 await >",
    ),
    ORPHANED: (
        "trading.brokers.binance_reconciling:Reconciler._look_for_interrupted#1 await <",
        "trading.brokers.binance_reconciling:Reconciler._look_for_interrupted#1 await >",
        "trading.brokers.binance_sending:Sender.look_once#1 await <",
        "trading.brokers.binance_sending:Sender.look_once#1 await >",
    ),
    PAPER: (
        "storage.recorder:SqlRecorder.forget#1 write <",
        "storage.recorder:SqlRecorder.forget#1 write >",
    ),
}
EXCLUDED: dict[str, str] = {name: reason for reason, names in _TABLE.items() for name in names}
