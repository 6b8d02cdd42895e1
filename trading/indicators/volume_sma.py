"""Simple moving average of the volume."""

from dataclasses import replace

from trading.indicators import sma

INDICATOR = replace(
    sma.INDICATOR,
    name="volume_sma",
    label="Volume SMA",
    inputs=("volume",),
    outputs=("volume_sma",),
    primary="volume_sma",
    source="ta 0.11 SMAIndicator, of the volume",
)
