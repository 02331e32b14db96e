// A peer in the benchmark, for the edge: Hono and postgres.js. It serves the endpoints that the bench uses, from
// errand's own tables, with the same answers. `server.js` runs it on Node, `bun.js` on Bun, `worker.js` on workerd.

import { Hono } from "hono";
import { importJWK, jwtVerify } from "jose";

const PRIORITIES = ["none", "low", "medium", "high"];

// Types that JavaScript has no faithful value for stay text: a Date has no microseconds.
export const types = {
  text: { to: 25, from: [20, 1082, 1184], serialize: String, parse: (value) => value },
  // Written out, so that a connection need not ask for the types of arrays first.
  texts: {
    to: 1009,
    from: [1009],
    serialize: (values) => `{${values.map((value) => JSON.stringify(value)).join(",")}}`,
    parse: (text) => Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|([^,{}]+)/g), ([, quoted, bare]) => bare ?? quoted.replace(/\\(.)/g, "$1")),
  },
};

// `jwk` is the key of the tokens, with `alg`. `connect` gives a postgres.js client for a request; `release` is told when the
// request is done with it.
export function application({ jwk, connect, release = () => {} }) {
  const { alg } = JSON.parse(jwk);
  const key = importJWK(JSON.parse(jwk));
  const options = { algorithms: [alg], clockTolerance: 60, requiredClaims: ["exp", "sub"] };
  const app = new Hono();

  app.get("/health/live", (c) => c.json({ status: "ok" }));

  app.use("/api/:user/*", async (c, next) => {
    const [scheme, token] = (c.req.header("authorization") ?? "").split(" ");
    let claims;
    try {
      if (scheme.toLowerCase() !== "bearer") throw new Error("no token");
      claims = (await jwtVerify(token, await key, options)).payload;
    } catch {
      return c.json({ status: 401 }, 401, { "WWW-Authenticate": "Bearer" });
    }
    const user = c.req.param("user");
    if (user !== "me" && user !== claims.sub) return c.json({ status: 403 }, 403);
    c.set("user", claims.sub);
    const sql = connect(c);
    c.set("sql", sql);
    try {
      await next();
    } finally {
      release(c, sql);
    }
  });

  app.get("/api/:user/tasks", async (c) => {
    const { sql, user } = c.var;
    const limit = Number(c.req.query("limit") ?? 100);
    if (!(limit >= 1 && limit <= 500)) return c.json({ status: 400 }, 400);
    const [account] = await sql`select seq from errand.account where user_id = ${user}`;
    const tag = `"${account?.seq ?? 0}"`;
    if (isKnown(c, tag)) return c.body(null, 304, { ETag: tag });
    const completed = c.req.query("completed");
    const priority = c.req.query("priority");
    const q = c.req.query("q");
    const words = q && q.toLowerCase().replaceAll("'", " ").split(/\s+/).filter(Boolean).map((word) => `'${word}':*`).join(" & ");
    const rows = await sql`
      select ${columns(sql)} from errand.task
      where user_id = ${user}
        ${completed === undefined ? sql`` : sql`and completed = ${completed === "true"}`}
        ${priority === undefined ? sql`` : sql`and priority in ${sql(priority.split(",").map((word) => PRIORITIES.indexOf(word)))}`}
        ${words ? sql`and words @@ ${words}::text::tsquery` : sql``}
      order by ${c.req.query("sort") === "due" ? sql`due_key, id` : sql`created_at desc, id desc`}
      limit ${limit + 1}`;
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const tasks = rows.slice(0, limit).map(task);
    return c.json({ tasks, next_cursor: last ? btoa(`${last.created_at} ${last.id}`) : null }, 200, headers(tag));
  });

  app.post("/api/:user/tasks", async (c) => {
    const { sql, user } = c.var;
    const body = await c.req.json();
    if (typeof body.title !== "string" || body.title.length < 1 || body.title.length > 255) return c.json({ status: 400 }, 400);
    // One statement, one round trip: the number of the write and the task.
    const [row] = await sql`
      with stamp as (${stamp(sql, user)})
      insert into errand.task (user_id, id, seq, created_at, updated_at, completed_at, completed, priority, due_date,
        due_time, due_zone, tags, title, description)
      select ${user}, ${newId()}, stamp.seq, stamp.last_at, stamp.last_at,
        case when ${body.completed ?? false}::boolean then stamp.last_at end, ${body.completed ?? false},
        ${PRIORITIES.indexOf(body.priority ?? "none")}, ${body.due?.date ?? null}, ${body.due?.time ?? null},
        ${body.due?.time_zone ?? null}, ${body.tags ?? []}::text[], ${body.title}, ${body.description ?? null}
      from stamp
      returning ${columns(sql)}`;
    return c.json(task(row), 201, { ...headers(`"${row.version}"`), Location: `/api/${user}/tasks/${row.id}` });
  });

  app.get("/api/:user/tasks/:id", async (c) => {
    const { sql, user } = c.var;
    const [row] = await sql`select ${columns(sql)} from errand.task where user_id = ${user} and id = ${c.req.param("id")}`;
    if (!row) return c.json({ status: 404 }, 404);
    const tag = `"${row.version}"`;
    if (isKnown(c, tag)) return c.body(null, 304, { ETag: tag });
    return c.json(task(row), 200, headers(tag));
  });

  app.patch("/api/:user/tasks/:id", async (c) => {
    const { sql } = c.var;
    const body = await c.req.json();
    const changes = {};
    for (const field of ["title", "description", "completed", "tags"]) {
      if (field in body) changes[field] = body[field];
    }
    if ("priority" in body) changes.priority = PRIORITIES.indexOf(body.priority);
    if ("due" in body) {
      Object.assign(changes, { due_date: body.due?.date ?? null, due_time: body.due?.time ?? null, due_zone: body.due?.time_zone ?? null });
    }
    return change(c, sql, changes);
  });

  app.patch("/api/:user/tasks/:id/complete", async (c) => {
    const { completed } = await c.req.json();
    return change(c, c.var.sql, { completed });
  });

  return app;
}

