"""What happens in a life before it is killed: the weather at the exchange, traps at points, and what is traded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from services.live.thread import VenueThread
from tests.killing.exchange import BARE, GAPPY, LONELY, PLAIN, SYMBOLS, WORKS
from tests.killing.life import Life
from trading.binance import clock as binance_clock
from trading.binance import venue as binance_venue
from trading.brokers import binance_reconciling
from trading.brokers.binance_requests import engine_id
from trading.brokers.binance_strays import FOUND
from trading.domain.venue import VenueState, number_of

ROUGH: Mapping[str, Mapping[str, Any]] = {
    "drop_request": {"rate": 0.03}, "drop_reply": {"rate": 0.07}, "late_accept": {"rate": 0.03},
}
"""Lost requests of any kind, lost replies and late accepts of orders, as in the trial behind the protocol."""
DELAYS_MS = (300, 900, 2_000)
FAIR: Mapping[str, Mapping[str, Any]] = {}
ORDERS = "POST order"
CANCELS = "DELETE order"
STOPS = "POST orderList/oco"
ENTRY, EXIT = "trading.brokers.binance_entry:", "trading.brokers.binance_exit:"
LOOKING = "trading.brokers.binance_reconciling:Reconciler."
GUARD, SENDING = "trading.brokers.binance_protection:Guard.", "trading.brokers.binance_sending:Sender."
Play = Callable[[Life], None]


@dataclass(frozen=True)
class Scenario:
    """`weather` comes up on top of the rough one when the account is reconciled, `early` comes before that.

    `lags`: answers come so late, or clocks go so wrong, that what was given up may be there after all.
    """

    name: str
    play: Play
    weather: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    early: Play = lambda life: None
    foreign: str = "halt"
    ends_well: bool = False
    lags: bool = False


def trade(life: Life) -> None:
    """Buy what is flat; of what is open raise the stop, sell a part or all, or let the market do it; and again."""
    for _ in range(4):
        for symbol in life.dice.sample(SYMBOLS, len(SYMBOLS)):
            _act(life, symbol)
        life.settle(1.5)
    if life.dice.random() < 0.3:
        life.press("flatten")
        life.settle(1.5)
        life.press("start")


def trade_a_little(life: Life) -> None:
    """Buy what is flat, and act on the rest."""
    life.right()
    life.back_door("lag", ms=0)
    for symbol in SYMBOLS:
        _act(life, symbol)
    life.settle(1.5)


def _act(life: Life, symbol: str) -> None:
    if not life.is_open(symbol):
        life.say(symbol, "BUY")
        return
    choice = life.dice.choice(("raise", "raise", "raise", "sell", "part", "target", "stop", "add"))
    if choice == "raise":
        life.raise_stop(symbol)
    elif choice == "sell":
        life.say(symbol, "SELL")
    elif choice == "part":
        life.press("close", symbol=symbol, rate=0.5)
    elif choice == "add":
        life.press("add", symbol=symbol)
    else:
        life.reach(symbol, choice)


def hold(life: Life, *symbols: str, seconds: float = 5.0) -> None:
    """See that positions stand under their stops; a wish that was lost or denied is said again."""
    for _ in range(2):
        for symbol in symbols:
            if not life.is_open(symbol):
                life.say(symbol, "BUY")
        if life.until(lambda: all(life.is_open(s) and life.is_settled(s) for s in symbols), seconds / 2):
            return


def hold_far(life: Life, *symbols: str) -> None:
    """Hold new positions, far from stop and target, in a market that stands still.

    What the venue then denies must not fill meanwhile: nobody could know, and it would be sold twice.
    """
    if held := [symbol for symbol in symbols if life.is_open(symbol)]:
        leave(life, *held)
    hold(life, *symbols)
    life.back_door("still", symbols=symbols)


def leave(life: Life, *symbols: str, seconds: float = 3.0) -> None:
    """Sell, and wait until it is done."""
    for symbol in symbols:
        life.say(symbol, "SELL")
    life.settle(seconds, *symbols)


def partly(life: Life) -> None:
    """Buy and sell where the book is thin."""
    trade(life)


def stop_refused(life: Life) -> None:
    """Raise stops that the venue refuses: the price has passed them."""
    hold(life, PLAIN, BARE, GAPPY)
    life.fault("stop_reject")
    for symbol in (PLAIN, BARE, GAPPY):
        life.raise_stop(symbol)
    time.sleep(0.2)
    life.settle(3.0)


def gap(life: Life) -> None:
    """Let the price jump over a stop with a limit that stands alone, and stay there until the position is sold."""
    life.right()
    if life.is_open(GAPPY):
        leave(life, GAPPY)
    life.back_door("limits", symbol=GAPPY, filter="MAX_NUM_ORDER_LISTS", values={"maxNumOrderLists": 0})
    hold(life, GAPPY)
    life.settle(2.0, GAPPY)
    life.back_door("still", symbols=[GAPPY])
    price = life.price_of_stop(GAPPY) * Decimal("0.972")
    for n in range(45):
        if life.is_open(GAPPY) and price:
            life.move(GAPPY, price - n % 3)
            time.sleep(0.3)
    life.settle(2.0, GAPPY)
    life.back_door("reset")


def sale_lost(life: Life) -> None:
    """Lose sales on their way, and let another hand trade meanwhile: nothing may be sold twice."""
    hold(life, PLAIN, LONELY)
    life.fault("lost_event", rate=1.0)
    life.fault("drop_request", paths="POST order", rate=1.0)
    life.reaper.lay({f"{SENDING}_never_arrived#1 await <": lambda: life.back_door(
        "order", symbol=PLAIN, side="BUY", type="MARKET", quantity="0.00100")})
    leave(life, PLAIN, seconds=12.0)
    life.right()
    life.settle(5.0)


def lagging(life: Life) -> None:
    """Lose the answer to a stop, and let the venue deny it until it was placed anew: one of the two must go."""
    hold_far(life, BARE, PLAIN)
    life.fault("lost_event", rate=1.0)
    life.fault("query_lag", delay_ms=4_500)
    life.fault("drop_reply", paths=STOPS, rate=1.0, count=2)
    life.office_pace().slowest_ms = 0.0
    life.raise_stop(BARE)
    life.raise_stop(PLAIN)
    time.sleep(7)
    life.right()
    life.settle(2.0)


def closed_meanwhile(life: Life) -> None:
    """Lose the answer to a stop that the venue denies, and sell the position: what turns up then serves nobody."""
    hold_far(life, PLAIN)
    life.fault("lost_event", rate=1.0)
    life.fault("query_lag", delay_ms=6_000)
    life.fault("drop_reply", paths=STOPS, rate=1.0, count=1)
    life.office_pace().slowest_ms = 0.0
    life.raise_stop(PLAIN)
    orders = life.office.blotter.orders
    life.until(lambda: any(o.symbol == PLAIN and o.state is VenueState.VOID for o in list(orders.values())), 6.0)
    leave(life, PLAIN, seconds=2.0)
    life.fault("user_abort")
    time.sleep(5)
    life.right()
    life.settle(3.0)


def cancel_lost(life: Life) -> None:
    """Lose cancels, with and without a sale that waits."""
    hold(life, PLAIN, BARE)
    life.fault("drop_request", paths=CANCELS, rate=1.0, count=2)
    life.say(PLAIN, "SELL")
    life.raise_stop(BARE)
    life.settle(3.0)


def halted(life: Life) -> None:
    """Halt symbols while a sale is wanted, and let them trade again."""
    hold(life, PLAIN, BARE)
    life.reaper.lay({f"{EXIT}leave#1 await >": lambda: life.fault("status_break", symbol=BARE)})
    life.say(BARE, "SELL")
    time.sleep(0.5)
    life.fault("status_break", symbol=BARE)
    time.sleep(0.2)
    life.fault("status_break")
    life.say(PLAIN, "SELL")
    time.sleep(1.5)
    life.right()
    life.settle(6.0)


def smaller(life: Life) -> None:
    """Change how large orders may be right before one is sent."""
    hold(life, PLAIN, BARE)
    life.reaper.lay({f"{EXIT}sell#1 await <": lambda: shrink(life, PLAIN, "MARKET_LOT_SIZE", "0.00300000"),
                     f"{GUARD}_place#1 await <": lambda: shrink(life, BARE, "LOT_SIZE", "0.50000000")})
    life.say(PLAIN, "SELL")
    life.raise_stop(BARE)
    time.sleep(0.3)
    life.settle(2.0)
    life.back_door("reset")
    life.settle(2.0)


def shrink(life: Life, symbol: str, name: str, most: str) -> None:
    """Let the venue take no larger orders than this."""
    life.back_door("limits", symbol=symbol, filter=name, values={"maxQty": most})


def coarser(life: Life) -> None:
    """Make the steps of prices larger right before a buy is sent."""
    if life.is_open(GAPPY):
        leave(life, GAPPY)
    life.reaper.lay({f"{ENTRY}_try#1 await <": lambda: life.back_door(
        "limits", symbol=GAPPY, filter="PRICE_FILTER", values={"tickSize": "5.00000000"})})
    life.say(GAPPY, "BUY")
    time.sleep(0.3)
    life.settle(1.0)
    life.back_door("reset")


def slow_match(life: Life) -> None:
    """Let the venue accept orders that trade at once, and match them a moment later without an event."""
    hold(life, PLAIN)
    life.fault("lost_event", rate=1.0)
    life.back_door("slow", ms=900)
    life.back_door("lag", ms=900)
    life.say(PLAIN, "SELL")
    life.say(LONELY, "SELL" if life.is_open(LONELY) else "BUY")
    time.sleep(0.3)
    life.settle(4.0, PLAIN, LONELY)


def doubtful(life: Life) -> None:
    """Show prices far from the usual one on the streams, while the book cannot be had at first."""
    hold(life, PLAIN)
    life.fault("drop_request", paths="bookTicker", rate=1.0, count=2)
    life.fault("spike", symbol=PLAIN, factor=1.2, count=3)
    time.sleep(1.5)
    life.say(PLAIN, "SELL")
    life.settle(2.0)


def quiet(life: Life) -> None:
    """Call a connection idle after a moment, and ask the venue's clock again."""
    binance_venue.IDLE_S = 0.2
    time.sleep(1.5)
    binance_clock.MEASURE_MS = 100.0
    time.sleep(1.5)


