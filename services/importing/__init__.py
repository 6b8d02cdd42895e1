"""Candles from files that people have: archives of Binance, CSV of any make, Parquet."""

from services.importing.importer import import_path, load_candles
from services.importing.report import Finding, ImportReport

__all__ = ["Finding", "ImportReport", "import_path", "load_candles"]
