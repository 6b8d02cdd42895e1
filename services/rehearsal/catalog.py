"""Every switch of the rehearsal exchange: what it breaks, what it does, what the cockpit promises under it.

The promises and their rows are those of the fault catalogue; where a row names no deadline of its own, a fault is
detected within 5 s and alerted within 30 s, and new entries wait until all is reconciled.
"""

from __future__ import annotations

from trading.domain.rehearsal import FaultCard

ORDERS, CONNECTION, MARKET, MONEY, LIMITS = "Orders", "Connection", "Market data", "Money", "Limits"
GROUPS = (ORDERS, CONNECTION, MARKET, MONEY, LIMITS)

CARDS: tuple[FaultCard, ...] = (
    FaultCard("drop_request", ORDERS, "Requests get lost", "An order never reaches the exchange.",
              "Asked for by its client id until the barrier proves it absent; never sent twice.", (1, 4), 2.0),
    FaultCard("drop_reply", ORDERS, "Answers get lost", "The order is live, the answer never comes.",
              "Never sent again, never called failed; asked for by client id within 2 s, settled within 10 s.",
              (1,), 2.0),
    FaultCard("timeout_1007", ORDERS, "Outcome unknown", "Answers −1007; the order may be live.",
              "Treated as a lost answer: asked for within 2 s, settled within 10 s.", (1,), 2.0),
    FaultCard("late_accept", ORDERS, "Late accept", "Says “unknown order” for a while after it took one.",
              "Absent is not rejected before the barrier has passed.", (2,)),
    FaultCard("order_404", ORDERS, "Order not found", "Denies an order that it has.",
              "Never taken for cancelled: the symbol is quarantined.", (5,)),
    FaultCard("dup_event", ORDERS, "Doubled fills", "Sends account events twice.",
              "A fill counts once; the duplicate is logged.", (6,)),
    FaultCard("shuffle", ORDERS, "Events out of order", "Fills arrive before the acknowledgement, late or reversed.",
              "An order's state never goes back; all agrees within 5 s.", (7,)),
    FaultCard("fill_on_cancel", ORDERS, "Filled while cancelled", "The order fills as it is cancelled.",
              "Every cancel is asked for again within 2 s.", (9,), 2.0),
    FaultCard("partial", ORDERS, "Partial fills", "Fills a part and lets the rest wait or expire.",
              "Exits and stops are never blocked; what is too small to sell is booked as dust.", (10, 13)),
    FaultCard("stop_reject", ORDERS, "Stops refused", "Refuses a stop: it would trigger immediately.",
              "Sold at the market or alerted within 5 s.", (41,), 5.0, 5.0),
    FaultCard("status_break", ORDERS, "Symbol halted", "The exchange stops trading the symbol.",
              "Few retries, then the symbol pauses.", (25,)),
    FaultCard("dns_down", CONNECTION, "No name service", "Names do not resolve: no connection is made.",
              "No network error ends an order; entries wait.", (4,)),
    FaultCard("http_down", CONNECTION, "No connection", "Refuses every connection to the REST interface.",
              "No network error ends an order; entries wait.", (4,)),
    FaultCard("http_503", CONNECTION, "Maintenance", "Answers 503 to everything.",
              "The cockpit stays up, resumes within 60 s of the recovery.", (23,)),
    FaultCard("garbage", CONNECTION, "Broken answers", "Answers with text that is no JSON object.",
              "Treated as a lost answer: asked for, never sent again.", (24,), 2.0),
    FaultCard("slow", CONNECTION, "Slow answers", "Every answer takes seconds.",
              "Nothing is sent twice; the latency is shown.", (1,)),
    FaultCard("ws_mute", CONNECTION, "Silent streams", "Streams stay open and say nothing.",
              "Entries wait within 15 s, reconnected within 30 s.", (19,), 15.0),
    FaultCard("ws_abort", CONNECTION, "Streams cut off", "Cuts connections; old subscriptions are gone.",
              "Subscribed again and caught up over REST within 10 s; no fill is lost.", (20,), 10.0),
    FaultCard("ws_flood", CONNECTION, "Flood of messages", "Sends more than a slow reader can take.",
              "Drained on its own thread; what was missed is fetched.", (21,)),
    FaultCard("ws_down", CONNECTION, "No streams", "Refuses stream connections.",
              "Tried again for ever with growing pauses; the gap is filled.", (22,)),
    FaultCard("skew", CONNECTION, "Clock drift", "The exchange's clock goes wrong: −1021.",
              "Synchronised once; more than 1 s of drift blocks entries.", (16,)),
    FaultCard("price_zero", MARKET, "Price of zero", "Sends prices of zero or less.",
              "Never trades on one, never values a position with one.", (26,)),
    FaultCard("stale", MARKET, "Stale candles", "Candles stop while the stream lives on.",
              "No entry when the last closed candle is older than two bars.", (27,)),
    FaultCard("spike", MARKET, "A bad tick", "One price far away from all others.",
              "Caught by a collar round the median; a second source before a market exit.", (28,)),
    FaultCard("gap", MARKET, "Missing candles", "Leaves candles out.",
              "Flagged; no entry until they are fetched and indicators are warm.", (30,)),
    FaultCard("revise", MARKET, "Revised candles", "Changes a candle that was closed.",
              "Only closed bars decide; revisions are logged.", (31,)),
    FaultCard("fee_asset", MONEY, "Commission in BNB", "Takes the commission in another asset.",
              "Never sells above the free balance; the cockpit says so.", (11,)),
    FaultCard("external_trade", MONEY, "Somebody else trades", "Sells or buys on the account by hand.",
              "No retry loop; the symbol is halted within 60 s.", (14,), 60.0, 60.0),
    FaultCard("http_429", LIMITS, "Too many requests", "Answers 429 with Retry-After.",
              "No call before that time; weight is kept for exits.", (18,)),
    FaultCard("http_418", LIMITS, "Banned", "Answers 418: the address is banned for a while.",
              "No call before the ban ends; entries wait, and a person is told.", (18,)),
)