def limited(life: Life) -> None:
    """Be asked to be silent for a second while a sale and a stop are wanted."""
    hold(life, PLAIN, BARE)
    for _ in range(3):
        life.fault("http_429", retry_s=1.0, count=0, seconds=0.3)
        life.raise_stop(BARE)
        life.say(PLAIN, "SELL" if life.is_open(PLAIN) else "BUY")
        time.sleep(0.8)
    life.settle(3.0)


def fail() -> None:
    """Be an error that no code expects."""
    raise RuntimeError("broken by the campaign")


def broken(life: Life) -> None:
    """Break jobs of the broker by errors that no code expects, then the broker's work itself."""
    watch, again = f"{LOOKING}watch_stops#1 await <", "trading.brokers.binance:BinanceBroker._for_ever#2 await <"
    life.reaper.lay({watch: fail})
    life.say(PLAIN, "SELL" if life.is_open(PLAIN) else "BUY")
    time.sleep(2.5)
    life.reaper.lay({watch: fail, again: fail})
    time.sleep(2.0)
    life.settle(2.0)


def stray_fill(life: Life) -> None:
    """Let a buy with our tag fill that the database does not know."""
    name = _unknown(life)
    price = life.price(PLAIN) * Decimal("1.01")
    life.back_door("order", symbol=PLAIN, side="BUY", type="LIMIT", timeInForce="IOC", quantity="0.00200",
                   price=f"{price:.2f}", newClientOrderId=f"{name}e")
    time.sleep(0.5)
    life.settle(3.0, PLAIN)


