// What a program needs of errand: create safely, list all pages, and change without losing anyone's update.
import createClient, { type Client } from "openapi-fetch";
import type { Writable } from "openapi-typescript-helpers";
import type { components, paths } from "./generated/errand.js";

type Schemas = components["schemas"];
export type Task = Schemas["Task"];
// As openapi-fetch takes a body: without members that are read-only.
export type NewTask = Writable<Schemas["NewTask"]>;
export type TaskPatch = Writable<Schemas["TaskPatch"]>;

/** An answer that is a problem document (RFC 9457). */
export class ProblemError extends Error {
  constructor(readonly problem: Schemas["Problem"]) {
    super(`${problem.status} ${problem.code}: ${problem.detail} (request ${problem.request_id})`);
  }
}

/** `me` is the user of the token. */
const mine = { user_id: "me" };

export class Tasks {
  readonly #errand: Client<paths>;

  constructor(baseUrl: string, token: string) {
    this.#errand = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  }

  /** The same key creates one task, however often this is called within a day. */
  async create(task: NewTask, key: string): Promise<Task> {
    const answer = await this.#errand.POST("/api/{user_id}/tasks", {
      params: { path: mine, header: { "Idempotency-Key": key } },
      body: task,
    });
    return taken(answer);
  }

  async get(id: string): Promise<Task> {
    return taken(await this.#errand.GET("/api/{user_id}/tasks/{id}", { params: { path: { ...mine, id } } }));
  }

  /** Every task with this tag, page after page. `next_cursor` alone says whether there is more. */
  async *list(tag: string, limit: number): AsyncGenerator<Task> {
    let cursor: string | null = null;
    do {
      const query = { tag: [tag], limit, ...(cursor === null ? {} : { cursor }) };
      const answer = await this.#errand.GET("/api/{user_id}/tasks", { params: { path: mine, query } });
      const page: Schemas["TaskList"] = taken(answer);
      yield* page.tasks;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * Changes a task by what `edit` makes of it. Where another client was faster, errand answers 412: then the task is read again, and
   * `edit` decides anew.
   */
  async change(task: Task, edit: (task: Task) => TaskPatch, tries = 5): Promise<Task> {
    for (let current = task; ; current = await this.get(task.id)) {
      const answer = await this.#errand.PATCH("/api/{user_id}/tasks/{id}", {
        params: { path: { ...mine, id: task.id }, header: { "If-Match": current.etag } },
        body: edit(current),
      });
      tries -= 1;
      if (answer.response.status !== 412 || tries === 0) return taken(answer);
    }
  }

  async delete(id: string): Promise<void> {
    const { error } = await this.#errand.DELETE("/api/{user_id}/tasks/{id}", { params: { path: { ...mine, id } } });
    if (error) throw new ProblemError(error);
  }
}

function taken<T>({ data, error }: { data?: T; error?: Schemas["Problem"] }): NonNullable<T> {
  if (error) throw new ProblemError(error);
  if (data === undefined || data === null) throw new Error("errand answered without a body");
  return data;
}
