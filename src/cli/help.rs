// SPDX-License-Identifier: Apache-2.0
//! `weir help`: for people, as a manual page, and as completion, all from the same tables.

use super::{COMMANDS, Command, HAS_EXTRAS, Options, SWITCHES, Switch, exit_code, print};
use crate::config::options;
use crate::text::{self, joined};
use std::fmt::Write;

/// Prints the help asked for.
pub(crate) fn run(options: &Options) -> u8 {
    let is_for_people = !options.is_man && !options.is_completion;
    if !is_for_people && !HAS_EXTRAS {
        eprintln!(
            "weir: this program is a router's and has neither --man nor --completion; others have both"
        );
        return exit_code::FAILED;
    }
    let text = match options.words.first().map(String::as_str) {
        _ if HAS_EXTRAS && options.is_man => man(),
        _ if HAS_EXTRAS && options.is_completion => completion(),
        None => overview(),
        Some("config") => options::help(),
        Some(word) => match topic(word) {
            Ok(text) => text,
            Err(text) => {
                eprintln!("weir: {text}");
                return exit_code::USAGE;
            }
        },
    };
    print(&if is_for_people { wrapped(&text) } else { text });
    exit_code::OK
}

/// What there is to say of a word: a command, a section of the configuration or an option of one, or several of these.
fn topic(word: &str) -> Result<String, String> {
    let mut out = COMMANDS.iter().find(|command| command.name == word).map(of).unwrap_or_default();
    let more = options::help_on(word);
    if !out.is_empty() && !more.is_empty() {
        out.push('\n');
    }
    out.push_str(&more);
    if !out.is_empty() {
        return Ok(out);
    }
    let commands = COMMANDS.iter().map(|command| command.name);
    let sections = options::SectionType::ALL.into_iter().map(options::SectionType::name);
    let names = options::OPTIONS.iter().map(|row| row.name);
    let hint = options::guess(word, commands.chain(["config"]).chain(sections).chain(names));
    Err(format!("there is no command, section or option '{word}'{hint}"))
}

/// The widest line of help.
const COLUMNS: usize = 80;

