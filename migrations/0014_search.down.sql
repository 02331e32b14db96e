drop type api.interface_4;

alter type api.task_filter
    drop attribute patterns,
    drop attribute candidates,
    drop attribute due_before_midnight,
    drop attribute due_after_midnight,
    drop attribute today;

-- The functions of before read `words` alone, and sort by other keys. The functions of now go on until the next `migrate` replaces them, and
-- they need the trigger to be out of the way.
drop trigger if exists forget_terms on errand.task;
alter table errand.task disable trigger derive;
alter table errand.task no force row level security;
update errand.task as t
set title_key = left(errand.fold(t.title), 128),
    words = array_to_tsvector(errand.words(concat_ws(' ', t.title, t.description, array_to_string(t.tags, ' '))));
update errand.task as t set due_key = t.due_at where t.due_at <> t.due_key;
alter table errand.task force row level security;
alter table errand.task enable trigger derive;
drop table errand.task_search;
alter table errand.task
    drop column title_text,
    drop column tags_text,
    drop column description_text,
    alter column words set not null;
alter table errand.account drop column folded;
