"""Where Binance is and how patient to be with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BinanceOptions:
    """Where Binance is and how patient to be with it. Times in seconds.

    Attributes
    ----------
    rest_url, stream_url : without path; a local exchange has its own
    badge : what the screen shows
    n_history : bars of history to have in the archive before going live
    silence_s : a stream without a valid kline for so long is given up. Binance sends one every 2 s a traded symbol
    grace_s : how long closed bars wait for those of other symbols before REST is asked for them
    rest_lag_s : how long after its close a bar is final in REST
    renew_s : age at which a connection is replaced; the venue ends it after 24 h
    measure_s : time between measurements of latency and clock
    backoff_s, backoff_cap_s : first and longest pause before a new attempt, halved at most by jitter
    steady_s : a connection that lived so long resets the back-off
    n_failures : attempts in a row after which the feed calls itself failed (and goes on trying)
    seed : of the jitter
    """

    rest_url: str = "https://api.binance.com"
    stream_url: str = "wss://stream.binance.com:9443"
    badge: str = "BINANCE"
    n_history: int = 10_000
    silence_s: float = 15.0
    grace_s: float = 3.0
    rest_lag_s: float = 0.5
    renew_s: float = 23 * 3600.0
    measure_s: float = 300.0
    backoff_s: float = 1.0
    backoff_cap_s: float = 30.0
    steady_s: float = 30.0
    n_failures: int = 4
    seed: int = 0
