-- Text for searching and sorting.

-- Lower case, without accents (errand.fold of a text with other characters than ASCII's).
create or replace function errand.fold_unicode(p_text text) returns text
language plpgsql immutable as $$
begin
    return translate(
        regexp_replace(normalize(lower(p_text), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot');
end
$$;

-- Lower case, without accents. ASCII text has no accents and no other forms. It is an SQL function, because the planner inlines those.
create or replace function errand.fold(p_text text) returns text
language sql immutable as $$
    select case
        when octet_length(p_text) = char_length(p_text) then lower(p_text)
        else errand.fold_unicode(p_text)
    end
$$;

-- The words of a text in their order, folded, each cut to 64 characters, because a lexeme may have at most 2 kB.
--
-- The time to normalize a sequence of combining marks grows with the square of its length. So the text is split and cut before it is
-- folded. It is split at ASCII's and the most common other punctuation and spaces. Folding may make several words of one piece.
create or replace function errand.words(p_text text) returns text[]
language plpgsql immutable as $$
declare
    folded text;
begin
    if octet_length(p_text) = char_length(p_text) then
        folded := lower(p_text);
    else
        folded := (
            select string_agg(errand.fold(left(piece, 256)), ' ')
            from regexp_split_to_table(p_text, '[\u0001-/:-@\[-`{-\u00a0\u2000-\u206f\u3000-\u303f]+') as piece);
    end if;
    -- Only a text with a long word needs the query, which costs more.
    if char_length(folded) < 65 or folded !~ '[[:alnum:]]{65}' then
        return array_remove(regexp_split_to_array(folded, '[^[:alnum:]]+'), '');
    end if;
    return array(
        select left(word, 64)
        from regexp_split_to_table(folded, '[^[:alnum:]]+') as word
        where word <> '');
end
$$;

grant execute on function
    errand.fold,
    errand.fold_unicode,
    errand.words
    to errand_app;
