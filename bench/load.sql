-- Fills the bench's database: users $1 to $2, each with $3 tasks. Everything follows from the numbers of the user and of
-- the task, so that every run has the same data and pgbench can name a task without asking for it.
--
-- The trigger errand.derive_task derives the other columns, as it does for every write.
with number as (
    select u, n, ((n::bigint * 7919 + u::bigint * 104729) % 1000003)::int as h
    from generate_series($1::int, $2::int) as u, generate_series(1, $3::int) as n
),
account as (
    insert into errand.account (user_id, seq, last_at)
    select format('user-%s', u), $3, '2026-11-01T00:00:00Z'
    from generate_series($1::int, $2::int) as u
)
insert into errand.task (
    user_id, id, seq, created_at, updated_at, completed_at, due_date, completed, priority, due_time, due_zone, tags, title,
    description)
select
    format('user-%s', u),
    -- Ordered by time, as UUIDs of version 7 are: 0193, eight digits of the task, version and variant, and the user.
    format('0193%s70008000%s', 10000000 + n, 100000000000 + u)::uuid,
    n,
    timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond',
    timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond',
    case when h % 5 < 2 then timestamptz '2026-01-01T00:00:00Z' + n * interval '20 seconds' + h * interval '1 microsecond' end,
    case when h % 2 = 0 then date '2026-06-01' + (h % 365)::int end,
    h % 5 < 2,
    h % 4,
    case when h % 4 = 0 then (array['09:30', '14:00', '18:45'])[1 + h % 3] end,
    case when h % 4 = 0 then (array['Europe/Vilnius', 'America/New_York'])[1 + h % 2] end,
    (array['travel', 'home', 'work', 'family', 'garden', 'money', 'health', 'school'])[1 + h % 5 : h % 5 + h % 4],
    format('%s the %s %s %s',
        (array['Book', 'Call about', 'Plan', 'Repair', 'Pay for', 'Cancel', 'Order', 'Review'])[1 + h % 8],
        (array['train', 'kitchen', 'invoice', 'holiday', 'bicycle', 'dentist', 'garage', 'passport', 'newsletter', 'library',
            'window', 'contract', 'birthday', 'harvest', 'piano', 'mortgage', 'umbrella', 'telescope', 'quilt', 'jacket',
            'orchard', 'violin', 'yoghurt', 'xylophone'])[1 + (h / 7) % 24],
        (array['before', 'after', 'with', 'without'])[1 + (h / 3) % 4],
        (array['Monday', 'Anna', 'lunch', 'the move', 'winter'])[1 + (h / 11) % 5]),
    case when h % 2 = 1 then format(
        'Remember the details from message %s, compare two offers, and write the result down for the others to see.', h) end
from number
