//! Tasks, by operation. What holds for every route alike is beside this folder (`tests/README.md`).

mod boundaries;
mod create_task;
mod due;
mod list_tasks;
mod update;
