//! What a search reads: rows and pages, in accounts of different sizes. Times decide nothing here.

use crate::support::{Session, User, target};

/// Three tasks of an account have the word `needle` and the tag `rare`. Each is `even` or `odd`, and all are `frequent`.
const FOUND: u32 = 3;

/// The pages that a page of a list needs itself: the account, catalogs, the way to each task, and the index of terms.
const PAGES: u64 = 150;

/// Fills an account as `tasks` writes would, without the trigger: texts and the index of their terms.
fn fill(user: &User, tasks: u32) {
    target().admin_query(&format!(
        "begin;
         set local session_replication_role = replica;
         insert into errand.account (user_id, seq, last_at, number, folded, indexed_at)
         values ('{id}', {tasks}, now(), nextval('errand.account_number'), true, now());
         create temp table filled on commit drop as
         select n, gen_random_uuid() as id, timestamptz '2026-01-01 00:00+00' + n * interval '1 second' as at,
             array['frequent', case when n % 2 = 0 then 'even' else 'odd' end, 'number' || n]
                 || case when n <= {FOUND} then array['needle', E'rare\\u0002'] end as terms
         from generate_series(1, {tasks}) as n;
         insert into errand.task (
             user_id, id, seq, created_at, updated_at, words_at, completed, priority, due_key, tags, title, title_key, title_text,
             tags_text, description_text, json)
         select '{id}', id, n, at, at, at, false, 0, 'infinity', case when n <= {FOUND} then '{{rare}}'::text[] else '{{}}' end,
             n, n, E'\\u0001' || array_to_string(terms[:4], E' \\u0001') || ' ',
             case when n <= {FOUND} then E'\\u0001rare ' else '' end, '', '{{\"title\":\"' || n || '\"}}'
         from filled;
         insert into errand.task_term (user_id, term, batch, ids)
         select '{id}', term, n / 128, array_agg(id) from filled, unnest(terms) as term group by term, n / 128;
         commit;
         analyze errand.task; analyze errand.task_term",
        id = user.id
    ));
}

/// What a list read.
#[derive(Debug)]
struct Cost {
    found: u32,
    has_next: bool,
    /// Rows of `errand.task` that an index led to.
    rows: u64,
    /// Pages of all tables and indexes, with repetitions.
    pages: u64,
}

/// Reads a first page of 50 tasks as the component does.
fn cost(session: &Session, user: &User, filter: &str, search: &str) -> Cost {
    let list = format!(
        "api.read_tasks('{}', '{{\"order\": \"created_at_desc\", \"limit\": 50, \"filter\": {filter}, \"search\": {search}}}')",
        user.id
    );
    let answer = format!(
        "select coalesce(cardinality(string_to_array(split_part(tasks, chr(10), 1), ' ')), 0) || ' ' || (last_id is not null) from {list}"
    );
    let rows = "select coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) from pg_stat_xact_user_tables where relname = 'task'";
    // The first call of a session plans its queries.
    session.rows(&answer);
    session.rows("begin");
    // The counts of earlier statements may not have been reported yet.
    let counted = || session.rows(rows).concat().parse::<u64>().unwrap_or_default();
    let before = counted();
    let answer = session.rows(&answer).concat();
    let rows = counted() - before;
    let plan =
        session.rows(&format!("explain (analyze, buffers, timing off, costs off) select * from {list}")).join("\n");
    session.rows("commit");
    let line = plan.lines().find(|line| line.contains("Buffers: shared")).unwrap();
    let pages = line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok()).sum();
    let (found, has_next) = answer.split_once(' ').unwrap();
    Cost { found: found.parse().unwrap(), has_next: has_next == "true", rows, pages }
}

fn search_of(words: &[&str]) -> (String, String) {
    let patterns: Vec<_> = words.iter().map(|word| format!("\"%\\u0001{word}%\"")).collect();
    let terms: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let search = format!("{{\"patterns\": [{}], \"terms\": [{}]}}", patterns.join(", "), terms.join(", "));
    (format!("{{\"q\": \"{}\"}}", words.join(" ")), search)
}

#[test]
fn a_search_reads_what_it_finds_and_not_the_account() {
    // A million takes some minutes and two gigabytes.
    let million = std::env::var_os("ERRAND_TEST_MILLION").is_some();
    let sizes = [10, 1_000, 100_000, 1_000_000];
    for tasks in sizes.into_iter().filter(|tasks| *tasks < 1_000_000 || million) {
        let user = User::new(&format!("costs-{tasks}"));
        fill(&user, tasks);
        let session = target().app_session();
        let cost_of = |words: &[&str]| {
            let (filter, search) = search_of(words);
            cost(&session, &user, &filter, &search)
        };
        let few = |cost: &Cost, found: u32| {
            assert_eq!((cost.found, cost.has_next), (found, false), "{tasks} {cost:?}");
            // A walk of a small account, or the candidates.
            assert!(cost.rows <= 10 && cost.pages <= PAGES, "{tasks} {cost:?}");
        };
        few(&cost_of(&["needle"]), FOUND);
        few(&cost_of(&["needl", "frequent"]), FOUND);
        few(&cost_of(&["frequent", "needle", "odd"]), 2);
        few(&cost_of(&["missing"]), 0);
        few(&cost(&session, &user, r#"{"tags": ["rare"]}"#, r#"{"terms": ["rare\u0002"]}"#), FOUND);
        // The first page of a frequent word.
        let frequent = cost_of(&["frequent"]);
        let page = tasks.min(50);
        assert_eq!((frequent.found, frequent.has_next), (page, tasks > 50), "{tasks} {frequent:?}");
        assert!(frequent.rows <= 60 && frequent.pages <= PAGES + 100, "{tasks} {frequent:?}");
        let odd = cost_of(&["odd"]);
        assert!(odd.found == page.min(tasks / 2) && odd.rows <= 110 && odd.pages <= PAGES + 200, "{tasks} {odd:?}");
        // Two frequent words that never meet: the walk ends, and the next page goes on.
        let disjoint = cost_of(&["even", "odd"]);
        assert_eq!((disjoint.found, disjoint.has_next), (0, tasks > 20_000), "{tasks} {disjoint:?}");
        assert!(disjoint.rows <= u64::from(tasks.min(20_000)) * 2 + 10, "{tasks} {disjoint:?}");
        assert_eq!(user.get("/tasks?q=even+odd").expect(200).list().tasks.len(), 0);
        target().admin_query(&format!(
            "delete from errand.task where user_id = '{id}'; delete from errand.task_term where user_id = '{id}'",
            id = user.id
        ));
    }
}
