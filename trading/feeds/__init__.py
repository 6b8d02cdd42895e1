"""Sources of market data: Binance, a replay of stored candles, and a simulated market."""
