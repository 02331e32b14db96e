-- Fills the bench's database: users $1 to $2, each with $3 tasks. Everything follows from the numbers of the user and of
-- the task, so that every run has the same data and pgbench can name a task without asking for it.
--
-- The trigger errand.derive_task derives the other columns, as it does for every write. The texts are ASCII, so they are folded here as the
-- component folds them, which `cargo xtask bench` compares. `words` is for the peers: they search in it.
with number as (
    select u, n, ((n::bigint * 7919 + u::bigint * 104729) % 1000003)::int as h
    from generate_series($1::int, $2::int) as u, generate_series(1, $3::int) as n
),
account as (
    insert into errand.account (user_id, seq, last_at, folded, indexed_at)
    select format('user-%s', u), $3, '2026-11-01T00:00:00Z', true, '2026-11-01T00:00:00Z'
    from generate_series($1::int, $2::int) as u
),
task as (
    select
        format('user-%s', u) as user_id,
        -- Ordered by time, as UUIDs of version 7 are: 0193, eight digits of the task, version and variant, and the user.
        format('0193%s70008000%s', 10000000 + n, 100000000000 + u)::uuid as id,
        n,
        timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond' as created_at,
        timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond' as updated_at,
        case when h % 5 < 2
            then timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond' end as completed_at,
        case when h % 2 = 0 then date '2026-06-01' + (h % 365)::int end as due_date,
        h % 5 < 2 as completed,
        h % 4 as priority,
        case when h % 4 = 0 then (array['09:30', '14:00', '18:45'])[1 + h % 3] end as due_time,
        case when h % 4 = 0 then (array['Europe/Vilnius', 'America/New_York'])[1 + h % 2] end as due_zone,
        (array['travel', 'home', 'work', 'family', 'garden', 'money', 'health', 'school'])[1 + h % 5 : h % 5 + h % 4] as tags,
        format('%s the %s %s %s',
            (array['Book', 'Call about', 'Plan', 'Repair', 'Pay for', 'Cancel', 'Order', 'Review'])[1 + h % 8],
            (array['train', 'kitchen', 'invoice', 'holiday', 'bicycle', 'dentist', 'garage', 'passport', 'newsletter', 'library',
                'window', 'contract', 'birthday', 'harvest', 'piano', 'mortgage', 'umbrella', 'telescope', 'quilt', 'jacket',
                'orchard', 'violin', 'yoghurt', 'xylophone'])[1 + (h / 7) % 24],
            (array['before', 'after', 'with', 'without'])[1 + (h / 3) % 4],
            (array['Monday', 'Anna', 'lunch', 'the move', 'winter'])[1 + (h / 11) % 5]) as title,
        case when h % 2 = 1 then format(
            'Remember the details from message %s, compare two offers, and write the result down for the others to see.', h) end as description
    from number
),
folded as (
    select
        t.*,
        lower(t.title) as title_key,
        E'\u0001' || replace(lower(t.title), ' ', E' \u0001') || ' ' as title_text,
        coalesce(E'\u0001' || array_to_string(nullif(t.tags, '{}'), E' \u0001') || ' ', '') as tags_text,
        coalesce(E'\u0001' || replace(lower(translate(t.description, ',.', '')), ' ', E' \u0001') || ' ', '') as description_text
    from task as t
),
indexed as (
    insert into errand.task_term (user_id, term, batch, ids)
    select f.user_id, left(piece, 33), f.n / 128, array_agg(f.id)
    from folded as f, unnest(errand.task_pieces(f.title_text, f.tags_text, f.description_text)) as piece
    group by f.user_id, left(piece, 33), f.n / 128
)
insert into errand.task (
    user_id, id, seq, created_at, updated_at, completed_at, due_date, completed, priority, due_time, due_zone, tags, title,
    description, title_key, title_text, tags_text, description_text, words)
select f.*, array_to_tsvector(errand.words(concat_ws(' ', f.title, f.description, array_to_string(f.tags, ' '))))
from folded as f