def stray_pair(life: Life) -> None:
    """Place a stop and a target with our tag that the database does not know, of a position that is sold."""
    name, price = _unknown(life), life.price(PLAIN)
    life.back_door("order", path="orderList/oco", symbol=PLAIN, side="SELL", quantity="0.00100",
                   aboveType="LIMIT_MAKER", abovePrice=f"{price * 2:.2f}", aboveClientOrderId=f"{name}t",
                   belowType="STOP_LOSS", belowStopPrice=f"{price / 2:.2f}", belowClientOrderId=f"{name}s",
                   listClientOrderId=f"{name}l")
    time.sleep(1.0)
    life.engine.broker.release(PLAIN)
    life.settle(2.0, PLAIN)


def _unknown(life: Life) -> str:
    """Sell what is open, and return an id with our tag but for its letter, of a number that was never given."""
    life.engine.broker.release(PLAIN)
    if life.is_open(PLAIN):
        leave(life, PLAIN)
    return unused(life)


def unused(life: Life) -> str:
    """Return the beginning of an id with our tag, of a number that neither the database nor the venue has seen."""
    tag = life.office.store.tag()
    seen = [engine_id(o["clientOrderId"]) for o in life.admin.ledger()["orders"] if o["clientOrderId"].startswith(tag)]
    return f"{tag}-{max([life.office.store.newest_number(), *map(number_of, seen)]) + 3}-1"


