"""python-binance alone: a kline socket, and the order posted as soon as a closed bar comes. One JSON line a command.

Reads from its input: `go` (trade the next close), `wait` (let it pass), `flat` (cancel what stands and sell).
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal

from binance import AsyncClient, BinanceSocketManager

from benchmarks.wire_exchange import OTHER, say

SYMBOL, QUANTITY = "BTCUSDT", "0.01000"
CENT = Decimal("0.01")


class Peer:
    """The shortest program that buys at a close, with stop and target in the same request."""

    def __init__(self, urls: dict[str, str]) -> None:
        kinds = {"API_URL": f"{urls['rest']}/api", "WS_API_URL": urls["ws_api"]}
        self.client = type("Plain", (AsyncClient,), kinds)(OTHER, OTHER)
        self.sockets = type("Streams", (BinanceSocketManager,), {"STREAM_URL": f"{urls['streams']}/"})(self.client)
        self.is_wanted, self.n_bought = False, 0
        self.bought = asyncio.Event()

    async def listen(self) -> None:
        """Buy at each close that is wanted."""
        async with self.sockets.kline_socket(SYMBOL, "1m") as socket:
            say({})
            while True:
                bar = (await socket.recv())["k"]
                if bar["x"] and self.is_wanted:
                    self.is_wanted = False
                    await self.buy(Decimal(bar["c"]))
                    self.bought.set()

    async def buy(self, price: Decimal) -> None:
        """Post the order that the cockpit posts."""
        self.n_bought += 1
        n = self.n_bought
        await self.client._post("orderList/opoco", True, data={
            "symbol": SYMBOL, "listClientOrderId": f"other-{n}l", "newOrderRespType": "RESULT", "workingType": "LIMIT",
            "workingSide": "BUY", "workingClientOrderId": f"other-{n}e", "workingPrice": at(price, "1.004"),
            "workingQuantity": QUANTITY, "workingTimeInForce": "FOK", "pendingSide": "SELL",
            "pendingAboveType": "LIMIT_MAKER", "pendingAboveClientOrderId": f"other-{n}t",
            "pendingAbovePrice": at(price, "1.05"), "pendingBelowType": "STOP_LOSS",
            "pendingBelowClientOrderId": f"other-{n}s", "pendingBelowStopPrice": at(price, "0.95"),
        })

    async def flat(self) -> None:
        """Cancel and sell, so that the next buy begins as this one did."""
        await self.client.cancel_all_open_orders(symbol=SYMBOL)
        free = Decimal((await self.client.get_asset_balance("BTC"))["free"])
        await self.client.create_order(symbol=SYMBOL, side="SELL", type="MARKET",
                                       quantity=str(free.quantize(Decimal("0.00001"), "ROUND_DOWN")))


def at(price: Decimal, part: str) -> str:
    """Write a price on the grid."""
    return str((price * Decimal(part)).quantize(CENT))


async def main(urls: dict[str, str]) -> None:
    """Obey until the input ends."""
    peer = Peer(urls)
    listening = asyncio.create_task(peer.listen())
    loop = asyncio.get_running_loop()
    try:
        while command := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if command == "shift":
                peer.client.timestamp_offset += int(await loop.run_in_executor(None, sys.stdin.readline))
            elif command == "go":
                peer.bought.clear()
                peer.is_wanted = True
            elif command == "flat":
                await asyncio.wait_for(peer.bought.wait(), 10)
                await peer.flat()
            say({})
    finally:
        listening.cancel()
        await peer.client.close_connection()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
