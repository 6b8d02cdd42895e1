// Binance's own Node client against the exchange at the URLs given; prints what it saw as one JSON document.
import { Spot } from "@binance/spot";

const [rest, streams, api] = process.argv.slice(2);
const key = { apiKey: "rehearsal", apiSecret: "rehearsal" };
const client = new Spot({
  configurationRestAPI: { ...key, basePath: rest, retries: 0 },
  configurationWebsocketStreams: { wsURL: streams },
  configurationWebsocketAPI: { ...key, wsURL: api },
});
const told = async (answer) => (await answer).data();
const seen = {};
const order = { symbol: "BTCUSDT", side: "BUY", quantity: 0.001 };

seen.symbols = (await told(client.restAPI.exchangeInfo({ symbols: ["BTCUSDT", "ETHUSDT"] }))).symbols.length;
seen.bought = (await told(client.restAPI.newOrder({ ...order, type: "MARKET" }))).status;
const rests = await told(client.restAPI.newOrder({ ...order, type: "LIMIT", timeInForce: "GTC", price: 20000 }));
seen.cancelled = (await told(client.restAPI.deleteOrder({ symbol: "BTCUSDT", orderId: rests.orderId }))).status;
seen.assets = (await told(client.restAPI.getAccount({ omitZeroBalances: true }))).balances.map((line) => line.asset);
try {
  await client.restAPI.getOrder({ symbol: "BTCUSDT", orderId: 99999 });
} catch (error) {
  seen.missing = error.code;
}

const market = await client.websocketStreams.connect();
seen.trade = await new Promise((done) => market.trade({ symbol: "btcusdt" }).on("message", (frame) => done(frame.s)));
await market.disconnect();

const calls = await client.websocketAPI.connect();
seen.uid = Number((await calls.accountStatus({})).data.uid);
const account = await calls.userDataStreamSubscribeSignature({});
seen.events = await new Promise((done) => {
  const names = [];
  account.stream.on("message", (event) => {
    names.push(event.e);
    if (event.e === "outboundAccountPosition") done(names);
  });
  client.restAPI.newOrder({ ...order, type: "MARKET" });
});
await calls.disconnect();
console.log(`\n${JSON.stringify(seen)}`);
process.exit(0);
