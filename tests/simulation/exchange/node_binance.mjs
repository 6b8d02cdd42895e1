// The Node package "binance" against the exchange at the URL given; prints what it saw as one JSON document.
import { MainClient } from "binance";

const client = new MainClient({
  api_key: "rehearsal", api_secret: "rehearsal", baseUrl: process.argv[2], disableTimeSync: true,
});
const order = { symbol: "BTCUSDT", side: "BUY", quantity: 0.001 };
const seen = {};

seen.symbol = (await client.getExchangeInfo({ symbol: "BTCUSDT" })).symbols[0].symbol;
seen.bought = (await client.submitNewOrder({ ...order, type: "MARKET", newOrderRespType: "FULL" })).status;
const rests = await client.submitNewOrder({ ...order, type: "LIMIT", timeInForce: "GTC", price: 20000 });
seen.open = (await client.getOpenOrders({ symbol: "BTCUSDT" })).length;
seen.cancelled = (await client.cancelOrder({ symbol: "BTCUSDT", orderId: rests.orderId })).status;
seen.balances = (await client.getAccountInformation()).balances.length;
seen.bars = (await client.getKlines({ symbol: "BTCUSDT", interval: "1m", limit: 3 })).length;
try {
  await client.getOrder({ symbol: "BTCUSDT", orderId: 99999 });
} catch (error) {
  seen.missing = error.code;
}
console.log(JSON.stringify(seen));
process.exit(0);
