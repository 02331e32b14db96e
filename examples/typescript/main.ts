// Two clients that change one task, and lose neither change.
import { randomUUID } from "node:crypto";
import { ProblemError, Tasks } from "./tasks.js";

const { ERRAND_URL: url = "http://127.0.0.1:3000", ERRAND_TOKEN: token } = process.env;
if (!token) throw new Error("set ERRAND_TOKEN, such as to the output of `cargo xtask token alice`");

const [phone, laptop] = [new Tasks(url, token), new Tasks(url, token)];
const tag = `trip-${randomUUID().slice(0, 8)}`;
const key = randomUUID();

const train = await phone.create({ title: "Book the train", priority: "high", tags: [tag] }, key);
const repeated = await phone.create({ title: "Book the train", priority: "high", tags: [tag] }, key);
console.log(`created ${train.id}; the repetition gave ${repeated.id === train.id ? "the same task" : "another task"}`);
for (const title of ["Pack", "Water the plants"]) {
  await phone.create({ title, tags: [tag], due: { date: "2026-12-01" } }, randomUUID());
}

// Both have read the same state, and write one after the other: the second write would undo the first.
await laptop.change(train, () => ({ description: "Window seat" }));
const changed = await phone.change(train, ({ description }) => ({
  description: [description, "Quiet carriage"].filter(Boolean).join("; "),
}));
console.log(`version ${changed.version}: ${changed.description}`);

for await (const task of laptop.list(tag, 2)) {
  console.log(`listed ${task.title}`);
  await laptop.delete(task.id);
}

try {
  await phone.get(train.id);
} catch (error) {
  if (!(error instanceof ProblemError)) throw error;
  console.log(`deleted: ${error.problem.code}`);
}
