"""The gate for new risk."""

from __future__ import annotations

import threading

from trading.gate import KILL, EntryGate


def test_gate_is_open_until_somebody_closes_it():
    assert EntryGate().reason("BTCUSDT") == ""


def test_each_reason_is_taken_back_by_its_own_key():
    gate = EntryGate()
    gate.close("clock", "1.4 s off")
    gate.close("stream", "not heard")
    gate.open("clock")
    gate.open("never closed")
    assert gate.reason("BTCUSDT") == "not heard" and gate.closed_by("clock") == ""
    gate.open("stream")
    assert gate.reason("BTCUSDT") == ""


def test_symbol_in_quarantine_leaves_the_others_alone():
    gate = EntryGate()
    gate.close("quarantine", "a foreign trade", "BTCUSDT")
    assert (gate.reason("BTCUSDT"), gate.reason("ETHUSDT")) == ("a foreign trade", "")


def test_kill_waits_for_the_request_that_is_leaving_and_stops_the_next():
    gate = EntryGate()
    with gate.sending():
        killer = threading.Thread(target=gate.kill, args=("by hand",))
        killer.start()
        killer.join(0.05)
        assert killer.is_alive() and gate.reason("BTCUSDT") == ""
    killer.join(5)
    assert gate.reason("BTCUSDT") == "kill switch: by hand" == gate.closed_by(KILL)