def stray_stays(life: Life) -> None:
    """Lose the cancel of an order with our tag that the database does not know; another hand cancels it."""
    life.fault("drop_request", paths=CANCELS, rate=1.0)
    stray(life)
    life.until(lambda: any(o.detail == FOUND for o in life.office.blotter.orders.values()), 2.0)
    time.sleep(0.5)
    for order in [o for o in life.office.blotter.orders.values() if o.detail == FOUND and not o.state.is_over]:
        life.back_door("order", method="DELETE", symbol=order.symbol, origClientOrderId=order.client_id)
    time.sleep(0.5)
    life.right()
    life.settle(2.0)


def late_trades(life: Life) -> None:
    """Buy and sell while executions show late, their events are lost, and so are questions for them."""
    life.fault("lost_event", rate=1.0)
    life.fault("drop_reply", paths=ORDERS, rate=1.0, count=3)
    life.fault("drop_request", paths="GET myTrades", rate=1.0, count=4)
    life.back_door("lag", ms=700)
    for symbol in SYMBOLS:
        life.say(symbol, "SELL" if life.is_open(symbol) else "BUY")
    time.sleep(0.3)
    life.settle(3.0)
    life.back_door("lag", ms=0)


def cash_came(life: Life) -> None:
    """Bring cash that no event tells of."""
    life.fault("lost_event", rate=1.0)
    life.back_door("deposit", asset="USDT", amount="1.5")
    time.sleep(4.5)
    life.back_door("deposit", asset="USDT", amount="2.5")
    life.right("lost_event")
    time.sleep(0.2)


def skewed(life: Life) -> None:
    """Set the exchange's clock, and ask for a new subscription under it."""
    hold(life, PLAIN)
    life.reaper.lay({"trading.binance.ws_api:Subscription._subscribe#1 await <": lambda: life.fault("skew", ms=-1_500)})
    life.fault("user_abort")
    time.sleep(1.0)
    life.fault("skew", ms=-4_000)
    time.sleep(2.2)
    life.say(PLAIN, "SELL")
    life.say(BARE, "BUY")
    life.settle(3.0)
    time.sleep(1.0)


def slept(life: Life) -> None:
    """Let this computer's clock jump, and its thread stand still with an order in hand."""
    shift = [0.0]
    life.parts.venue.wire.clock._wall = lambda: time.time() + shift[0]
    shift[0] = 0.0
    hold(life, PLAIN, BARE)
    life.reaper.lay({"trading.binance.client:BinanceClient._once#2 await <": lambda: None,
                     f"{SENDING}_send#1 await <": lambda: time.sleep(1.3)})
    life.raise_stop(BARE)
    life.settle(3.0)
    shift[0] = 2.5
    life.say(PLAIN, "SELL")
    life.settle(3.0)
    time.sleep(1.2)


def unheard(life: Life) -> None:
    """Cut the account's connection, then let it be silent."""
    hold(life, PLAIN)
    life.fault("user_abort")
    time.sleep(1.0)
    trade(life)
    time.sleep(2.5)


def outage(life: Life) -> None:
    """Let nothing be reached for some seconds while a stop is to be raised and a position sold."""
    hold(life, PLAIN, BARE)
    life.fault("http_down")
    life.raise_stop(BARE)
    life.say(PLAIN, "SELL")
    time.sleep(6)
    life.right()
    life.settle(5.0)


