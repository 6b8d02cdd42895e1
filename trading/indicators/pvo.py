"""Percentage volume oscillator: the percentage price oscillator of the volume."""

from dataclasses import replace

from trading.indicators import ppo

INDICATOR = replace(
    ppo.INDICATOR,
    name="pvo",
    label="PVO",
    inputs=("volume",),
    source="ta 0.11 PercentageVolumeOscillator",
)
