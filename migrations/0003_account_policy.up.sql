-- The subselect is evaluated once per statement, the expression itself once per row: with few accounts PostgreSQL reads
-- the whole table, because it is one page.
alter policy own on errand.account
    using (user_id = (select nullif(current_setting('errand.user_id', true), '')))
    with check (user_id = (select nullif(current_setting('errand.user_id', true), '')));
