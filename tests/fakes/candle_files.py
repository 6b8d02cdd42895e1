"""Files of candles as different makers write them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from trading.domain import INTERVAL_MS, Candles

_TIMES = {
    "s": lambda t: str(t // 1000),
    "ms": str,
    "us": lambda t: f"{t}000",
    "ns": lambda t: f"{t}000000",
    "iso": lambda t: _moment(t).strftime("%Y-%m-%d %H:%M:%S"),
    "iso_z": lambda t: _moment(t).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "day_text": lambda t: _moment(t).strftime("%Y/%m/%d %H:%M"),
}


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def binance_csv(candles: Candles, header: bool = False) -> str:
    """Return the twelve columns of Binance's archive."""
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume"
    lines = [names + ",ignore"] if header else []
    for row in range(len(candles)):
        c = candles.candle(row)
        end = c.open_time + INTERVAL_MS[c.interval] - 1
        prices = f"{c.open:.8f},{c.high:.8f},{c.low:.8f},{c.close:.8f},{c.volume:.8f}"
        lines.append(f"{c.open_time},{prices},{end},{c.quote_volume:.8f},{c.trades},{c.taker_buy_base:.8f},0,0")
    return "\n".join(lines) + "\n"


def ohlcv_csv(candles: Candles, header: str, unit: str) -> str:
    """Return six columns under any header; with quotes in the header the cells have them too."""
    lines = [header]
    quote = '"' if header.startswith('"') else ""
    for row in range(len(candles)):
        c = candles.candle(row)
        cells = (_TIMES[unit](c.open_time), c.open, c.high, c.low, c.close, c.volume)
        lines.append(",".join(f"{quote}{cell}{quote}" for cell in cells))
    return "\n".join(lines) + "\n"


def zipped(text: str, *names: str) -> bytes:
    """Return a zip archive holding the text once for each name (`candles.csv` without any)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("candles.csv",):
            archive.writestr(name, text)
    return target.getvalue()


def write_parquet(path: Path, candles: Candles, kind: str) -> None:
    """Write Parquet through pandas: the index or types as `kind` says."""
    frame = pd.DataFrame({c: getattr(candles, c) for c in Candles.columns()})
    moments = pd.to_datetime(frame["open_time"], unit="ms")
    if kind == "open_time":
        frame.to_parquet(path, index=False)
    elif kind == "pandas":
        frame.drop(columns="open_time").set_index(pd.DatetimeIndex(moments, name=None)).to_parquet(path)
    elif kind == "pandas_tz":
        frame.drop(columns="open_time").set_index(pd.DatetimeIndex(moments, tz="UTC", name="date")).to_parquet(path)
    elif kind == "named_index":
        frame.drop(columns="open_time").set_index(pd.DatetimeIndex(moments, name="when")).to_parquet(path)
    elif kind == "strings":
        frame.astype(str).to_parquet(path, index=False)
    elif kind == "seconds":
        frame.assign(open_time=frame["open_time"] // 1000).to_parquet(path, index=False)
    else:
        frame.assign(open_time=moments.dt.date).to_parquet(path, index=False)
