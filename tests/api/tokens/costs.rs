//! What verifying costs: a measurement, which `cargo xtask bench` runs in the component.

use serde_json::json;

use super::{STAGE, claims};

/// Prints what verifying costs. `cargo test --release --test api -- --ignored --nocapture verifying_costs` for figures of
/// the native target; the component is always built with optimisation.
#[test]
#[ignore = "a measurement"]
fn verifying_costs_this_much() {
    const TIMES: u32 = 300;
    let stage = &*STAGE;
    // Another user's path: refused right after the token, without a call of the database.
    let time = |token: &str| {
        let begun = std::time::Instant::now();
        stage.open.get("/api/somebody-else/tasks", token).expect(403);
        begun.elapsed().as_secs_f64() * 1e6
    };
    let typical = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 10]
    };
    eprintln!("of {TIMES} requests, in microseconds, the tenth percentile: the machine may be busy with other things");
    for signer in [&stage.secret, &stage.es256, &stage.es384, &stage.eddsa, &stage.rs256, &stage.ps256] {
        let tokens: Vec<_> = (0..TIMES).map(|number| signer.token(&claims(json!({"jti": number})))).collect();
        let first = typical(tokens.iter().map(|token| time(token)).collect());
        let again = typical((0..TIMES).map(|_| time(&tokens[0])).collect());
        eprintln!("{}: first {first:.0}, again {again:.0}, verifying {:.0}", signer.alg, first - again);
    }
}
