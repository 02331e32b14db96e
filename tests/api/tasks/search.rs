//! The parameter `q` and the filter by tag, in small accounts, where a page is a walk, and in larger ones, where it is read from the
//! candidates of an index.

use errand::domain::Task;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::{User, target};

/// More writes than an account has whose searches are walks (`errand.smallest_search`), and enough for a batch in the index
/// (`errand.index_words`).
const MANY: usize = 130;

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn found(user: &User, q: &str) -> Vec<String> {
    user.titles(&format!("?q={}", encoded(q)))
}

/// A user with these titles, and one with many other tasks, too.
fn small_and_large(name: &str, titles: &[&str]) -> [User; 2] {
    let users = [User::new(name), User::new(&format!("{name}-large"))];
    for _ in 0..MANY {
        users[1].create(json!({"title": "-"}));
    }
    for user in &users {
        for title in titles {
            user.create(json!({ "title": title }));
        }
    }
    users
}

#[track_caller]
fn all_find(name: &str, cases: &[(&str, &[&str], &[&str])]) {
    let mut titles: Vec<_> = cases.iter().flat_map(|(_, found, others)| [*found, *others].concat()).collect();
    titles.sort_unstable();
    titles.dedup();
    for user in small_and_large(name, &titles) {
        for (q, expected, others) in cases {
            let titles = found(&user, q);
            for title in *expected {
                assert!(titles.iter().any(|found| found == title), "{q} finds {title}, not only {titles:?}");
            }
            for title in *others {
                assert!(!titles.iter().any(|found| found == title), "{q} does not find {title}: {titles:?}");
            }
        }
    }
}

#[test]
fn case_and_optional_marks_do_not_matter() {
    all_find(
        "folding",
        &[
            ("ΒΟΡΡΑΣ", &["Βορράς"], &["Νότος"]),
            ("βορράσ", &["Βορράς"], &[]),
            ("STRASSE", &["Straße", "Strasse"], &["Strauß"]),
            ("straße", &["Straße", "Strasse"], &[]),
            ("soeur", &["sœur"], &["sour"]),
            ("sœur", &["sœur", "soeur"], &[]),
            ("meeting", &["𝐦𝐞𝐞𝐭𝐢𝐧𝐠", "𝕄𝔼𝔼𝕋𝕀ℕ𝔾", "meeting"], &[]),
            ("istanbul", &["İstanbul"], &[]),
            ("елка", &["ёлка"], &[]),
            ("שלום", &["שָׁלוֹם"], &[]),
            ("كتاب", &["كِتَاب"], &[]),
            ("احمد", &["أحمد", "إحمد"], &[]),
            ("nghien cuu", &["nghiên cứu"], &[]),
        ],
    );
}

#[test]
fn marks_that_are_letters_matter() {
    all_find(
        "letters",
        &[
            ("バス", &["夜行バスの予約"], &["ハム・スープ"]),
            ("ハス", &["ハスの花"], &["夜行バスの予約"]),
            ("ｶﾞｽ", &["ガス代"], &["カス"]),
            ("दी", &["दीवार"], &["हिन्दी"]),
            ("हिन्", &["हिन्दी"], &[]),
        ],
    );
}

#[test]
fn ignorable_characters_and_apostrophes_do_not_divide_a_search() {
    all_find(
        "ignorable",
        &[
            ("cooperate", &["co\u{ad}operate"], &[]),
            ("میخواهم", &["می\u{200c}خواهم"], &[]),
            ("don't", &["don't", "don’t", "donʼt"], &[]),
            ("donʼt", &["don't", "don’t", "donʼt"], &[]),
            ("homme", &["l’homme"], &[]),
        ],
    );
}

#[test]
fn words_inside_of_scripts_without_spaces_are_found() {
    all_find(
        "unspaced",
        &[
            ("電車", &["明日の朝電車の切符を買う"], &["電気と車", "車電"]),
            ("切符", &["明日の朝電車の切符を買う"], &[]),
            ("朝電車の", &["明日の朝電車の切符を買う"], &["朝の電車"]),
            ("买车票", &["明天买车票去北京"], &["买票车"]),
            ("รถไฟ", &["ซื้อตั๋วรถไฟพรุ่งนี้"], &["รถและไฟ"]),
            ("ລົດໄຟ", &["ຊື້ປີ້ລົດໄຟ"], &[]),
            ("រថភ្លើង", &["ទិញសំបុត្ររថភ្លើង"], &[]),
            ("ရထား", &["မနက်ဖြန်ရထားလက်မှတ်"], &[]),
            ("2020", &["東京2020大会"], &[]),
            ("大会", &["東京2020大会"], &[]),
        ],
    );
}

#[test]
fn symbols_are_found() {
    let others: &[&str] = &["C", "C-", "party", "5 $"];
    all_find(
        "symbols",
        &[
            ("🎉", &["🎉 party!", "Geburtstag🎉"], others),
            ("€", &["pay 5€", "€ 7"], others),
            ("C#", &["learn C#"], &[others, &["learn C++", "C major #1"]].concat()),
            ("C++", &["learn C++"], &[others, &["learn C#", "C + +"]].concat()),
            ("c", &["learn C#", "learn C++", "C"], &["🎉 party!"]),
            ("R&D", &["R&D budget"], &["R budget D"]),
            ("50%", &["50% off"], &["50 off"]),
        ],
    );
}