async function change(c, sql, changes) {
  const user = c.var.user;
  const done = "completed" in changes
    ? changes.completed ? sql`, completed_at = coalesce(task.completed_at, stamp.last_at)` : sql`, completed_at = null`
    : sql``;
  const [row] = await sql`
    with stamp as (${stamp(sql, user)})
    update errand.task
    set ${sql(changes)} ${done}, seq = stamp.seq, version = task.version + 1, updated_at = stamp.last_at
    from stamp
    where task.user_id = ${user} and task.id = ${c.req.param("id")}
    returning ${columns(sql, sql`task.`)}`;
  if (!row) return c.json({ status: 404 }, 404);
  return c.json(task(row), 200, headers(`"${row.version}"`));
}

// Numbers the user's writes, so that a list's entity tag is one number.
function stamp(sql, user) {
  return sql`
    insert into errand.account as account (user_id, seq, last_at) values (${user}, 1, clock_timestamp())
    on conflict (user_id) do update set seq = account.seq + 1, last_at = clock_timestamp()
    returning seq, last_at`;
}

function columns(sql, of = sql``) {
  return sql`${of}user_id, ${of}id, ${of}title, ${of}description, ${of}completed, ${of}completed_at, ${of}priority,
    ${of}due_date, ${of}due_time, ${of}due_zone, ${of}due_at, ${of}tags, ${of}version, ${of}created_at, ${of}updated_at`;
}

function task(row) {
  return {
    id: row.id,
    owner_id: row.user_id,
    title: row.title,
    description: row.description,
    completed: row.completed,
    completed_at: instant(row.completed_at, 6),
    priority: PRIORITIES[row.priority],
    due: row.due_date && { date: row.due_date, ...(row.due_time && { time: row.due_time, time_zone: row.due_zone }) },
    due_at: instant(row.due_at, 0),
    tags: row.tags,
    version: Number(row.version),
    created_at: instant(row.created_at, 6),
    updated_at: instant(row.updated_at, 6),
  };
}

// PostgreSQL writes `2026-11-22 18:59:12.1234+00`, the session being in UTC.
function instant(text, digits) {
  if (text === null) return null;
  const time = `${text.slice(0, 10)}T${text.slice(11, 19)}`;
  return digits === 0 ? `${time}Z` : `${time}.${text.slice(20, -3).padEnd(digits, "0")}Z`;
}

// `If-None-Match` may name several (RFC 9110, section 13.1.2).
function isKnown(c, tag) {
  return (c.req.header("if-none-match") ?? "").split(",").some((one) => one.trim() === tag);
}

function headers(tag) {
  return { ETag: tag, "Cache-Control": "private, no-cache" };
}

// UUID version 7 (RFC 9562).
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (40 - 8 * i)) & 0xff;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
