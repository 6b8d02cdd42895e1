"""Keys such as `ema_20`, `bb_20_2.upper`, and what an unknown one answers."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.errors import BadInput
from trading.indicators import INDICATORS, IndicatorStream, format_key, key_label, parse_key


def test_every_file_with_an_indicator_is_in_the_table():
    assert set(INDICATORS) >= {"rsi", "ema", "sma", "macd", "vwap", "rolling_vwap", "bb", "atr", "adx", "psar", "pvo"}
    assert all(name == indicator.name for name, indicator in INDICATORS.items())
    assert all(i.primary in i.outputs and i.source for i in INDICATORS.values())


@pytest.mark.parametrize(("key", "parsed", "label"), [
    ("ema_20", ("ema", {"period": 20}, "ema"), "EMA 20"),
    ("bb_20_2.upper", ("bb", {"period": 20, "multiple": 2.0}, "upper"), "Bollinger 20 2 upper"),
    ("bb_20_2.5.lower", ("bb", {"period": 20, "multiple": 2.5}, "lower"), "Bollinger 20 2.5 lower"),
    ("macd_12_26_9.signal", ("macd", {"fast": 12, "slow": 26, "signal": 9}, "signal"), "MACD 12 26 9 signal"),
    ("adx_14.plus_di", ("adx", {"period": 14}, "plus_di"), "ADX 14 +DI"),
    ("adx_14.adx", ("adx", {"period": 14}, "adx"), "ADX 14"),
    ("rolling_vwap_14", ("rolling_vwap", {"period": 14}, "rolling_vwap"), "Rolling VWAP 14"),
    ("vwap", ("vwap", {}, "vwap"), "VWAP"),
    ("donchian_20.upper", ("donchian", {"period": 20}, "upper"), "Donchian 20 upper"),
    ("stoch_14_3.k", ("stoch", {"period": 14, "smooth": 3}, "k"), "Stochastic 14 3 %K"),
    ("psar_0.02_0.2.trend", ("psar", {"acceleration": 0.02, "maximum": 0.2}, "trend"), "Parabolic SAR 0.02 0.2 trend"),
    ("ichimoku_9_26_52.span_a", ("ichimoku", {"conversion": 9, "base": 26, "span": 52}, "span_a"),
     "Ichimoku 9 26 52 span A"),
    ("obv", ("obv", {}, "obv"), "OBV"),
])
def test_key_is_read_written_and_labelled(key, parsed, label):
    assert parse_key(key) == parsed
    assert format_key(*parsed) == key
    assert key_label(key) == label


def test_short_key_means_the_defaults_and_the_primary_output():
    assert parse_key("bb") == parse_key("bb_20_2.middle")
    assert parse_key("rsi") == parse_key("rsi_14")


@pytest.mark.parametrize("key", ["", "ema_", "ema_0", "ema_1001", "ema_20.upper", "ema_20_3", "EMA_20", "sma_2.5",
                                 "bb_20", "nothing_3", "ema_-5", "vwap_3", "ema_20 ", "ema_٢٠", "bb_20_2.",
                                 "ema.ema.ema"])
def test_wrong_key_is_refused_with_what_was_seen(key):
    with pytest.raises(BadInput) as refusal:
        parse_key(key)
    assert key.split(".")[0].split("_")[0] in str(refusal.value)


@pytest.mark.parametrize("value", [0, 1001, 2.5, True, "20", float("nan"), None])
def test_parameter_out_of_range_is_refused_with_value_and_range(value):
    with pytest.raises(BadInput, match=r"ema\.period: .* from 2 to 1000"):
        IndicatorStream("ema", {"period": value})


def test_unknown_names_are_refused():
    with pytest.raises(BadInput, match="takes period"):
        INDICATORS["ema"].settings(window=3)
    with pytest.raises(BadInput, match="known are"):
        IndicatorStream("emma")


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(sorted(INDICATORS)), st.data())
def test_every_key_survives_the_round_trip(name, draw):
    indicator = INDICATORS[name]
    parameters = {p.name: draw.draw(st.integers(int(p.low), int(p.high)) if p.whole else
                                    st.floats(p.low, p.high)) for p in indicator.parameters}
    output = draw.draw(st.sampled_from(indicator.outputs))
    key = format_key(name, parameters, output)
    assert parse_key(key) == (name, parameters, output)
    assert format_key(*parse_key(key)) == key
    assert key_label(key).startswith(indicator.label)


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_labels_tell_the_outputs_of_an_indicator_apart(name):
    labels = [key_label(format_key(name, output=output)) for output in INDICATORS[name].outputs]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_every_row_of_the_table_is_complete_and_its_ends_can_be_computed(name):
    indicator = INDICATORS[name]
    assert indicator.primary in indicator.outputs
    assert indicator.label
    assert indicator.source
    for end in ("low", "default", "high"):
        chosen = {p.name: getattr(p, end) for p in indicator.parameters}
        assert indicator.settings(**chosen) == chosen
        assert indicator.warm_up(**chosen) >= 1
        assert indicator.new_state(**chosen).dtype == float


def test_every_indicator_is_in_the_documentation_as_it_is():
    page = (Path(__file__).parents[2] / "docs" / "indicators.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    assert len(rows) == len(INDICATORS)
    for name, indicator in INDICATORS.items():
        row = rows[format_key(name).removesuffix(f".{indicator.primary}" if len(indicator.outputs) > 1 else "")]
        outputs = [f"**{o}**" if o == indicator.primary else o for o in indicator.outputs]
        named = [p.name for p in indicator.parameters]
        cells = [indicator.label, ", ".join(named), ", ".join(outputs) if len(outputs) > 1 else "",
                 ", ".join(indicator.inputs), str(indicator.warm_up(**indicator.settings())), indicator.source]
        assert [cell.strip() for cell in row.split("|")[2:-1]] == cells
