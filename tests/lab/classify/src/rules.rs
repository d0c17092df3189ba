// SPDX-License-Identifier: Apache-2.0
//! Random configuration files: what `weir apply` reads, and what the same file means to the interpreter.

use crate::counters::Engine;
use std::fmt::Write as _;
use weir::classify::random::{self, Random};
use weir::classify::scheme::Scheme;
use weir::config::{self, Config, Rule, Wan, read};
use weir::tc::classifier;
use weir::units::Way;

/// Rules with a DSCP of their own: with the classes' and the wash they must stay below `limits::MARKS` pairs.
const MARKING_RULES: usize = 3;
/// The speed of a line on which nothing waits.
const FAST: &str = "100gbit";
/// CAKE's tins; besteffort has one, which says nothing.
const TINS: [&str; 4] = ["diffserv4", "diffserv3", "diffserv8", "precedence"];

/// A configuration file, and what it says.
pub struct Set {
    /// What it was drawn from.
    pub seed: u64,
    /// The file.
    pub text: String,
    /// The file, read.
    pub config: Config,
    /// The random rules, for packets that are about them.
    pub rules: Vec<Rule>,
}

/// Draws a configuration for `engine`; `None` where its rules are more than weir takes.
pub fn draw(seed: u64, engine: Engine) -> Option<Set> {
    let mut random = Random::seeded(seed);
    let mut marking = 0;
    let mut rules: Vec<Rule> = Vec::new();
    for mut rule in random::rules(&mut random) {
        rule.matches.truncate(1);
        marking += usize::from(rule.set_dscp.is_some());
        if marking > MARKING_RULES {
            rule.set_dscp = None;
        }
        // Some rules no file can express, such as ports of a protocol without ports.
        if random::section(&rule).is_some_and(|section| read::load(with_line(&section).as_bytes()).is_ok()) {
            rules.push(rule);
        }
    }
    let mut text = String::new();
    if random.below(2) == 0 {
        text.push_str("config globals 'globals'\n\toption services '0'\n");
    }
    let word = match engine {
        Engine::Htb | Engine::U32 => "htb",
        Engine::Cake => "cake",
    };
    let mode = TINS[random.below(TINS.len() as u64) as usize];
    for (name, device) in [("a", "eth7"), ("b", "tun7")] {
        let mut ways = || ["none", "up", "down", "both"][random.below(4) as usize];
        let _ = write!(
            text,
            "config wan '{name}'\n\toption device '{device}'\n\toption download '{FAST}'\n\toption upload '{FAST}'\n\
             \toption engine '{word}'\n\toption nat '0'\n\toption trust_dscp '{}'\n\toption wash '{}'\n\
             \toption cake_diffserv '{mode}'\n",
            ways(),
            ways(),
        );
    }
    let class = ["critical", "high", "low"][random.below(3) as usize];
    match random.below(4) {
        0 => {
            let _ = writeln!(
                text,
                "config class '{class}'\n\toption default '1'\nconfig class 'normal'\n\toption default '0'"
            );
        }
        1 => {
            let (up, down) = (random.below(64), random.below(64));
            let _ = writeln!(
                text,
                "config class '{class}'\n\toption set_dscp_up '{up}'\n\toption set_dscp_down '{down}'"
            );
        }
        _ => {}
    }
    text.extend(rules.iter().filter_map(random::section));
    let (config, _) = weir::door::load(text.as_bytes()).ok()?;
    if rules.is_empty() {
        rules.clone_from(&config.rules);
    }
    Some(Set { seed, text, config, rules })
}

/// A rule's section in a file that is otherwise right.
fn with_line(section: &str) -> String {
    format!("config wan 'a'\n\toption device 'eth7'\n\toption upload '{FAST}'\n\toption nat '0'\n{section}")
}

impl Set {
    /// A set of somebody's own.
    pub fn of(text: &str) -> Option<Self> {
        let (config, _) = weir::door::load(text.as_bytes()).ok()?;
        Some(Self { seed: 0, text: text.to_owned(), rules: config.rules.clone(), config })
    }

    /// The line of this name.
    pub fn wan(&self, name: &str) -> Option<&Wan> {
        self.config.wans.iter().find(|wan| wan.name == name)
    }

    /// What is decided at one place.
    pub fn scheme<'a>(&'a self, wan: &Wan, way: Way, header: u16) -> Scheme<'a> {
        classifier::scheme(&self.config, wan, way, header, None, self.marks(wan, way))
    }

    /// Whether weir's filters rewrite DSCPs. CAKE clears them by itself where nothing sets any.
    fn marks(&self, wan: &Wan, way: Way) -> bool {
        let sets = self.config.rules.iter().any(|rule| rule.set_dscp.is_some())
            || self.config.classes.iter().any(|class| class.set_dscp(way).is_some());
        wan.engine != config::Engine::Cake || sets
    }

    /// Whether CAKE itself clears every DSCP.
    pub fn cake_washes(&self, wan: &Wan, way: Way) -> bool {
        wan.wash.has(way) && !self.marks(wan, way)
    }
}
