"""What feed and broker share of Binance: addresses, client, rate limits, clock, refusals, user stream."""
