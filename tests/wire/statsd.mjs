/* A statsd client that people use (hot-shots), against ADDRESS PORT: the gauges, counters and
 * timings that test_own.py expects. Ends when all are sent. */
import StatsD from "hot-shots";

const [host, port] = process.argv.slice(2);
const client = new StatsD({
  host,
  port: Number(port),
  errorHandler(error) {
    console.error(error);
    process.exitCode = 1;
  },
});
client.gauge("shots.tank", 42.5, ["unit:L", "label:Rain tank"]);
client.gaugeDelta("shots.tank", -2);
client.increment("shots.hits", 3);
client.timing("shots.request", 12);
client.timing("shots.request", 30);
client.set("shots.users", "somebody");
client.close((error) => {
  if (error) throw error;
});
