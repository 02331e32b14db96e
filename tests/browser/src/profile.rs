//! Two users of one browser profile. Their tasks have the same URL, `/api/me/tasks`, and the browser has one cache: it asks again
//! for what it has, with its entity tag, and a 304 would show the first one's copy to the second.

use anyhow::{Context, Result, ensure};
use headless_chrome::Tab;

/// Each user writes as often as the other, under the same id, and both read in turn. The owners that each was shown, by user.
const SCRIPT: &str = r#"
(async (tokens) => {
  const id = "01932000-0000-7000-8000-000000000001";
  const ask = (token, path, options = {}) => fetch(`/api/me/tasks${path}`, {
    ...options,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...options.headers },
  });
  for (const token of tokens) {
    const body = JSON.stringify({ title: "t", completed: false });
    const made = await ask(token, `/${id}`, { method: "PUT", body, headers: { "If-None-Match": "*" } });
    if (made.status !== 201) throw new Error(`${made.status}: ${await made.text()}`);
  }
  const shown = tokens.map(() => []);
  for (const round of [1, 2]) {
    for (const [user, token] of tokens.entries()) {
      const list = await (await ask(token, "")).json();
      const task = await (await ask(token, `/${id}`)).json();
      shown[user].push(...list.tasks.map((task) => task.owner_id), task.owner_id);
    }
  }
  return shown.map((owners) => owners.join(" ")).join(", ");
})"#;

/// Called on a page of the component, which may call the API.
pub(crate) fn two_users_see_their_own(tab: &Tab, token: &str, other_token: &str) -> Result<()> {
    let answer = tab.evaluate(&format!("{SCRIPT}(['{token}', '{other_token}'])"), true)?;
    let shown = answer.value.as_ref().and_then(|value| value.as_str());
    let shown = shown.with_context(|| format!("the script failed: {:?}", answer.description))?;
    ensure!(
        shown == "live live live live, other other other other",
        "two users of one profile were shown tasks of: {shown}"
    );
    Ok(())
}
