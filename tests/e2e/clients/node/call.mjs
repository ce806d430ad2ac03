// A client of the public services on @grpc/grpc-js, loaded from the .proto files.
//
//   node call.mjs ADDRESS PROTO_FOLDER… < calls
//
// Reads calls as lines of JSON, {"method", "request"}, and answers each with a line: {"response"} or
// {"code", "message"}. Of a stream the first message is the answer. The method "?" lists all methods.
// $TOCSIN_KEY is sent as a bearer token if it is set.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const [address, ...folders] = process.argv.slice(2);
const files = readdirSync(join(folders[0], "tocsin/v1"))
  .filter((name) => name.endsWith("_service.proto"))
  .map((name) => join("tocsin/v1", name));
const definitions = protoLoader.loadSync(files, {
  includeDirs: folders, longs: String, enums: String, defaults: false, oneofs: false,
});

const clients = {};
const methods = {};
for (const [name, definition] of Object.entries(grpc.loadPackageDefinition(definitions).tocsin.v1)) {
  if (!definition.service) continue;
  clients[name] = new definition(address, grpc.credentials.createInsecure());
  for (const method of Object.keys(definition.service)) {
    methods[`${name}/${method}`] = definition.service[method];
  }
}

const metadata = new grpc.Metadata();
if (process.env.TOCSIN_KEY) metadata.set("authorization", `Bearer ${process.env.TOCSIN_KEY}`);

// JSON's way to write durations, times and masks → the messages that they are, which proto-loader leaves alone.
function toMessage(value, key = "") {
  if (Array.isArray(value)) return value.map((each) => toMessage(each));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toMessage(v, k)]));
  }
  if (key === "updateMask") {
    const snake = (path) => path.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    return { paths: value.split(",").map(snake) };
  }
  if (["timeout", "grace", "overlap", "duration"].includes(key)) return { seconds: parseInt(value, 10) };
  if (key.endsWith("Time")) return { seconds: Math.trunc(Date.parse(value) / 1000) };
  return value;
}

function call(method, request) {
  const [service, name] = method.split("/");
  const client = clients[service];
  const message = toMessage(request);
  const deadline = Date.now() + 20000;
  return new Promise((resolve) => {
    const fail = (error) => resolve({ code: grpc.status[error.code], message: error.details });
    if (methods[method].responseStream) {
      const stream = client[name](message, metadata, { deadline });
      stream.on("error", fail);
      stream.on("data", (response) => {
        resolve({ response });
        stream.cancel();
      });
      return;
    }
    client[name](message, metadata, { deadline }, (error, response) =>
      error ? fail(error) : resolve({ response }));
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { method, request } = JSON.parse(line);
  const answer = method === "?" ? { response: Object.keys(methods) } : await call(method, request);
  process.stdout.write(JSON.stringify(answer) + "\n");
}
for (const client of Object.values(clients)) client.close();
