// SPDX-License-Identifier: Apache-2.0
//! CUBIC (RFC 9438), with the delay half of HyStart as Linux has it (net/ipv4/tcp_cubic.c, hystart_update).

use super::law::{Ack, SMALLEST_WINDOW, Window};
use crate::sim::clock::{Moment, Span};

const C: f64 = 0.4;
const BETA: f64 = 0.7;
/// How fast Reno would grow if it had lost as little: RFC 9438, section 4.3.
const RENO_ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);
/// HyStart looks at so many round trips of each round, from a window of [`HYSTART_WINDOW`].
const HYSTART_SAMPLES: u32 = 8;
const HYSTART_WINDOW: f64 = 16.0;
const HYSTART_LEAST: Span = Span::ms(4);
const HYSTART_MOST: Span = Span::ms(16);

/// The curve and where on it we are.
#[derive(Clone, Debug, Default)]
pub struct Cubic {
    window_before: f64,
    epoch: Option<Epoch>,
    round_least: Option<Span>,
    round_samples: u32,
}

#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Moment,
    origin: f64,
    k: f64,
    reno: f64,
}

impl Cubic {
    /// Grows the window along the curve.
    pub fn acked(&mut self, window: &mut Window, ack: &Ack) {
        if !ack.may_grow {
            return;
        }
        if window.is_slow_start() {
            window.size += f64::from(ack.delivered);
            self.look_for_delay(window, ack);
            return;
        }
        let epoch = self.epoch.get_or_insert_with(|| {
            let below = (self.window_before - window.size).max(0.0);
            Epoch {
                start: ack.now,
                origin: self.window_before.max(window.size),
                k: (below / C).cbrt(),
                reno: window.size,
            }
        });
        let delivered = f64::from(ack.delivered);
        let t = (ack.now - epoch.start + ack.least).as_secs() - epoch.k;
        let target = (epoch.origin + C * t * t * t).clamp(window.size, 1.5 * window.size);
        epoch.reno += RENO_ALPHA * delivered / window.size;
        window.size += (target - window.size) / window.size * delivered;
        window.size = window.size.max(epoch.reno);
    }

    /// Leaves slow start when the round trips of a round begin to grow.
    fn look_for_delay(&mut self, window: &mut Window, ack: &Ack) {
        if ack.is_round {
            (self.round_least, self.round_samples) = (None, 0);
        }
        let Some(rtt) = ack.rtt else { return };
        if self.round_samples >= HYSTART_SAMPLES {
            return;
        }
        self.round_samples += 1;
        let least = self.round_least.map_or(rtt, |least| least.min(rtt));
        self.round_least = Some(least);
        let allowed = Span(ack.least.0 / 8).clamp(HYSTART_LEAST, HYSTART_MOST);
        if self.round_samples == HYSTART_SAMPLES
            && window.size >= HYSTART_WINDOW
            && least >= ack.least + allowed
        {
            window.threshold = window.size;
        }
    }

    /// Begins a new curve below the window that was too large.
    pub fn lost(&mut self, window: &mut Window) {
        self.epoch = None;
        // Fast convergence: whoever had less than before leaves room for newcomers.
        let is_shrinking = window.size < self.window_before;
        self.window_before = if is_shrinking { window.size * (1.0 + BETA) / 2.0 } else { window.size };
        window.threshold = (window.size * BETA).max(SMALLEST_WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_back_where_it_was_after_k_seconds() {
        let (mut cubic, mut window) = (Cubic::default(), Window { size: 1000.0, threshold: 100.0 });
        cubic.lost(&mut window);
        assert_eq!(window.threshold, 700.0);
        window.size = 700.0;
        // K = cbrt(300 / 0.4) = 9.086 s; a round trip of 100 ms with one acknowledgement per segment.
        let mut reached = None;
        for ms in 0..15_000u64 {
            let ack = Ack {
                now: Moment::START + Span::ms(ms),
                delivered: 8,
                delivered_in_all: ms * 8,
                rtt: Some(Span::ms(100)),
                smooth: Span::ms(100),
                least: Span::ms(100),
                pipe: 800,
                is_round: ms % 100 == 0,
                rate: None,
                may_grow: true,
            };
            cubic.acked(&mut window, &ack);
            if window.size >= 1000.0 && reached.is_none() {
                reached = Some(ms);
            }
        }
        let reached = reached.expect("it gets there");
        assert!((8_500..10_500).contains(&reached), "{reached} ms");
        assert!(window.size > 1020.0, "and goes on beyond: {}", window.size);
    }
}
