"""Commands from people: each is checked, done and answered once. A stale page may reduce risk, never add to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from trading import rules
from trading.domain import OrderType, RiskProfile, Side
from trading.engine import Engine, kill_reason
from trading.entering import Wish
from trading.errors import BadInput, BrokenInvariant, CockpitError, StateFailed
from trading.events import Command, CommandAnswered
from trading.gate import ARMED, KILL
from trading.handled import CommandMemory

ADDS_RISK = {"start", "set_mode", "set_risk", "rearm", "add", "arm", "use_strategy"}
LIVE_WORD = "LIVE"
MODES = ("paper", "signals")
RANGES = {
    "risk_rate": (0.0001, 0.10, "risk a trade, 0.01 % to 10 %"),
    "stop_atr": (0.1, 20.0, "stop distance, 0.1 to 20 ATR"),
    "target_atr": (0.0, 50.0, "target distance, 0 (off) to 50 ATR"),
    "trail_atr": (0.0, 50.0, "trailing distance, 0 (off) to 50 ATR"),
    "max_position_rate": (0.001, 1.0, "largest position, 0.1 % to 100 % of equity"),
    "max_exposure_rate": (0.001, 1.0, "largest exposure, 0.1 % to 100 % of equity"),
    "max_positions": (1, 100, "open positions, 1 to 100"),
    "daily_loss_rate": (0.001, 1.0, "daily loss limit, 0.1 % to 100 %"),
    "max_drawdown_rate": (0.001, 0.99, "kill-switch drawdown, 0.1 % to 99 %"),
    "breakeven_atr": (0.0, 50.0, "gain at which the stop moves to the entry, 0 (off) to 50 ATR"),
    "time_stop_bars": (0, 100_000, "bars after which a position is sold, 0 (off) to 100000"),
    "cool_down_bars": (0, 100_000, "bars without entry after a trade, 0 (off) to 100000"),
}


def check_profile(profile: RiskProfile) -> RiskProfile:
    """Return the profile, or raise BadInput naming the first value out of range."""
    for name, (low, high, text) in RANGES.items():
        value = getattr(profile, name)
        if not isinstance(value, int | float) or not low <= value <= high:
            raise BadInput(f"{name}: {value!r} is out of range; use {text}")
    for name in ("max_positions", "time_stop_bars", "cool_down_bars"):
        if getattr(profile, name) != int(getattr(profile, name)):
            raise BadInput(f"{name}: {getattr(profile, name)} is not a whole number")
    if not isinstance(profile.name, str) or not 0 < len(profile.name) <= 40:
        raise BadInput(f"name: {profile.name!r} is not a name of 1 to 40 characters")
    return profile


def always(_: dict[str, Any]) -> str:
    """Object to nothing."""
    return ""


class Controls:
    """Handles commands on the engine's thread. `objection` says why a venue must not be armed, or nothing.

    A command is done once, as `memory` knows; the kill switch is never refused for its name.
    """

    def __init__(self, engine: Engine, objection: Callable[[dict[str, Any]], str] = always,
                 memory: CommandMemory | None = None) -> None:
        self._engine, self._objection = engine, objection
        self._memory = memory or CommandMemory()
        self.use_strategy: Callable[[dict[str, Any]], str] | None = None
        """Takes another strategy over (`ref` names it) and says how; None where the strategy stays."""
        self._do: dict[str, Callable[[dict[str, Any]], str]] = {
            "start": self._start, "pause": self._pause, "stop": self._stop, "set_mode": self._set_mode,
            "set_risk": self._set_risk, "kill": self._kill, "rearm": self._rearm, "flatten": self._flatten,
            "close": self._close, "add": self._add, "cancel": self._cancel,
            "arm": self._arm, "disarm": self._disarm, "use_strategy": self._use_strategy,
        }
        engine.bus.subscribe(Command, self._on_command)
        self._close_gate()

    def _on_command(self, command: Command) -> None:
        try:
            detail, accepted = self._answer(command), True
        except BrokenInvariant:
            raise
        except CockpitError as error:
            detail, accepted = str(error), False
        self._memory.end(detail)
        tone = "plain" if accepted else "warn"
        self._engine.journal.write(self._engine.time, "COMMAND", f"{command.kind}: {detail}", tone)
        self._engine.bus.publish(self._answered(command, accepted, detail))

    def _answered(self, command: Command, accepted: bool, detail: str) -> CommandAnswered:
        return CommandAnswered(command.nonce, command.kind, accepted, detail, self._engine.session.control_version)

    def _answer(self, command: Command) -> str:
        session = self._engine.session
        if not isinstance(command.kind, str) or not isinstance(command.arguments, dict):
            raise BadInput("malformed command: a kind and named arguments are needed")
        if command.kind != "kill":
            self._begin(command)
        if command.kind not in self._do:
            raise BadInput(f"unknown command; use one of {', '.join(self._do)}")
        if command.kind in ADDS_RISK and command.version != session.control_version:
            raise BadInput("the page was out of date: another tab or the cockpit changed the controls; look again")
        return self._do[command.kind](command.arguments)

    def _begin(self, command: Command) -> None:
        """Note a command as under way; what reduces risk does not wait for a database that cannot be read."""
        try:
            self._memory.begin(command, self._engine.time)
        except StateFailed:
            if command.kind in ADDS_RISK:
                raise

    def _start(self, _: dict[str, Any]) -> str:
        if self._engine.session.is_killed:
            raise BadInput("the kill switch is on; re-arm it first, with a reason")
        if self._engine.session.state == "running":
            return "auto-trading is running already"
        session = self._engine.session
        session.change("running")
        if session.outside and not session.armed:
            return f"auto-trading started; entries wait for the word {LIVE_WORD}"
        return f"auto-trading started{self._but_idle()}"

    def _but_idle(self) -> str:
        session = self._engine.session
        if session.state != "running":
            return f"; auto-trading is {session.state}, nothing enters by itself"
        return "; the mode is signals, nothing enters by itself" if session.mode == "signals" else ""

    def _pause(self, _: dict[str, Any]) -> str:
        if self._engine.session.state != "running":
            return f"nothing to pause: auto-trading is {self._engine.session.state}"
        self._engine.session.change("paused")
        return "entries paused; working orders, stops and positions are managed"

    def _stop(self, _: dict[str, Any]) -> str:
        n_canceled = self._engine.execution.cancel_entries(None, self._engine.time)
        if self._engine.session.state in ("running", "paused"):
            self._engine.session.change("stopped")
        return f"auto-trading stopped, {n_canceled} working entries cancelled, stops kept"

    def _set_mode(self, arguments: dict[str, Any]) -> str:
        mode = arguments.get("mode")
        if mode not in MODES:
            raise BadInput(f"mode: {mode!r} is unknown; use {' or '.join(MODES)}")
        self._engine.session.mode = mode
        self._engine.session.change(self._engine.session.state, self._engine.session.kill_reason)
        return f"mode is {mode}"

    def _set_risk(self, arguments: dict[str, Any]) -> str:
        profile = arguments.get("profile")
        if not isinstance(profile, RiskProfile):
            raise BadInput("profile: a risk profile is needed")
        self._engine.risk.use(check_profile(profile))
        self._engine.session.change(self._engine.session.state, self._engine.session.kill_reason)
        values = ", ".join(f"{f.name} {getattr(profile, f.name):g}" for f in fields(profile)[1:])
        return f"risk profile {profile.name}: {values}"

    def _use_strategy(self, arguments: dict[str, Any]) -> str:
        if self.use_strategy is None:
            raise BadInput("this cockpit keeps its strategy while it runs; start it with --strategy NAME")
        return self.use_strategy(arguments)

    def _kill(self, arguments: dict[str, Any]) -> str:
        if self._engine.session.is_killed:
            return "the kill switch is on already"
        self._engine.kill(kill_reason(arguments), self._engine.time)
        return "kill switch on: entries cancelled, stops kept"

    def _rearm(self, arguments: dict[str, Any]) -> str:
        reason = str(arguments.get("reason") or "").strip()
        if not self._engine.session.is_killed:
            raise BadInput("the kill switch is off")
        if len(reason) < 3:
            raise BadInput("reason: say in a few words why it is safe to go on")
        portfolio = self._engine.portfolio
        portfolio.peak = portfolio.equity()
        self._close_gate()
        self._engine.gate.open(KILL)
        self._engine.session.change("stopped")
        return f"re-armed ({reason[:200]}); drawdown counts from now on, press Start to trade"

    def _arm(self, arguments: dict[str, Any]) -> str:
        session, badge = self._engine.session, self._engine.broker.badge
        if not session.outside:
            raise BadInput(f"there is nothing to arm: orders go to {badge}")
        if session.is_killed:
            raise BadInput("the kill switch is on; re-arm it first, with a reason")
        if arguments.get("word") != LIVE_WORD:
            raise BadInput(f"type the word {LIVE_WORD} to let orders out")
        if session.armed:
            return f"{badge} is armed already"
        objection = self._objection(arguments)
        if objection:
            raise BadInput(objection)
        session.arm(True)
        self._engine.gate.open(ARMED)
        return f"{badge} armed{self._but_idle()}"

    def _disarm(self, _: dict[str, Any]) -> str:
        session = self._engine.session
        if not session.armed:
            return "not armed"
        session.arm(False)
        self._close_gate()
        n_canceled = self._engine.execution.cancel_entries(None, self._engine.time)
        return f"disarmed: no entries, {n_canceled} working ones cancelled, stops kept and exits managed"

    def _close_gate(self) -> None:
        if self._engine.session.outside and not self._engine.session.armed:
            self._engine.gate.close(ARMED, "not armed")

    def _flatten(self, _: dict[str, Any]) -> str:
        engine = self._engine
        engine.execution.cancel_entries(None, engine.time)
        sold = [s for s in engine.portfolio.open_symbols() if self._sell_all(s)]
        if not engine.session.is_killed and engine.session.state != "stopped":
            engine.session.change("stopped")
        waiting = [s for s in engine.portfolio.open_symbols() if s not in sold and self._is_leaving(s)]
        said = [f"flattening {len(sold)} positions: {', '.join(sold)}"] if sold else []
        said += [f"the sale is under way: {', '.join(waiting)}"] if waiting else []
        return "; ".join(said) or "no position to flatten"

    def _is_leaving(self, symbol: str) -> bool:
        """Say whether a market sale of a symbol is working already."""
        return any(order.type is not OrderType.OCO for order in self._engine.orders.of(symbol, Side.SELL))

    def _sell_all(self, symbol: str) -> bool:
        lots = self._engine.portfolio.sellable_lots(symbol)
        return self._engine.execution.exit(symbol, lots, "flatten", self._engine.time) is not None

    def _close(self, arguments: dict[str, Any]) -> str:
        symbol = self._position(arguments)
        rate = arguments.get("rate", 1.0)
        if not isinstance(rate, int | float) or not 0.0 < rate <= 1.0:
            raise BadInput(f"rate: {rate!r} is not a part of a position; use more than 0 and at most 1")
        portfolio = self._engine.portfolio
        free = self._engine.execution.free_lots(symbol)
        if rate < 1.0 and free < portfolio.sellable_lots(symbol):
            raise BadInput(f"{symbol}: an exit is working already; wait for it, or close all")
        lots = max(1, int(free * rate))
        if self._too_small(symbol, lots) or self._too_small(symbol, free - lots):
            lots = free
        order = self._engine.execution.exit(symbol, lots, "manual", self._engine.time)
        if order is None:
            raise BadInput(f"{symbol}: an exit is working already")
        spec = portfolio.specs[symbol]
        return f"selling {spec.quantity(order.lots):f} {spec.base} at the market"

    def _too_small(self, symbol: str, lots: int) -> bool:
        market = self._engine.portfolio.markets[symbol]
        value = rules.notional_floor(market, self._engine.price_of(symbol), lots)
        return lots > 0 and (lots < market.min_lots or value < market.min_notional)

    def _position(self, arguments: dict[str, Any]) -> str:
        """Return the symbol of the open position that the sender saw."""
        symbol = str(arguments.get("symbol"))
        holding = self._engine.portfolio.holdings.get(symbol)
        if holding is None or not holding.is_open:
            raise BadInput(f"{symbol}: no position is open")
        if arguments.get("entry_time", holding.entry_time) != holding.entry_time:
            raise BadInput(f"{symbol}: the position on the page is closed, another is open; look again")
        return symbol

    def _add(self, arguments: dict[str, Any]) -> str:
        symbol = self._position(arguments)
        engine = self._engine
        decision = engine.entry(symbol, engine.time, Wish("manual"), engine.health.trouble(), adds=True)
        engine.conclude(decision)
        if decision.outcome != "entry":
            raise BadInput(decision.reason)
        engine.session.change(engine.session.state, engine.session.kill_reason)  # the same page adds once
        return f"buying {decision.reason}"

    def _cancel(self, arguments: dict[str, Any]) -> str:
        order = self._engine.orders.working.get(str(arguments.get("client_id")))
        if order is None:
            raise BadInput("that order is not working any more")
        if order.reason == "protection":
            raise BadInput("a protective stop stays as long as its position; close the position instead")
        self._engine.orders.cancel(order, self._engine.time)
        return f"cancelling {order.client_id}"
