"""exchangeInfo of real venues read as limits."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from trading.errors import FeedFailed
from trading.feeds.binance_specs import spec_of


def symbol_in(folder: Path, name: str) -> dict[str, object]:
    return json.loads((folder / "reference" / name).read_text())["symbols"][0]


def test_a_symbol_of_2022_with_min_notional(shared_data: Path) -> None:
    spec = spec_of(symbol_in(shared_data, "exchangeInfo-BTCUSDT-2022-12.json"))
    assert spec.symbol == "BTCUSDT" and spec.display == "BTC/USDT"
    assert (spec.tick_size, spec.lot_size, spec.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(10))
    assert str(spec.tick_size) == "0.01" and str(spec.min_notional) == "10"


@pytest.mark.parametrize("name", ["exchangeInfo-BTCUSD-binanceus-2026-09.json", "exchangeInfo-TSLABUSDT-2026-09.json"])
def test_symbols_of_2026(shared_data: Path, name: str) -> None:
    spec = spec_of(symbol_in(shared_data, name))
    assert 0 < spec.tick_size < 1 and 0 < spec.lot_size <= spec.min_quantity < spec.max_quantity
    assert spec.min_notional > 0


FILTERS = [
    {"filterType": "PRICE_FILTER", "tickSize": "0.00000000"},
    {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "9000.00000000", "stepSize": "10.00000000"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "120.5", "stepSize": "0.00000000"},
]


def test_a_rule_that_is_off_falls_back_to_the_assets_precision() -> None:
    spec = spec_of({"symbol": "AUSDT", "quotePrecision": 4, "filters": FILTERS})
    assert spec.tick_size == Decimal("0.0001") and str(spec.lot_size) == "10" and spec.min_notional == 0


def test_the_largest_quantity_suits_market_orders_too() -> None:
    assert spec_of({"symbol": "AUSDT", "filters": FILTERS}).max_quantity == Decimal("120.5")


@pytest.mark.parametrize("text", ["abc", "-1", "NaN", None, ""])
def test_a_malformed_filter_is_refused(text: str | None) -> None:
    with pytest.raises(FeedFailed, match="AUSDT"):
        spec_of({"symbol": "AUSDT", "filters": [{"filterType": "PRICE_FILTER", "tickSize": text}, *FILTERS[1:]]})


@pytest.mark.parametrize("broken", [{}, {"filters": []}, {"filters": [FILTERS[0]]}, {"filters": 3}, {"filters": [{}]}])
def test_what_cannot_be_read_is_named(broken: dict[str, object]) -> None:
    with pytest.raises(FeedFailed, match="AUSDT"):
        spec_of({"symbol": "AUSDT"} | broken)
