-- Text as searches and sorts see it.

-- Without case and without accents. What is ASCII has neither accents nor other forms.
create or replace function errand.fold(p_text text) returns text
language plpgsql immutable as $$
begin
    if octet_length(p_text) = char_length(p_text) then
        return lower(p_text);
    end if;
    return translate(
        regexp_replace(normalize(lower(p_text), nfkd), '[\u0300-\u036f]', '', 'g'), 'øłđðħıŧßæœþ', 'olddhitsaot');
end
$$;

-- The words of a text in their order, folded, each cut to 64 characters: a lexeme may have 2 kB.
--
-- A row of marks costs the square of its length to normalize. So the text is split where no word goes on (at ASCII's and the
-- most common other punctuation and spaces), and cut, before it is folded; folding may make several words of one piece.
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
    -- Few texts have a word to cut. The other texts need no query.
    if folded !~ '[[:alnum:]]{65}' then
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
    errand.words
    to errand_app;
