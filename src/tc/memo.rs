// SPDX-License-Identifier: Apache-2.0
//! Classifiers that have been made before: looking at the system again compiles nothing.
//!
//! Compiling is most of what planning costs, and the daemon plans whenever a device comes or goes. A classifier
//! follows from the rules, the classes and a handful of choices: the first two empty the memo when they change, the
//! choices are the key.

use super::classifier::{Made, TooMuch};
use crate::config::{Class, Config, Diffserv, Rule};
use crate::units::{Prefix, Way};
use alloc::vec::Vec;

/// What a classifier follows from, beside rules and classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which way the packets go.
    pub way: Way,
    /// Bytes of link header.
    pub header: u16,
    /// For CAKE with these tins; `None`: for HTB.
    pub cake: Option<Diffserv>,
    /// By u32 instead of a program.
    pub is_u32: bool,
    /// Whether DSCPs are set.
    pub marks: bool,
    /// Whether they are cleared.
    pub washes: bool,
    /// Whether they are honoured.
    pub trusts: bool,
    /// What did not come over the line.
    pub local: Option<Vec<Prefix>>,
}

/// One that is known.
#[derive(Debug)]
struct Known {
    key: Key,
    made: Result<Made, TooMuch>,
    is_used: bool,
}

/// Those of the last plan.
#[derive(Debug, Default)]
pub struct Memo {
    rules: Vec<Rule>,
    classes: Vec<Class>,
    known: Vec<Known>,
}

impl Memo {
    /// A plan for this configuration begins.
    pub fn begin(&mut self, config: &Config) {
        if self.rules != config.rules || self.classes != config.classes {
            self.known.clear();
            self.rules.clone_from(&config.rules);
            self.classes.clone_from(&config.classes);
        }
        self.known.iter_mut().for_each(|known| known.is_used = false);
    }

    /// The plan is made: what it had no use for is forgotten.
    pub fn end(&mut self) {
        self.known.retain(|known| known.is_used);
    }

    /// The classifier of this key, as it was made before or as `make` makes it.
    ///
    /// # Errors
    /// The same as `make`.
    pub fn get(&mut self, key: Key, make: impl FnOnce() -> Result<Made, TooMuch>) -> Result<Made, TooMuch> {
        if let Some(known) = self.known.iter_mut().find(|known| known.key == key) {
            known.is_used = true;
            return known.made.clone();
        }
        let made = make();
        self.known.push(Known { key, made: made.clone(), is_used: true });
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::random::Random;
    use crate::config::{Engine, Ways, read};
    use crate::tc::Link;
    use crate::tc::plan::{Lacks, World, plan, plan_with};
    use crate::tc::speed::Speeds;
    use crate::units::{DeviceName, Rate};
    use alloc::format;
    use alloc::string::String;

    fn config(random: &mut Random) -> Config {
        let mut text = String::from("config wan 'a'\n option device 'eth7'\n option upload '5mbit'\n");
        text.push_str(
            "config wan 'b'\n option device 'eth8'\n option upload '5mbit'\n option download '9mbit'\n",
        );
        for n in 0..random.below(3) {
            text.push_str(&format!("config rule 'r{n}'\n option class 'high'\n"));
            text.push_str(&format!(" list remote_port '{}'\n", 5000 + random.below(2)));
            if random.below(2) == 0 {
                text.push_str(" option set_dscp '46'\n");
            }
        }
        let mut config = read::load(text.as_bytes()).expect("a right file").0;
        for wan in &mut config.wans {
            let mut ways = || [Ways::None, Ways::Up, Ways::Both][random.below(3) as usize];
            (wan.wash, wan.trust_dscp) = (ways(), ways());
            wan.engine = [Engine::Htb, Engine::Cake][random.below(2) as usize];
            wan.upload = Some(Rate::kbit(100 + random.below(3) as u32));
        }
        config
    }

    #[test]
    fn whatever_was_planned_before_a_plan_is_the_same() {
        let mut random = Random::seeded(1);
        let link = |name, index| Link::ethernet(index, DeviceName::new(name).expect("a short name"));
        let mut memo = Memo::default();
        let mut hits = 0;
        for _ in 0..600 {
            let config = config(&mut random);
            let world = World {
                links: alloc::vec![link("eth7", 7), link("eth8", 8)],
                lacks: Lacks { pedit: random.below(4) == 0, bpf: random.below(4) == 0, ..Lacks::default() },
                ..World::default()
            };
            memo.begin(&config);
            hits += memo.known.len();
            assert_eq!(plan_with(&config, &world, &Speeds::default(), &mut memo), plan(&config, &world));
            assert!(memo.known.len() <= 4, "what is not used is forgotten");
        }
        assert!(hits > 100, "{hits}: the memo is of some use");
    }
}
