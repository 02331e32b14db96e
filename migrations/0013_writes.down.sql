drop type api.interface_3;

-- The functions of before answer a replay with the text that they kept, and know nothing of keys without one: such a request would be done
-- again. The functions of now go on until the next `migrate` replaces them, so `task` and `version` stay nullable.
alter table errand.idempotency no force row level security;
delete from errand.idempotency where task is null;
alter table errand.idempotency force row level security;

-- The functions of before rely on the constraints.
alter table errand.account
    add constraint account_user_id_length check (char_length(user_id) between 1 and 255);
alter table errand.task
    add constraint task_title_length check (char_length(title) between 1 and 255),
    add constraint task_description_length check (char_length(description) <= 10000),
    add constraint task_priority_range check (priority between 0 and 3),
    add constraint task_tags_count check (cardinality(tags) <= 20),
    add constraint task_due_parts check (
        case
            when due_date is null then due_time is null and due_zone is null
            else (due_time is null) = (due_zone is null)
        end
    ),
    add constraint task_completed_at check (completed = (completed_at is not null));

alter policy own on errand.account
    with check (user_id = (select nullif(current_setting('errand.user_id', true), '')));
