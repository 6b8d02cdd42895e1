"""`--mode exchange`: a local exchange that speaks Binance's protocol, and misbehaves when asked to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from services.candles import between, existing, file_candles, in_order
from services.importing.names import named
from services.settings import Settings
from trading.domain import SymbolSpec
from trading.errors import BadInput, CockpitError
from trading.feeds.listings import listing_of
from trading.simulation.exchange.faults import parse_fault
from trading.simulation.exchange.market import MarketSettings
from trading.simulation.exchange.paths import CandlePath, PricePath, SimulatedPath
from trading.simulation.exchange.rehearsal import FUNDS, KEY, Rehearsal, Terms
from trading.simulation.exchange.server import ExchangeServer
from trading.simulation.exchange.symbols import default_symbols, load_exchange_info

DEFAULT_PORT = 9100
HISTORY_DAYS = 30


def run_exchange(settings: Settings, chosen: Namespace) -> int:
    """Run the rehearsal exchange until Ctrl-C; 0 when it was a person who stopped it."""
    rehearsal = rehearsal_of(settings, chosen)
    port = DEFAULT_PORT if chosen.exchange_port is None else chosen.exchange_port
    if not 0 <= port < 65_536:
        raise BadInput(f"--port {port} is no port; give 1 to 65535, or 0 for any that is free")
    return asyncio.run(_serve(ExchangeServer(rehearsal, settings.host, port), bool(chosen.json)))


def rehearsal_of(settings: Settings, chosen: Namespace) -> Rehearsal:
    """Return an exchange as the command line wants it.

    Raises
    ------
    BadInput
        An argument cannot be used.
    """
    seed = settings.seed if chosen.seed is None else chosen.seed
    path = _path(settings, chosen, seed)
    speed = 1.0 if chosen.speed is None else chosen.speed
    if speed <= 0:
        raise BadInput("an exchange cannot run at --speed max: its clients live by the clock; give a number such as 60")
    terms = Terms(_documents(path.symbols, chosen.exchange_info), FUNDS | funds_of(chosen.funds),
                  market=MarketSettings(speed, seed), seed=seed)
    rehearsal = Rehearsal(path, wall_ms, terms)
    for text in chosen.fault or ():
        name, given = parse_fault(text)
        rehearsal.faults.set(name, **given)
    if chosen.faults_every:
        if chosen.faults_every < 0:
            raise BadInput(f"--faults-every {chosen.faults_every:g}: give the seconds between faults, 0 for none")
        rehearsal.faults.schedule(chosen.faults_every)
    return rehearsal


def wall_ms() -> int:
    """Return UTC ms."""
    return int(time.time() * 1000)


def funds_of(text: str | None) -> dict[str, Decimal]:
    """Read USDT=5000,BTC=0.5."""
    found = {}
    for part in (text or "").split(","):
        asset, _, amount = part.partition("=")
        if not part.strip():
            continue
        try:
            found[asset.strip().upper()] = Decimal(amount).quantize(Decimal("1e-8"))
        except InvalidOperation:
            raise BadInput(f"--funds: {part!r} is not understood; write USDT=5000,BTC=0.5") from None
        if not 0 <= found[asset.strip().upper()] < 10**9:
            raise BadInput(f"--funds: {part!r} is out of range; give 0 to 999999999")
    return found


def _path(settings: Settings, chosen: Namespace, seed: int) -> PricePath:
    if not chosen.data or chosen.sim:
        return SimulatedPath(settings.assets, seed, wall_ms(), HISTORY_DAYS)
    in_order(chosen.start, chosen.end)
    found = [file_candles(path, symbol, chosen.interval)[0] for path, symbol in _wanted(settings, chosen)]
    return CandlePath([between(candles, chosen.start, chosen.end) for candles in found], seed)


def _wanted(settings: Settings, chosen: Namespace) -> list[tuple[Path, str | None]]:
    """Return which file or folder holds which symbol."""
    path = existing(chosen.data)
    if not path.is_dir():
        return [(path, settings.assets[0] if chosen.assets else None)]
    held = sorted({name for file in path.iterdir() if (name := named(file)[0])})
    names = settings.assets if chosen.assets else [name for name in held if name in settings.assets] or held
    return [(path, name) for name in names]


def _documents(symbols: tuple[str, ...], info: str | None) -> list[Mapping[str, Any]]:
    """Return the symbols' documents: of a real answer, of our own, or made after the simulated market's listing."""
    known = {each["symbol"]: each for each in (*default_symbols(), *(load_exchange_info(info) if info else ()))}
    return [known.get(symbol) or _made(listing_of(symbol).spec()) for symbol in symbols]


def _made(spec: SymbolSpec) -> Mapping[str, Any]:
    model = dict(default_symbols()[0])
    sizes = {"PRICE_FILTER": {"minPrice": f"{spec.tick_size:.8f}", "tickSize": f"{spec.tick_size:.8f}"},
             "LOT_SIZE": {"minQty": f"{spec.lot_size:.8f}", "stepSize": f"{spec.lot_size:.8f}"}}
    filters = [each | sizes.get(each["filterType"], {}) for each in model["filters"]]
    return model | {"symbol": spec.symbol, "baseAsset": spec.base, "quoteAsset": spec.quote, "filters": filters}


async def _serve(server: ExchangeServer, as_json: bool) -> int:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    await server.start()
    try:
        _announce(server, as_json)
        while not over.is_set() and not server.failed:
            try:
                await asyncio.wait_for(over.wait(), 0.5)
            except TimeoutError:
                continue
    finally:
        await server.stop()
    if server.failed:
        raise CockpitError(f"the exchange stopped: {server.failed}; please report this with the arguments used")
    return 0


def _announce(server: ExchangeServer, as_json: bool) -> None:
    """Say where clients find what, and who may come in."""
    rehearsal, urls = server.rehearsal, server.urls
    if as_json:
        print(json.dumps({"urls": urls, "port": server.port, "key": KEY, "secret": KEY,
                          "symbols": list(rehearsal.market.stalls)}), flush=True)
        return
    funds = ", ".join(f"{balance.free / 10**8:g} {asset}" for asset, balance in rehearsal.account.balances.items())
    faults = ", ".join(each["name"] for each in rehearsal.faults.view()) or "none"
    for name, text in (("REST", f"{urls['rest']}/api/v3"), ("streams", f"{urls['streams']}/ws and /stream"),
                       ("WebSocket API", urls["ws_api"]), ("switches", f"{urls['rest']}/rehearsal/state"),
                       ("key, secret", f"{KEY}, {KEY}"), ("funds", funds), ("faults", faults)):
        print(f"{name:<14} {text}")
    print("no money is involved; Ctrl-C stops", file=sys.stderr, flush=True)
    sys.stdout.flush()
