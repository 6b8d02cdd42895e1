"""Every way in which the exchange can misbehave: what it does, whom it tests, what may be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | str


@dataclass(frozen=True, slots=True)
class Fault:
    """One switch.

    Parameters
    ----------
    name : what it is called on the command line and over HTTP
    group : what it breaks: requests, limits, orders, account stream, market stream, market data
    words : what the exchange does
    promise : what a trading program must do then
    rows : numbers of the fault catalogue
    where : which requests it strikes: any, orders, cancels, queries, stops, klines; empty when it strikes none
    settings : its own settings beside the common ones (`COMMON`), with their defaults; may change common defaults
    """

    name: str
    group: str
    words: str
    promise: str
    rows: tuple[int, ...] = ()
    where: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)


COMMON: dict[str, Value] = {"rate": 1.0, "count": 0.0, "seconds": 0.0, "delay_ms": 0.0, "symbol": "", "paths": ""}
"""rate: how likely it strikes each time; count: how often at most (0: no end); seconds: switched off after (0: never);
symbol: only this one; paths: only requests whose "METHOD path" holds one of these, joined by +."""

_UNKNOWN = "unknown outcome: never resent, asked for by client id, settled within recvWindow + 5 s"

_TABLE = (
    Fault("drop_request", "requests", "A request is lost before it arrives; the connection is cut.",
          _UNKNOWN, (1, 4), "any"),
    Fault("drop_reply", "requests", "A request is carried out, its answer is lost; the connection is cut.",
          _UNKNOWN, (1,), "orders"),
    Fault("late_accept", "requests", "The connection is cut, and the order is carried out later all the same.",
          "absent is not rejected: waits for the barrier before it gives an order up", (2,), "orders",
          {"delay_ms": 2_000.0}),
    Fault("timeout_1007", "requests", "Answers -1007 (HTTP 504); the order was carried out, or not, by the dice.",
          _UNKNOWN, (1,), "orders", {"executed": 0.5}),
    Fault("hang", "requests", "A request is carried out, its answer comes after a long time.",
          _UNKNOWN, (1,), "orders", {"delay_ms": 12_000.0}),
    Fault("slow", "requests", "Every answer takes its time.", "orders are not sent twice", (1,), "any",
          {"delay_ms": 500.0}),
    Fault("garbage", "requests", "Answers with something that is no JSON object, carried out or not.",
          _UNKNOWN, (24,), "any", {"executed": 0.5}),
    Fault("http_503", "requests", "Maintenance: every request is answered 503 with HTML.",
          "never ends; goes on within 60 s of recovery", (23,), "any"),
    Fault("http_403", "requests", "The firewall answers 403 with HTML.",
          "all requests stop for minutes; a person is told", (), "any", {"count": 1.0}),
    Fault("http_down", "requests", "Every REST connection is cut before the request is read; with refuse=1 nothing "
          "listens any more.", "a network error never ends an order", (4,), "any", {"refuse": 0.0}),
    Fault("dns_down", "requests", "Nothing can be reached: REST is cut, streams are cut and refused; with refuse=1 "
          "nothing listens any more.", "a network error never ends an order", (4, 22), "any", {"refuse": 0.0}),
    Fault("http_429", "limits", "Too many requests: 429 with Retry-After.", "no call before Retry-After", (18,), "any",
          {"retry_s": 5.0, "count": 1.0}),
    Fault("http_418", "limits", "The address is banned: 418 with Retry-After until then.",
          "no call before Retry-After; exits have a reserve", (18,), "any", {"retry_s": 10.0, "count": 1.0}),
    Fault("skew", "limits", "The exchange's clock is ahead (or behind): signed requests meet -1021.",
          "measured anew, signed anew once; drift over 1 s blocks entries", (16,), "", {"ms": 3_000.0}),
    Fault("order_404", "orders", "Queries of an order that exists answer -2013, lists leave it out.",
          "never taken for cancelled; the symbol is quarantined", (5,), "queries"),
    Fault("query_lag", "orders", "An order cannot be found for a while after it was placed (-2013).",
          "absent is not rejected before the barrier", (2,), "queries", {"delay_ms": 1_500.0}),
    Fault("fill_on_cancel", "orders", "An order is filled just before its cancel arrives.",
          "every cancel is asked for again within 2 s", (9,), "cancels"),
    Fault("partial", "orders", "The book is thin: a new order meets only a share of its quantity.",
          "exits are never blocked; a rest below the minimum is dust", (10, 13), "orders", {"share": 0.4}),
    Fault("stop_reject", "orders", "A stop is refused: it would trigger immediately.",
          "exit or alert within 5 s", (41,), "stops"),
    Fault("reject", "orders", "An order is refused by the engine (-2010).", "not repeated blindly", (12,), "orders"),
    Fault("fee_asset", "orders", "Commission is taken in another asset (BNB) instead of what is received.",
          "never sells more than is free", (11,), "", {"asset": "BNB"}),
    Fault("external_trade", "orders", "Somebody sells a part of the holdings by hand.",
          "no retry loop; the symbol is halted within 60 s", (14,), "", {"share": 0.5, "count": 1.0}),
    Fault("external_cancel", "orders", "Somebody cancels an open order by hand.",
          "noticed; protection is placed again or the symbol halted", (14, 40), "", {"count": 1.0}),
    Fault("dup_event", "account stream", "Every report of an order comes twice.",
          "a fill counts once; the duplicate is logged", (6,), "", {"delay_ms": 50.0}),
    Fault("shuffle", "account stream", "Reports come late and out of order.",
          "an order's state never goes back; right within 5 s", (7,), "", {"delay_ms": 800.0}),
    Fault("lost_event", "account stream", "Reports are lost.", "REST catches up", (20,), "", {"rate": 0.5}),
    Fault("user_abort", "account stream", "Account connections are cut without a word.",
          "subscribed anew, caught up over REST within 10 s", (20,), "", {"count": 1.0, "every_s": 5.0}),
    Fault("user_mute", "account stream", "Account connections stay open and say nothing.",
          "noticed by asking; REST catches up", (20,)),
    Fault("ws_mute", "market stream", "Market streams stay open and say nothing.",
          "entries blocked within 15 s, reconnected within 30 s", (19,)),
    Fault("ws_abort", "market stream", "Market connections are cut without a closing handshake.",
          "reconnected, the gap filled over REST", (20, 22), "", {"count": 1.0, "every_s": 5.0}),
    Fault("ws_flood", "market stream", "Hundreds of frames at once.", "the reader keeps up; nothing is lost", (21,), "",
          {"frames": 500.0, "count": 1.0, "every_s": 5.0}),
    Fault("ws_down", "market stream", "Streams are cut and refused.", "retried for ever with back-off; gap filled",
          (22,)),
    Fault("ws_garbage", "market stream", "Frames that are no JSON, or are of the wrong form.",
          "dropped and counted; no crash, no order", (24,), "", {"rate": 0.1}),
    Fault("ws_shutdown", "market stream", "serverShutdown is announced; the connections are cut after it.",
          "a new connection at once", (22,), "", {"count": 1.0, "delay_ms": 2_000.0}),
    Fault("status_break", "market data", "The symbol is halted (status BREAK); orders meet 'Market is closed.'.",
          "retries are capped; the symbol is paused", (25,)),
    Fault("price_zero", "market data", "Frames with a price of zero.", "never trades on it, never values by it", (26,),
          "", {"count": 3.0}),
    Fault("spike", "market data", "A single bad price on the streams; REST knows better.",
          "held against the median; a second source before an exit", (28,), "", {"factor": 1.5, "count": 1.0}),
    Fault("stale", "market data", "Candles stand still, on the stream and over REST.",
          "no entry on a candle older than two bars", (27,), "klines"),
    Fault("gap", "market data", "Closed bars are missing on the stream, and over REST while this lasts.",
          "flagged; no entry until it is filled", (30,), "klines"),
    Fault("revise", "market data", "A closed bar is changed afterwards, on the stream and over REST.",
          "closed bars only; the revision is logged", (31,), "klines", {"bps": 20.0, "count": 1.0, "delay_ms": 500.0}),
    Fault("withdrawals", "limits", "The key may withdraw.", "warned about", ()),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}
