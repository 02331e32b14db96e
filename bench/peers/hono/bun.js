// On Bun: two processes behind one port, as one runs Bun on two cores. The kernel divides the connections among them.

import postgres from "postgres";
import { application, types } from "./tasks.js";

const PROCESSES = 2;

if (process.env.BENCH_WORKER === undefined) {
  const env = { ...process.env, BENCH_WORKER: "1" };
  for (let i = 0; i < PROCESSES; i++) Bun.spawn([process.execPath, import.meta.path], { env, stdio: ["ignore", "inherit", "inherit"] });
} else {
  // Together as many connections as errand has.
  const sql = postgres(process.env.BENCH_DATABASE_URL, { max: 32, fetch_types: false, types, connection: { TimeZone: "UTC" }, onnotice: () => {} });
  const app = application({ jwk: process.env.BENCH_JWT_KEY, connect: () => sql });
  Bun.serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT), reusePort: true });
}
