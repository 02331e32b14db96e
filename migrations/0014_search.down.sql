drop type api.interface_4;

-- The functions of before search in `words`, sort by other keys and know of no folded texts. The functions of now go on until the next
-- `migrate` replaces them. All that they need stays, and to them no task is folded.
alter table errand.task disable trigger user;
alter table errand.task no force row level security;
update errand.task as t
set title_key = left(errand.fold(t.title), 128),
    due_key = coalesce(t.due_at, t.due_key),
    words = array_to_tsvector(errand.words(concat_ws(' ', t.title, t.description, array_to_string(t.tags, ' ')))),
    title_text = null,
    tags_text = null,
    description_text = null,
    words_at = null;
alter table errand.task force row level security;
alter table errand.task enable trigger user;
truncate errand.task_term;
alter table errand.account no force row level security;
update errand.account set folded = false, indexed_at = '-infinity' where folded;
alter table errand.account force row level security;
