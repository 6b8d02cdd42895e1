"""Training from the command line: one figure a name, the same bytes each time, errors in one line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.registry import Registry
from storage.candle_store import CandleStore
from tests.fakes.made_candles import made_candles, stored_candles
from tests.test_backtest_cli import run
from trading.domain import Candles

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "ohlcv" / "BTCUSDT-1h.parquet"
PROMISED = ("accuracy", "accuracy_interval", "baseline", "brier", "auc", "ece", "n", "split_accuracy", "folds", "leaks",
            "version", "status", "settings", "hashes")


def train(folder: Path, *arguments: str, check: bool = True):
    return run(folder, "--mode", "train", *arguments, check=check)


def written(candles: Candles, path: Path) -> str:
    pq.write_table(pa.table({name: getattr(candles, name) for name in Candles.columns()}), path)
    return str(path)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A data folder, the file that was trained on, and what training it once said."""
    folder = tmp_path_factory.mktemp("train")
    file = written(made_candles(2_600, "1h"), folder / "BTCUSDT-1h.parquet")
    done = train(folder / "data", "--asset", "BTCUSDT", "--data", file, "--json")
    return folder, file, done


def test_json_holds_what_scripts_rely_on(once):
    document = json.loads(once[2].stdout)
    assert set(PROMISED) <= set(document)
    low, high = document["accuracy_interval"]
    assert 0.0 <= low <= document["accuracy"] <= high <= 1.0
    assert document["n"] == sum(sum(row) for row in document["confusion"])
    assert len(document["folds"]) == 6
    assert document["settings"]["settings"]["label"] == "next_bar"
    assert document["status"] == "challenger", "a random walk promotes nobody"
    assert "base rate" in document["verdict"]


def test_the_model_is_kept_where_the_cockpit_looks(once):
    folder, _, done = once
    registry = Registry(folder / "data" / "models")
    (version,) = registry.versions("BTCUSDT", "1h")
    assert version.id == json.loads(done.stdout)["version"]
    assert registry.load(version.id)
    assert [line.kind for line in registry.history("BTCUSDT", "1h")] == ["refused"]


def test_the_same_question_gives_the_same_bytes_and_one_version(once):
    folder, file, done = once
    assert train(folder / "data", "--asset", "BTCUSDT", "--data", file, "--json").stdout == done.stdout
    assert train(folder / "other", "--asset", "btcusdt", "--data", file, "--json").stdout == done.stdout
    registry = Registry(folder / "data" / "models")
    assert len(registry.versions()) == len(registry.history("BTCUSDT", "1h")) == 1


def test_stored_candles_fold_and_several_assets_give_a_list(tmp_path):
    store = CandleStore(tmp_path / "candles")
    for number, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
        store.append(made_candles(5 * 2_600, "1m", seed=number, symbol=symbol))
    done = train(tmp_path, "--asset", "BTCUSDT,ETHUSDT", "--interval", "5m", "--label", "horizon", "--json",
                 str(tmp_path / "out.json"))
    documents = json.loads((tmp_path / "out.json").read_text())
    assert [d["settings"]["symbol"] for d in documents] == ["BTCUSDT", "ETHUSDT"]
    assert [d["version"].split("-")[1] for d in documents] == ["5m", "5m"]
    assert documents[0]["settings"]["settings"]["label"] == "horizon"
    assert "95 % interval" in done.stdout
    assert done.stdout.count("verdict") == 2


@pytest.mark.parametrize(("arguments", "said"), [
    (("--asset", "BTCUSDT"), "no stored candles of BTCUSDT: import or download some, or give --data FILE"),
    ((), "needs a symbol, such as --asset BTCUSDT"),
    (("--asset", "ETHUSDT", "--data", "{file}"), "holds BTCUSDT by its name, not ETHUSDT"),
    (("--data", "{file}", "--start", "2022-07-10"), "no candles between these dates"),
    (("--data", "{file}", "--end", "2022-05-12"), "too few"),
    (("--data", "{file}", "--end", "2022-05-20"), "Import or download more"),
    (("--data", "/nowhere/BTCUSDT-1h.parquet"), "/nowhere"),
])
def test_what_is_wrong_is_said_in_one_line(tmp_path, arguments, said):
    file = written(made_candles(1_000, "1h"), tmp_path / "BTCUSDT-1h.parquet")
    done = train(tmp_path / "data", *(word.format(file=file) for word in arguments), check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "data").glob("models/*/*-*"))


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/ohlcv/BTCUSDT-1h.parquet")
def test_real_hours_give_honest_figures(tmp_path):
    candles = stored_candles(SHARED)[-3_000:]
    file = written(candles, tmp_path / "BTCUSDT-1h.parquet")
    document = json.loads(train(tmp_path / "data", "--data", file, "--json").stdout)
    assert 0.46 < document["accuracy"] < 0.58
    assert document["leaks"] == []
    low, high = document["accuracy_interval"]
    assert high - low < 0.06
    assert document["trained_until"] < int(candles.open_time[-400])
    assert document["ece"] < 0.12
