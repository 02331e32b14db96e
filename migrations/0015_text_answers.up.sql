-- The interface of the components that call functions with an answer of one text (migration 0011).
create type api.interface_5 as enum ('served');

-- Whether a batch of the index of terms has left words for the next writes (errand.index_words).
alter table errand.account add column if not exists index_behind boolean not null default false;
