// SPDX-License-Identifier: Apache-2.0
//! The object `weir` as callers see it: its methods and what they take. `docs/ubus.md` tells what they answer; who may
//! call which is in the two files of rights that the package installs.

use crate::ubus::{Method, Object, Type};

const fn method(name: &'static str, arguments: &'static [(&'static str, Type)]) -> Method {
    Method { name, arguments }
}

/// What is on the bus.
pub static OBJECT: Object = Object {
    path: "weir",
    methods: &[
        method("status", &[]),
        method("wan", &[("name", Type::Text)]),
        method("classes", &[("wan", Type::Text)]),
        method("rules", &[("wan", Type::Text), ("since", Type::Number), ("limit", Type::Number)]),
        method("hits", &[("wan", Type::Text)]),
        method(
            "history",
            &[("wan", Type::Text), ("span", Type::Text), ("since", Type::Number), ("limit", Type::Number)],
        ),
        method("events", &[("since", Type::Number), ("limit", Type::Number)]),
        method("explain", &[("flow", Type::Text)]),
        method("plan", &[("diff", Type::Flag)]),
        method("check", &[("config", Type::Text)]),
        method("doctor", &[]),
        method("bundle", &[]),
        method("reload", &[]),
        method(
            "set_rate",
            &[("wan", Type::Text), ("direction", Type::Text), ("rate", Type::Text), ("for", Type::Text)],
        ),
        method("hold", &[("wan", Type::Text), ("on", Type::Flag), ("for", Type::Text)]),
        method("log_level", &[("level", Type::Text)]),
    ],
};
