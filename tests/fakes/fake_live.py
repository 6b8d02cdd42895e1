"""A way to live without a venue: on paper, at a rehearsal, armed, in trouble; with and without a parity report."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.fakes.fake_market import START_MS
from trading.domain import CockpitView
from trading.domain.live import KeyState, Ladder, LiveView, Override, Proof, Reconciliation, Step
from trading.domain.parity import Circumstance, ParityLine, ParityReport, ParityState, Side, UnmatchedTrade
from trading.domain.venue import BalanceLine, FlightLine, Legs, VenueStatus
from trading.errors import BadInput

MINUTE = 60_000
PAPER = Step("paper", "Paper", "Live prices, invented money.", ("paper-binance",), (
    Proof("days", "Days traded", "9", "7"), Proof("trades", "Trades", "54", "30"),
    Proof("gap_bps", "Mean size of the parity gap", "1.20 bps", "5 bps at most")))
REHEARSAL = Step("rehearsal", "Rehearsal", "Real orders, misbehaving exchange.", ("live-rehearsal-ab12",), (
    Proof("faults", "Faults survived", "4", "10", "6 more faults of the rehearsal exchange"),))
SMALL = Step("small", "Live, small", "Real money, little of it.", (), (
    Proof("days", "Days traded", "0", "14", "14 more days"),))
FULL = Step("full", "Live, full", "Real money.", (), ())
STEPS = (PAPER, REHEARSAL, SMALL, FULL)
READY = VenueStatus(
    "LIVE", "ready", clock_offset_ms=-12.4, weight_used=220, weight_limit=6000, user_stream="live",
    orders_checked=START_MS - 4_000, balances_checked=START_MS - 21_000, post_p50_ms=41.0, post_p95_ms=88.0, n_posts=17,
    unprotected_last_ms=180, unprotected_worst_ms=640, n_recovered=3,
    balances=(BalanceLine("USDT", Decimal("812.5"), Decimal(500), Decimal("312.5")),),
    resting=tuple(Legs(symbol, Decimal(1), Decimal(10**6)) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")))
TROUBLED = replace(
    READY, state="degraded", detail="the user stream is down", post_p50_ms=None, post_p95_ms=None, n_unknown=1,
    quarantined=(("BTCUSDT", "the venue holds 0.01 less than our ledger"),), held=("BTCUSDT",),
    in_flight=(FlightLine("ck12ab34-7-1e", "ETHUSDT", "UNKNOWN", 2_400, "asked for by its id"),))


def side(pnl: str, price: str = "67012.5", closed: str = "signal") -> Side:
    """One of two trades."""
    return Side(Decimal("0.031"), START_MS - 30 * MINUTE, Decimal("66980.0"), START_MS - 12 * MINUTE, Decimal(price),
                Decimal("4.15"), Decimal(pnl), "demo", closed)


def parity() -> ParityReport:
    """A report with a gap of every kind."""
    zero = Decimal(0)
    lines = (
        ParityLine("BTCUSDT", "BTC/USDT", side("-3.10"), side("-3.10"), zero, zero, zero, zero, 0.0),
        ParityLine("BTCUSDT", "BTC/USDT", side("-3.85", "66990.1"), side("-3.10"), Decimal("-0.10"), Decimal("-0.30"),
                   Decimal("-0.40"), Decimal("0.05"), -3.61, "", "another quantity"),
        ParityLine("ETHUSDT", "ETH/USDT", side("2.00", closed="manual"), side("2.00"), zero, zero, zero, zero, 0.0,
                   "manual", "closed by manual, in the replay by signal"),
    )
    alone = UnmatchedTrade("SOLUSDT", "SOL/USDT", "replay", side("1.20"), "stopped", "denied: session: stopped",
                           "entry: RSI 28.1 < 30")
    told = (Circumstance(START_MS - 60 * MINUTE, "start", "the cockpit started, version 0.2.0"),
            Circumstance(START_MS - 40 * MINUTE, "command", "start: auto-trading started"))
    return ParityReport("paper-binance", "USDT", "1m", START_MS, START_MS - 90 * MINUTE, START_MS, 5_760, 2, lines,
                        (alone,), told, ("12 bars are not in the candle store and count as they were seen",), 1, -1.8,
                        -1.8, 1.81)


class FakeLive:
    """Answers as `LiveService` does; `compared` counts what was asked for."""

    def __init__(self, portfolio, here: str = "paper", report: ParityReport | None = None, state: str = "") -> None:
        self._portfolio, self.here = portfolio, here
        self.parity = ParityState(state or ("ready" if report else "none"), report)
        self.overrides: tuple[Override, ...] = ()
        self.released: list[str] = []
        self.n_compared = 0

    def view(self) -> LiveView:
        """Return the picture."""
        cockpit: CockpitView = self._portfolio.view()
        needs = {"small": ("paper", "rehearsal"), "full": ("paper", "rehearsal", "small")}.get(self.here, ())
        keys = (KeyState("binance", "the keyring of this computer", "ready", "good"), KeyState("testnet", "", "no key"))
        kept = (Reconciliation(START_MS - MINUTE, True, ""),
                Reconciliation(START_MS - 9 * MINUTE, False, "stream down"))
        return LiveView("paper-binance" if self.here == "paper" else "live-binance",
                        Ladder(STEPS, self.here, needs, self.overrides), keys,
                        kept if cockpit.venue else (), self.parity)

    def compare(self) -> None:
        """Compare at once."""
        self.n_compared += 1
        self.parity = ParityState("ready", parity())

    def release(self, symbol: str) -> None:
        """Release nothing but bitcoin."""
        if symbol != "BTCUSDT":
            raise BadInput(f"{symbol} is not in quarantine")
        self.released.append(symbol)
