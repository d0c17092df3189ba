// SPDX-License-Identifier: Apache-2.0
//! `weir top`: how everything stands, drawn anew each second. What is drawn where is `watch::top`'s.

use super::document::tell_of_others;
use super::{Options, exit_code, history, print};
use crate::io::desk;
use crate::io::files::StateDir;
use crate::io::sys;
use crate::io::terminal::{Terminal, Wake};
use crate::report::no_line;
use crate::watch::moment::{Line, Moment};
use crate::watch::page::Page;
use crate::watch::top::{Marks, View, Window, compose, notice};
use std::io::{self, IsTerminal};

/// From one page to the next.
const EACH: u16 = 1000;
/// As much of each line as is shown.
const SECONDS: usize = 300;
/// How wide a page is that nobody looks at yet.
const COLUMNS: usize = 80;
/// Why there is nothing to show.
const NOBODY: &str = "no daemon is running here: start 'weir daemon'";

/// Shows the page until it is told to end.
pub(crate) fn run(options: &Options) -> u8 {
    let marks = if options.is_ascii || !is_utf8() { Marks::Ascii } else { Marks::Utf8 };
    let mut asked = Asked::default();
    if options.is_once || !io::stdout().is_terminal() {
        return once(options, marks, &mut asked);
    }
    match live(options, marks, &mut asked) {
        Ok(()) => exit_code::OK,
        Err(error) => {
            eprintln!("weir: {error}");
            exit_code::FAILED
        }
    }
}

/// The page once, as high as it is.
fn once(options: &Options, marks: Marks, asked: &mut Asked) -> u8 {
    let given =
        std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|columns| *columns > 0);
    let columns = sys::window(&io::stdout()).map(|(columns, _)| columns.into()).or(given).unwrap_or(COLUMNS);
    match asked.ask(&options.places.state, options.line.as_deref()) {
        Ok(true) => {
            let lines = &asked.moment.lines;
            if let Some(name) =
                options.line.as_ref().filter(|name| !lines.iter().any(|line| line.name == **name))
            {
                let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
                eprintln!("weir: {}", no_line(name, &names));
                return exit_code::FAILED;
            }
            let rows = compose(&asked.view(options), &Window { columns, rows: None, marks });
            rows.iter().for_each(|row| print(&format!("{row}\n")));
            exit_code::OK
        }
        Ok(false) => {
            tell_of_others(&options.places.state);
            eprintln!("weir: {NOBODY}");
            exit_code::FAILED
        }
        Err(error) => {
            eprintln!("weir: {error}");
            exit_code::FAILED
        }
    }
}

fn live(options: &Options, marks: Marks, asked: &mut Asked) -> io::Result<()> {
    let terminal = Terminal::begin()?;
    loop {
        let answer = asked.ask(&options.places.state, options.line.as_deref());
        // Asked anew each time, as not every terminal tells that it has another size.
        let (columns, rows) = sys::window(&io::stdout()).unwrap_or((80, 24));
        let window = Window { columns: columns.into(), rows: Some(rows.into()), marks };
        terminal.draw(&match answer {
            Ok(true) => compose(&asked.view(options), &window),
            Ok(false) => notice(&format!("{NOBODY}; trying again"), &window),
            Err(error) => notice(&format!("{error}; trying again"), &window),
        })?;
        if terminal.wait(EACH)? == Wake::End {
            return Ok(());
        }
    }
}

/// What the daemon has told.
#[derive(Default)]
struct Asked {
    moment: Moment,
    pages: Vec<Page>,
}

impl Asked {
    /// Asks it how everything stands, and for what is new of each line. Whether it is there.
    fn ask(&mut self, state: &StateDir, line: Option<&str>) -> io::Result<bool> {
        let Some(answer) = desk::ask(state, "top")? else { return Ok(false) };
        self.moment =
            Moment::from_text(&answer).ok_or_else(|| io::Error::other("the daemon is of another version"))?;
        let mut pages = Vec::new();
        for Line { name, .. } in
            self.moment.lines.iter().filter(|one| line.is_none_or(|name| name == one.name))
        {
            let known =
                self.pages.iter().position(|page| page.wan == *name).map(|at| self.pages.swap_remove(at));
            let since = known.as_ref().map_or(0, |page| page.next);
            // Nothing is kept of a line that was never shaped.
            let Ok(Some(mut page)) = history::whole(state, name, SECONDS as u64, since) else { continue };
            if let Some(before) = known.filter(|_| page.next == since + page.rows.len() as u64) {
                page.rows.splice(..0, before.rows);
                page.rows.drain(..page.rows.len().saturating_sub(SECONDS));
            }
            pages.push(page);
        }
        self.pages = pages;
        Ok(true)
    }

    fn view<'a>(&'a self, options: &'a Options) -> View<'a> {
        View { moment: &self.moment, pages: &self.pages, line: options.line.as_deref() }
    }
}

/// Whether the terminal is said to show UTF-8: the first of these that is set decides (setlocale(3)).
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = set.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_ascii_lowercase();
    ["utf-8", "utf8"].into_iter().any(|charset| crate::text::find(&locale, charset).is_some())
}