#[test]
fn there_must_be_something_to_search_for() {
    let user = User::new("nothing");
    user.create(json!({"title": "t"}));
    for q in ["", " ", "...", "-", "'", "\u{200b}", "*", "。", "\u{301}"] {
        let problem = user.get(&format!("/tasks?q={}", encoded(q))).expect(400);
        assert_eq!(problem.json()["errors"][0]["parameter"], "q", "{q:?}");
    }
}

#[test]
fn a_long_word_is_compared_to_its_end() {
    let word = "x".repeat(150);
    let tails = [format!("{word}a"), format!("{word}b")];
    for user in small_and_large("long", &tails.each_ref().map(String::as_str)) {
        assert_eq!(found(&user, &tails[0]), [tails[0].clone()]);
        assert_eq!(found(&user, &word), [tails[1].clone(), tails[0].clone()]);
        assert_eq!(found(&user, &format!("{word}c")), [""; 0]);
        // A word of a description beyond those in the index.
        let words: Vec<_> = (0..100).map(|n| format!("filler{n}")).collect();
        user.create(json!({"title": "deep", "description": format!("{} {word}d", words.join(" "))}));
        assert_eq!(found(&user, &format!("{word}d")), ["deep"]);
        assert_eq!(found(&user, "filler99 filler3"), ["deep"]);
        assert_eq!(found(&user, "filler99 filler101"), [""; 0]);
    }
}

#[test]
fn each_field_is_found_by_what_it_is_now() {
    for user in small_and_large("fields", &[]) {
        let task = user.create(json!({"title": "uno", "description": "dos", "tags": ["tres"]}));
        let path = format!("/tasks/{}", task.id);
        let finds = |q: &str| user.titles(&format!("?q={q}")).len();
        assert_eq!(["uno", "dos", "tres", "uno+dos+tres"].map(finds), [1; 4]);
        for (patch, gone, come) in [
            (json!({"title": "eins"}), "uno", "eins+dos+tres"),
            (json!({"description": "zwei"}), "dos", "eins+zwei+tres"),
            (json!({"tags": ["drei", "vier"]}), "tres", "eins+zwei+drei+vier"),
            (json!({"description": null}), "zwei", "eins+vier"),
            (json!({"tags": null, "priority": "high"}), "drei", "eins"),
        ] {
            user.patch(&path, patch.clone()).expect(200);
            assert_eq!((finds(gone), finds(come)), (0, 1), "{patch}");
        }
        user.patch(&format!("{path}/complete"), json!({"completed": true})).expect(200);
        assert_eq!(finds("eins"), 1);
        user.put(&path, json!({"title": "sechs", "completed": false})).expect(200);
        assert_eq!((finds("eins"), finds("sechs")), (0, 1));
        user.delete(&path).expect(204);
        assert_eq!(finds("sechs"), 0);
    }
}

#[test]
fn a_tag_with_a_comma_can_be_asked_for() {
    for user in small_and_large("commas", &[]) {
        let titled = |title: &str, tags: Value| user.create(json!({"title": title, "tags": tags}));
        titled("one", json!(["a,b"]));
        titled("two", json!(["a", "b"]));
        titled("three", json!(["a,b", "c"]));
        for (query, expected) in [
            ("tag=a%2Cb", vec!["three", "one"]),
            ("tag=a%2cb", vec!["three", "one"]),
            ("tag=a,b", vec!["two"]),
            ("tag=a&tag=b", vec!["two"]),
            ("tag=a%2Cb,c", vec!["three"]),
            ("tag=c&tag=a%2Cb", vec!["three"]),
            ("tag=a%2Cb%2Cc", vec![]),
        ] {
            assert_eq!(user.titles(&format!("?{query}")), expected, "{query}");
        }
        // The query of the next page is that of this one.
        let first = user.get("/tasks?tag=a%2Cb&limit=1").list();
        assert_eq!(user.titles(&format!("?tag=a%2Cb&limit=1&cursor={}", first.next_cursor.unwrap())), ["one"]);
    }
}

#[test]
fn a_tag_is_compared_as_it_is() {
    for user in small_and_large("tags", &["work", "Work"]) {
        for tags in [vec!["work"], vec!["Work"], vec!["workshop"], vec!["work item"], vec!["!!"], vec!["電車"]] {
            user.create(json!({"title": tags[0], "tags": tags}));
        }
        for tag in ["work", "Work", "workshop", "work item", "!!", "電車"] {
            assert_eq!(user.titles(&format!("?tag={}", encoded(tag))), [tag]);
        }
        assert_eq!(user.titles("?tag=item"), [""; 0]);
        assert_eq!(user.titles("?tag=work&q=work"), ["work"]);
    }
}

