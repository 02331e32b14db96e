// On workerd. A socket belongs to the request that opened it there, so every request connects anew: what one has without a
// pooler of Cloudflare's (Hyperdrive), which workerd does not contain.

import postgres from "postgres";
import { application, types } from "./tasks.js";

let app;

export default {
  fetch(request, env, context) {
    app ??= application({
      jwk: env.BENCH_JWT_KEY,
      connect: (c) => postgres(c.env.BENCH_DATABASE_URL, { max: 1, fetch_types: false, types, connection: { TimeZone: "UTC" }, onnotice: () => {} }),
      release: (c, sql) => c.executionCtx.waitUntil(sql.end()),
    });
    return app.fetch(request, env, context);
  },
};
