// One round with a client that is generated from openapi.json: create, list, patch, delete. What the description gets
// wrong about types does not compile.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/errand.js";

const { ERRAND_URL: baseUrl, ERRAND_TOKEN: token } = process.env;
assert(baseUrl && token, "ERRAND_URL and ERRAND_TOKEN say whom to call; cargo xtask test --conformance sets them");

const errand = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const mine = { user_id: "me" };

const due: components["schemas"]["NewDue"] = { date: "2026-12-01", time: "09:30", time_zone: "Europe/Vilnius" };
const created = await errand.POST("/api/{user_id}/tasks", {
  params: { path: mine },
  body: { title: "Book the train", priority: "high", due, tags: ["travel"] },
});
assert.equal(created.response.status, 201, JSON.stringify(created.error));
assert(created.data);
const task: components["schemas"]["Task"] = created.data;
assert.equal(task.due_at, "2026-12-01T07:30:00Z");

const listed = await errand.GET("/api/{user_id}/tasks", {
  params: { path: mine, query: { limit: 10, priority: ["high"], tag: ["travel"], sort: "created_at", count: "exact" } },
});
assert(listed.data);
assert(listed.data.tasks.some(({ id }) => id === task.id));
assert.equal(typeof listed.data.total, "number");

const path = { ...mine, id: task.id };
const patched = await errand.PATCH("/api/{user_id}/tasks/{id}", {
  params: { path, header: { "If-Match": task.etag } },
  body: { description: "Window seat", due: null, completed: true },
});
assert.equal(patched.data?.version, task.version + 1, JSON.stringify(patched.error));
assert.equal(patched.data.due, null);

const stale = await errand.PATCH("/api/{user_id}/tasks/{id}", {
  params: { path, header: { "If-Match": task.etag } },
  body: { title: "Lost" },
});
const problem: components["schemas"]["Problem"] | undefined = stale.error;
assert.equal(problem?.code, "precondition_failed");

const deleted = await errand.DELETE("/api/{user_id}/tasks/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
console.log("create, list, patch and delete went well");