/// A search in each order and with each other filter gives what a walk gives.
#[test]
fn candidates_are_in_the_order_of_the_list() {
    let user = User::new("candidates");
    let priorities = ["none", "low", "high"];
    for number in 0..130 {
        let due = match number % 5 {
            0 => Value::Null,
            1 => json!({"date": "2026-12-01", "time": "10:00", "time_zone": "Asia/Tokyo"}),
            _ => json!({"date": format!("2026-12-{:02}", 1 + number % 28)}),
        };
        user.create(json!({
            "title": format!("{} {}", if number % 10 == 0 { "rarely" } else { "often" }, number * 7 % 31),
            "due": due, "priority": priorities[number % 3], "completed": number % 4 == 0, "tags": ["all"],
        }));
    }
    let pages = |query: &str| {
        let mut tasks: Vec<Task> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = user.get(&format!("/tasks?{query}&limit=4{cursor}")).expect(200).list();
            tasks.extend(page.tasks);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return tasks,
            }
        }
    };
    for sort in super::list_tasks::ORDERS {
        for filter in ["", "&completed=false", "&priority=low,high", "&due_after=2026-12-05", "&overdue=false"] {
            let all = pages(&format!("sort={sort}{filter}"));
            let expected: Vec<_> = all.iter().filter(|task| task.title.starts_with("rarely")).collect();
            for search in ["q=rarely", "q=rarely&tag=all"] {
                let query = format!("sort={sort}{filter}&{search}");
                assert_eq!(pages(&query).iter().collect::<Vec<_>>(), expected, "{query}");
                let total = user.get(&format!("/tasks?{query}&count=exact&limit=1")).list().total;
                assert_eq!(total, Some(expected.len() as i64), "{query}");
            }
        }
    }
}

/// Only words are indexed, and many writes in a row may have none.
#[test]
fn writes_without_words_leave_the_index_as_it_is() {
    let user = User::new("no-words");
    let task = user.create(json!({"title": "rare"}));
    for n in 0..2 * MANY {
        user.patch(&format!("/tasks/{}/complete", task.id), json!({"completed": n % 2 == 0})).expect(200);
    }
    let index =
        format!("select array_agg(term || cardinality(ids)) from errand.task_term where user_id = '{}'", user.id);
    assert_eq!(target().admin_query(&index), ["{rare1}"]);
    assert_eq!(found(&user, "rare"), ["rare"]);
}

/// Another user may wait behind a batch of the index, so its cost is bounded.
#[test]
fn a_batch_of_long_texts_ends_early_and_later_writes_continue() {
    let user = User::new("long-texts");
    let words = |letter: char, count: usize| (0..count).map(|n| format!("{letter}{n}")).collect::<Vec<_>>().join(" ");
    for n in 0..MANY {
        user.create(json!({"title": words('t', 60), "description": format!("rare{n} {}", words('d', 100))}));
    }
    let batches = || {
        target().admin_query(&format!(
            "select sum(cardinality(ids)) from errand.task_term where user_id = '{}' group by batch order by batch",
            user.id
        ))
    };
    let behind =
        || target().admin_query(&format!("select index_behind from errand.account where user_id = '{}'", user.id));
    let finds_all = || {
        for n in [0, 40, 80, MANY - 1] {
            assert_eq!(found(&user, &format!("rare{n} d50 d99")).len(), 1, "{n}");
        }
        assert!(found(&user, "rare d100").is_empty());
    };
    assert_eq!((batches().len(), behind().concat().as_str()), (1, "t"));
    finds_all();
    // A task has 60 pieces of its title, 64 of its description, and the mark of a long text.
    let mut written = MANY;
    while behind() == ["t"] {
        user.create(json!({"title": "-"}));
        written += 1;
        assert!(written <= 256, "{:?}", batches());
    }
    assert_eq!(written, 176);
    let pieces: Vec<usize> = batches().iter().map(|batch| batch.parse().unwrap()).collect();
    assert!(pieces.iter().all(|pieces| *pieces < 4096 + 193), "{pieces:?}");
    assert!(pieces.iter().sum::<usize>() >= MANY * 125, "{pieces:?}");
    finds_all();
}

/// The index has the terms of all users. A search of one user never finds the tasks of another.
#[test]
fn a_search_is_of_the_own_tasks() {
    let [alice, bob] = ["search-alice", "search-bob"].map(|name| {
        let user = User::new(name);
        for number in 0..MANY {
            user.create(json!({"title": format!("{name} shared {number}"), "tags": ["tag"]}));
        }
        user
    });
    for (user, other) in [(&alice, "bob"), (&bob, "alice")] {
        let titles = user.titles("?q=shared&limit=500");
        assert!(titles.len() == MANY && !titles.concat().contains(other), "{titles:?}");
        assert_eq!(user.titles("?tag=tag&limit=500").len(), MANY);
        assert_eq!(user.titles(&format!("?q={other}")), [""; 0]);
    }
    let session = target().app_session();
    let terms = |announced: &str| {
        session.rows(&format!(
            "begin;
             select set_config('errand.user_id', '{announced}', true);
             select count(distinct user_id) || ' ' || min(user_id) from errand.task_term;
             commit"
        ))
    };
    for user in [&alice, &bob] {
        assert_eq!(terms(&user.id).last().unwrap(), &format!("1 {}", user.id));
    }
}