/// Breaks lines between words, so that none is wider than a terminal; what follows stands below the text of its row.
pub(super) fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let hang = column(line);
        let (indent, rest) = line.split_at(hang);
        out.push_str(indent.trim_end());
        // Where the next word would stand, and what is between it and the last one.
        let mut at = indent.trim_end().chars().count();
        for (n, word) in rest.split(' ').enumerate() {
            let (size, gap) = (word.chars().count(), if n == 0 { hang - at.min(hang) } else { 1 });
            if n > 0 && at + gap + size > COLUMNS && !word.is_empty() {
                out.truncate(out.trim_end().len());
                let _ = write!(out, "\n{:hang$}{word}", "");
                at = hang + size;
            } else {
                let _ = write!(out, "{:gap$}{word}", "");
                at += gap + size;
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

/// Where the text of a row begins: behind its name, or where the line does.
fn column(line: &str) -> usize {
    /// What begins further right is text that goes on.
    const NAMES: usize = 8;
    let start = line.len() - line.trim_start().len();
    let name = line.split_at(start).1;
    let gap = text::find(name, "  ").filter(|_| (1..NAMES).contains(&start));
    let behind = |gap: usize| start + gap + (name.len() - gap - name.split_at(gap).1.trim_start().len());
    gap.map_or(start, behind)
}

fn flag(switch: &Switch) -> String {
    let mut text = switch.short.map(|short| format!("-{short}, ")).unwrap_or_default();
    let _ = write!(text, "--{}", switch.name);
    if !switch.value.is_empty() {
        let _ = write!(text, " {}", switch.value);
    }
    text
}

fn overview() -> String {
    let mut out =
        String::from("weir keeps an internet line fast and responsive.\n\nusage: weir COMMAND [options]\n\n");
    for command in COMMANDS {
        let _ = writeln!(out, "  {:<11} {}", command.name, command.help);
    }
    out.push_str("\noptions\n");
    for switch in SWITCHES {
        let _ = writeln!(out, "  {:<18} {}", flag(switch), switch.help());
    }
    out.push_str(
        "\n'weir help COMMAND' says more; 'weir help config' lists every option of the configuration, 'weir help wan' those of a section.\n",
    );
    out
}

fn of(command: &Command) -> String {
    let usage = format!("usage: weir {} {}", command.name, command.arguments);
    let mut out = format!("{}\n\n{}\n", usage.trim_end(), command.help);
    if !command.more.is_empty() {
        let _ = write!(out, "\n{}\n", command.more);
    }
    let own = SWITCHES.iter().filter(|switch| switch.of.contains(&command.name));
    for (n, switch) in own.enumerate() {
        let _ = writeln!(out, "{}  {:<18} {}", if n == 0 { "\n" } else { "" }, flag(switch), switch.help);
    }
    out
}

fn man() -> String {
    // A minus is a minus in roff only when escaped, and a word's backslash and quote too.
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    let mut out = String::from(
        ".TH WEIR 8\n.SH NAME\nweir \\- keeps an internet line fast and responsive\n.SH SYNOPSIS\n.B weir\nCOMMAND [options]\n.SH COMMANDS\n",
    );
    for command in COMMANDS {
        let title = format!("{} {}", command.name, roff(command.arguments));
        let _ = writeln!(out, ".TP\n.B {}\n{}.", title.trim_end(), roff(command.help));
        if !command.more.is_empty() {
            let _ = writeln!(out, "{}", roff(command.more));
        }
    }
    out.push_str(".SH OPTIONS\n");
    for switch in SWITCHES {
        let _ = writeln!(out, ".TP\n.B {}\n{}", roff(&flag(switch)), roff(&switch.help()));
    }
    out.push_str(".SH CONFIGURATION\n");
    for section in options::SectionType::ALL {
        let _ = writeln!(out, ".SS config {}\n{}.", section.name(), roff(section.title()));
        for row in options::OPTIONS.iter().filter(|row| row.section == section) {
            let _ =
                writeln!(out, ".TP\n.B {}\n{} ({})", row.name, roff(row.help), roff(&row.kind.to_string()));
        }
    }
    out.push_str(
        ".SH FILES\n.TP\n.I /etc/config/weir\nthe configuration\n.TP\n.I /var/run/weir\nruntime state\n",
    );
    out.push_str(".SH EXIT STATUS\n0 if it did what was asked, 1 if it could not, 64 if the command line makes no sense, 66 if a named file is missing, 78 if the configuration has faults.\n");
    out
}

fn completion() -> String {
    let commands: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let switches: Vec<String> = SWITCHES.iter().map(|switch| format!("--{}", switch.name)).collect();
    format!(
        "_weir() {{\n\tlocal word=\"${{COMP_WORDS[COMP_CWORD]}}\" before=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         \tcase \"$before\" in\n\t--config|-c|check) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n\
         \t--state-dir) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n\tesac\n\
         \tif [[ $word == -* ]]; then COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n\
         \telse COMPREPLY=($(compgen -W '{} config' -- \"$word\")); fi\n}}\ncomplete -F _weir weir\n",
        joined(&switches, " "),
        joined(&commands, " ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_too_wide_goes_on_below_its_text() {
        let words = "word ".repeat(16);
        let row = format!("  name      {}", words.trim_end());
        let wanted = format!("  name      {}\n            word word word\n", "word ".repeat(13).trim_end());
        assert_eq!(wrapped(&row), wanted);
        assert_eq!(wrapped("usage: weir apply \n"), "usage: weir apply\n");
        assert_eq!(wrapped("  a  b  c\n\n"), "  a  b  c\n\n");
    }

    #[test]
    fn sections_and_options_are_explained_as_commands_are() {
        let wan = topic("wan").expect("a section, and an option of two others");
        assert!(wan.contains("\nconfig wan  (one internet line") && wan.contains("\n  download "), "{wan}");
        assert!(wan.contains("\nconfig threshold\n  wan ") && !wan.contains("log_level"), "{wan}");
        let metric = topic("metric").expect("an option");
        assert!(
            metric.starts_with("config threshold\n  metric ") && metric.contains("latency, loss"),
            "{metric}"
        );
        assert!(topic("link").expect("an option").contains("pppoe-vdsl2"));
        assert_eq!(topic("pppoe-vdsl2"), topic("link"));
        let level = topic("threshold.wan").expect("an option of several sections");
        assert!(
            level.starts_with("config threshold\n  wan ") && level.matches("config ").count() == 1,
            "{level}"
        );
        assert!(topic("wan.for").is_err() && topic("wan.").is_err() && topic(".").is_err());
        let services = topic("services").expect("a command and an option");
        assert!(
            services.starts_with("usage: weir services") && services.contains("config globals"),
            "{services}"
        );
        for (word, wanted) in [("treshold", "'threshold'"), ("staus", "'status'"), ("downlaod", "'download'")]
        {
            let told = topic(word).expect_err(word);
            assert!(told.ends_with(&format!("did you mean {wanted}?")), "{told}");
        }
    }

    #[test]
    fn no_help_is_wider_than_a_terminal_or_ends_in_a_blank() {
        let commands = COMMANDS.iter().map(of);
        let rows = options::OPTIONS.iter().map(|row| options::help_on(row.name));
        for text in commands.chain([overview(), options::help()]).chain(rows) {
            for line in wrapped(&text).lines() {
                assert!(line.chars().count() <= COLUMNS && line.trim_end() == line, "{line:?}");
            }
        }
    }
}
