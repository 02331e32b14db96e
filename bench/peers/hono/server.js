// On Node: as many processes as the bench gives FastAPI workers, behind one port.

import cluster from "node:cluster";
import { serve } from "@hono/node-server";
import postgres from "postgres";
import { application, types } from "./tasks.js";

const PROCESSES = 2;

if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
} else {
  // Together as many connections as errand has.
  const sql = postgres(process.env.BENCH_DATABASE_URL, { max: 32, fetch_types: false, types, connection: { TimeZone: "UTC" }, onnotice: () => {} });
  const app = application({ jwk: process.env.BENCH_JWT_KEY, connect: () => sql });
  serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) });
}
