//! Opens /docs as a person would: reads the page, authorizes with a token, lists the tasks, and follows a problem to its
//! explanation. Then two users share the browser and its cache. `cargo xtask test --browser` runs it.

mod profile;

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use headless_chrome::protocol::cdp::Page::CaptureScreenshotFormatOption::Png;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::{Browser, LaunchOptions, Tab};

const OPERATION: &str = "#operations-tasks-list_tasks";

fn main() -> Result<()> {
    let variable = |name| env::var(name).with_context(|| format!("{name} is not set: cargo xtask test --browser"));
    let (url, chromium) = (variable("ERRAND_URL")?, variable("ERRAND_CHROMIUM")?);
    let (token, other_token) = (variable("ERRAND_TOKEN")?, variable("ERRAND_OTHER_TOKEN")?);
    let quiet = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    let options = LaunchOptions::default_builder()
        .path(Some(program(&chromium)?))
        // Chromium's sandbox does not start in most containers, and here it sees errand's own pages alone.
        .sandbox(false)
        .window_size(Some((1280, 1600)))
        .idle_browser_timeout(Duration::from_secs(120))
        .args(quiet.map(OsStr::new).to_vec())
        .build()?;
    let browser = Browser::new(options)?;
    let tab = browser.new_tab()?;
    tab.set_default_timeout(Duration::from_secs(30));
    let complaints = listen(&tab)?;

    tab.navigate_to(&format!("{url}/docs"))?;
    tab.wait_for_element(OPERATION)?;
    ensure!(tab.get_title()? == "errand API", "the title is {}", tab.get_title()?);

    tab.wait_for_element("button.authorize")?.click()?;
    tab.wait_for_element(".auth-container input")?.click()?;
    tab.type_str(&token)?;
    tab.wait_for_element(".auth-btn-wrapper button[type=submit]")?.click()?;
    tab.wait_for_element(".auth-btn-wrapper button.btn-done")?.click()?;

    tab.wait_for_element(&format!("{OPERATION} .opblock-summary-control"))?.click()?;
    tab.wait_for_element(&format!("{OPERATION} button.execute"))?.click()?;
    let status =
        tab.wait_for_element(&format!("{OPERATION} .live-responses-table tr.response .response-col_status"))?;
    let told = status.get_inner_text()?;
    picture(&tab, "docs-list-tasks.png")?;
    ensure!(told.contains("200"), "listing tasks gave {told}");
    let body =
        tab.wait_for_element(&format!("{OPERATION} .live-responses-table tr.response .response-col_description"))?;
    ensure!(body.get_inner_text()?.contains("next_cursor"), "the answer is no list");

    tab.navigate_to(&format!("{url}/docs/problems#forbidden"))?;
    let section = tab.wait_for_element("section#forbidden")?;
    ensure!(section.get_inner_text()?.contains("403"), "the problem is not explained");
    picture(&tab, "docs-problems.png")?;

    profile::two_users_see_their_own(&tab, &token, &other_token)?;

    let complaints = complaints.lock().map_err(|_| anyhow::anyhow!("the listener failed"))?;
    ensure!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    println!("/docs: authorized, and listed the tasks with 200; two users of one profile saw their own tasks");
    Ok(())
}

/// What the console shows in red: a refused script, style or request among it.
fn listen(tab: &Arc<Tab>) -> Result<Arc<Mutex<Vec<String>>>> {
    let complaints = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&complaints);
    tab.enable_log()?;
    tab.add_event_listener(Arc::new(move |event: &Event| {
        if let Event::LogEntryAdded(entry) = event {
            let entry = &entry.params.entry;
            if let Ok(mut seen) = seen.lock() {
                seen.push(format!("{:?}: {}", entry.level, entry.text));
            }
        }
    }))?;
    Ok(complaints)
}

/// Saves a screenshot, for a person to look at.
fn picture(tab: &Tab, name: &str) -> Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("browser");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), tab.capture_screenshot(Png, None, None, true)?)?;
    Ok(())
}

/// The program on PATH.
fn program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|program| program.is_file()).with_context(|| format!("there is no {name} on PATH"))
}