def denied(life: Life) -> None:
    """Let the venue deny for two seconds a stop that has worked for one; usually both must last longer."""
    binance_reconciling.SETTLED_MS, binance_reconciling.DENIED_MS = 1_000, 2_000
    hold_far(life, LONELY)
    life.right()
    life.until(lambda: life.is_settled(LONELY), 3.0)
    time.sleep(1.0)
    life.fault("order_404", symbol=LONELY)
    time.sleep(5.0)
    life.right()
    time.sleep(2.5)
    life.settle(3.0)


def denying(life: Life) -> None:
    """Let the venue deny for a moment what is open; nothing of which only it knows: a number would be given twice."""
    store = life.office.store
    resting = [str(o["clientOrderId"]) for o in life.admin.ledger()["orders"] if o["status"] in WORKS]
    if all(store.find(name) for name in resting if name.startswith(store.tag())):
        life.fault("order_404", count=3)


def filled_away(life: Life) -> None:
    """Let targets be reached right before the account is reconciled, and show their executions late."""
    life.back_door("lag", ms=1_200)
    for symbol in SYMBOLS:
        life.reach(symbol, "target", beyond="1.001")


def stray(life: Life) -> None:
    """Place an order with our tag that the database does not know, as after a restored backup."""
    price = (life.price(PLAIN) * Decimal("0.8")).quantize(Decimal("0.01"))
    life.back_door("order", symbol=PLAIN, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.00100",
                   price=f"{price:.2f}", newClientOrderId=f"{unused(life)}e")


def released(life: Life) -> None:
    """Trade, and let go of a quarantine."""
    life.engine.broker.release(PLAIN)
    trade(life)


def impatient(life: Life) -> None:
    """Give the account a second to be reconciled, and no answer."""
    life.fault("http_down")
    VenueThread.start.__defaults__ = (1.0,)


def lagging_trades(life: Life) -> None:
    """Let executions show late."""
    life.back_door("lag", ms=2_500)


def clock_lost(life: Life) -> None:
    """Forget the venue's clock, so that the first signed request has to measure it."""
    life.parts.venue.wire.clock.is_measured = False


def wait(life: Life) -> None:
    """Let checks go by, and be asked to be silent for a moment."""
    life.fault("http_429", retry_s=1.0)
    time.sleep(4.5)


_TABLE = (
    Scenario("trading", trade),
    Scenario("stopping", trade, ends_well=True),
    Scenario("waiting", wait, {"drop_request": {"rate": 0.3}}),
    Scenario("thin book", partly, {"partial": {"share": 0.4}}),
    Scenario("filled on cancel", trade, {"fill_on_cancel": {"rate": 0.5}}),
    Scenario("events lost", trade, {"lost_event": {"rate": 0.5}}),
    Scenario("events shuffled", trade, {"shuffle": {"delay_ms": 400}, "dup_event": {}}),
    Scenario("requests lost", trade, {"drop_request": {"rate": 0.25}, "drop_reply": {"rate": 0.25}}),
    Scenario("executions late", late_trades),
    Scenario("start with late executions", trade, early=lagging_trades),
    Scenario("stop refused", stop_refused),
    Scenario("cancel lost", cancel_lost),
    Scenario("other limits", smaller),
    Scenario("coarser prices", coarser),
    Scenario("slow match", slow_match),
    Scenario("doubtful prices", doubtful),
    Scenario("quiet", quiet),
    Scenario("limited", limited),
    Scenario("broken", broken),
    Scenario("stray fill", stray_fill),
    Scenario("stray pair", stray_pair),
    Scenario("stray stays", stray_stays),
    Scenario("denied at the start", trade_a_little, early=denying, lags=True),
    Scenario("filled before the start", trade_a_little, early=filled_away),
    Scenario("clock set", skewed, lags=True),
    Scenario("clock lost", trade, early=clock_lost),
    Scenario("slept", slept),
    Scenario("unheard", unheard),
    Scenario("halted", halted),
    Scenario("stray", released, early=stray),
    Scenario("cash came", cash_came),
    Scenario("answers lag", lagging, lags=True),
    Scenario("closed meanwhile", closed_meanwhile, lags=True),
    Scenario("price gap", gap),
    Scenario("no start", wait, early=impatient),
    Scenario("outage", outage),
    Scenario("sale lost", sale_lost, foreign="ignore"),
    Scenario("denied", denied, lags=True),
)
SCENARIOS = {scenario.name: scenario for scenario in _TABLE}
