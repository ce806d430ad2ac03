// Clients of other monitors, as their makers publish them, against Tocsin.
//
//   node peers.mjs fetch URL BODY
//   node peers.mjs cronitor BASE KEY MONITOR run|fail|event
//   node peers.mjs opsgenie BASE KEY NAME
//
// Writes what the client saw as one line of JSON to stderr: the libraries print to stdout.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [client, base, ...rest] = process.argv.slice(2);

async function useFetch([body]) {
  const answer = await fetch(base, { method: "POST", body });
  const limit = answer.headers.get("ping-body-limit");
  return { status: answer.status, text: await answer.text(), limit };
}

async function useCronitor([key, monitor, what]) {
  const cronitor = require("cronitor")(key);
  // Its host is fixed; the path is its own.
  cronitor._api.pingUrl = (id) =>
    new URL(new URL(`https://cronitor.link/ping/${key}/${id}`).pathname, base).href;
  if (what === "event") {
    const event = new cronitor.Event(monitor, { intervalSeconds: 60 });
    event.tick(3);
    return { sent: await event.stop() };
  }
  const job = cronitor.wrap(monitor, async () => {
    if (what === "fail") throw new Error("disk full & more");
    return "42 rows";
  });
  return { returned: await job() };
}

function useOpsgenie([key, name]) {
  const opsgenie = require("opsgenie-sdk");
  opsgenie.configure({ host: base, api_key: key, maxAttempts: 1 });
  return new Promise((resolve) => {
    opsgenie.heartbeat.ping({ identifier: name, identifierType: "name" }, {}, (error, result) =>
      resolve({ error, result }));
  });
}

const clients = { fetch: useFetch, cronitor: useCronitor, opsgenie: useOpsgenie };
console.error(JSON.stringify(await clients[client](rest)));
process.exit(0);
