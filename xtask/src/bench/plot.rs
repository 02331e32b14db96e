//! The plot: for each scenario at 32 connections a bar per peer, scaled to the scenario's best.

use std::fmt::Write;

use super::{
    load::Measured,
    peer::Peer,
    report::Report,
    scenario::{Cell, Scenario},
};

const CONNECTIONS: u32 = 32;
const LEFT: f64 = 190.0;
const BAR: f64 = 13.0;
const GAP: f64 = 14.0;
const WIDTH: f64 = 560.0;

/// An SVG that is readable on light and on dark ground.
pub(crate) fn svg(report: &Report) -> String {
    let peers = report.peers();
    let groups: Vec<Scenario> = Scenario::ALL
        .into_iter()
        .filter(|scenario| report.cells().contains(&Cell { connections: CONNECTIONS, scenario: *scenario }))
        .collect();
    let top = 50.0 + 18.0 * peers.len().div_ceil(3) as f64;
    let group = BAR * peers.len() as f64 + GAP;
    let height = top + group * groups.len() as f64 + 10.0;
    let width = LEFT + WIDTH + 90.0;
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"16\" font-weight=\"bold\">Requests per second, {CONNECTIONS} connections ({})</text>",
        report.date
    );
    for (index, peer) in peers.iter().enumerate() {
        let (x, y) = (10.0 + 240.0 * (index % 3) as f64, 48.0 + 18.0 * (index / 3) as f64);
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{:.0}\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
            y - 11.0,
            colour(*peer),
            x + 18.0,
            peer.title()
        );
    }
    for (index, scenario) in groups.iter().enumerate() {
        let y = top + group * index as f64;
        let cell = Cell { connections: CONNECTIONS, scenario: *scenario };
        let rate = |peer: &Peer| report.entry(cell, *peer).map_or(0.0, Measured::rate);
        let best = peers.iter().map(rate).fold(1.0, f64::max);
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + (group - GAP) / 2.0 + 4.0,
            scenario.title()
        );
        for (row, peer) in peers.iter().enumerate() {
            let (length, y) = (WIDTH * rate(peer) / best, y + BAR * row as f64);
            let _ = writeln!(
                text,
                "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{:.1}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\">{:.0}</text>",
                BAR - 2.0,
                colour(*peer),
                LEFT + length + 4.0,
                y + BAR - 4.0,
                rate(peer)
            );
        }
    }
    text.push_str("</svg>\n");
    text
}

/// Distinct for the colour-blind, too (Okabe and Ito).
fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Host => "#0072b2",
        Peer::HostP2 => "#f0e442",
        Peer::Bare => "#555555",
        Peer::Axum => "#000000",
        Peer::Bun => "#999999",
        Peer::Native => "#56b4e9",
        Peer::Spin => "#009e73",
        Peer::Hono => "#e69f00",
        Peer::Workerd => "#d55e00",
        Peer::Fastapi => "#cc79a7",
    }
}
