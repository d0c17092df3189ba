// SPDX-License-Identifier: Apache-2.0
//! Another speed for a direction that stands: what changes in its tree, and the few requests that say so.
//!
//! The same as planning anew and comparing, which a test holds it to, at a hundredth of the cost and without memory:
//! the wanted tree is altered in place and the requests go to a buffer that is used again and again.

use super::diff::{Op, Verb};
use super::plan::Tune;
use super::shape::Shape;
use super::speed::Speed;
use super::{Class, QdiscKind, Tree};
use crate::config;
use crate::units::Handle;
use alloc::vec::Vec;

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub struct Retune {
    /// The requests, in the order the kernel must see them.
    pub ops: Vec<Op>,
    classes: Vec<Class>,
}

impl Retune {
    /// Alters `tree` for `speed` and adds to [`Self::ops`] what the kernel has to be told.
    pub fn add(&mut self, tree: &mut Tree, tune: &Tune, classes: &[config::Class], speed: Speed) {
        let Some(device) = tree.devices.iter_mut().find(|device| device.name == tune.device) else { return };
        let name = device.name;
        let Some(kit) = tune.kit else {
            for qdisc in device.qdiscs.iter_mut().filter(|qdisc| qdisc.parent == Handle::ROOT) {
                let QdiscKind::Cake(cake) = &mut qdisc.kind else { continue };
                let rate = speed.line.whole_bytes();
                if cake.bandwidth != rate {
                    cake.bandwidth = rate;
                    self.ops.push(Op::Qdisc {
                        device: name,
                        verb: Verb::Change,
                        qdisc: qdisc.clone(),
                        options: true,
                    });
                }
            }
            return;
        };
        let shape = Shape { speed, classes, kit };
        self.classes.clear();
        shape.classes_into(&mut self.classes);
        let (wanted, have) = (&self.classes, &mut device.classes);
        for stage in 0..3 {
            for new in wanted {
                let Some(old) = have.iter_mut().find(|old| old.handle == new.handle) else { continue };
                if old != new && stage_of(new, old) == stage {
                    *old = *new;
                    self.ops.push(Op::Class { device: name, verb: Verb::Change, class: *new });
                }
            }
        }
        for leaf in &mut device.qdiscs {
            let Some(class) = wanted.iter().find(|class| class.handle == leaf.parent) else { continue };
            let kind = shape.leaf(class);
            if leaf.kind != kind {
                leaf.kind = kind;
                self.ops.push(Op::Qdisc {
                    device: name,
                    verb: Verb::Change,
                    qdisc: leaf.clone(),
                    options: true,
                });
            }
        }
    }
}

/// Children that shrink, the line, children that grow: at no moment have they more than the line.
fn stage_of(new: &Class, old: &Class) -> u8 {
    match new.parent.minor() {
        0 => 1,
        _ if new.rate > old.rate => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Link;
    use super::super::diff::diff;
    use super::super::memo::Memo;
    use super::super::plan::{World, plan_with};
    use super::super::shape::guaranteed;
    use super::super::speed::Speeds;
    use super::*;
    use crate::config::{Config, Engine};
    use crate::units::{DeviceName, Rate, Way};

    #[test]
    fn it_is_planning_anew_and_comparing() {
        let name = DeviceName::new("eth0").expect("a name");
        let world = World {
            links: alloc::vec![Link::ethernet(1, name)],
            default_route: Some(name),
            ..World::default()
        };
        let mut config = Config::default();
        let (mut buffers, mut memo) = (Retune::default(), Memo::default());
        for engine in [Engine::Htb, Engine::Cake] {
            config.wans[0].engine = engine;
            let mut speeds = Speeds::default();
            for way in Way::ALL {
                speeds.set(0, way, Some(Speed::fixed(Rate::mbit(20))));
            }
            let mut have = plan_with(&config, &world, &speeds, &mut memo);
            for mbit in [19, 25, 3, 1, 90, 300, 8] {
                for way in Way::ALL {
                    let tune = *have.tunes.iter().find(|tune| tune.way == way).expect("shaped");
                    let guaranteed = guaranteed(&config.classes);
                    let speed = speeds.get(0, way).expect("steered").follow(Rate::mbit(mbit), guaranteed);
                    speeds.set(0, way, Some(speed));
                    let want = plan_with(&config, &world, &speeds, &mut memo);
                    let ops = diff(&have.tree, &want.tree);
                    buffers.ops.clear();
                    buffers.add(&mut have.tree, &tune, &config.classes, speed);
                    assert_eq!(have.tree, want.tree, "{engine:?} {way:?} {mbit}");
                    let rest = [ops.links, ops.turn, ops.delete].concat();
                    assert!(rest.is_empty(), "{rest:?}");
                    assert_eq!(buffers.ops, ops.create, "{engine:?} {way:?} {mbit}");
                }
            }
        }
    }
}
