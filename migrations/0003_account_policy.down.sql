alter policy own on errand.account
    using (user_id = nullif(current_setting('errand.user_id', true), ''))
    with check (user_id = nullif(current_setting('errand.user_id', true), ''));
