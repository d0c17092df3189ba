// SPDX-License-Identifier: Apache-2.0
//! Those who answer probes: each with its own distance and its own whims.

use super::clock::{Moment, Span};
use super::random::Random;
use crate::measure::probe::Question;
use crate::measure::stamps::FarClock;
use crate::units::{Micros, Time};

/// What a reflector is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Character {
    /// The round trip behind the line.
    pub distance: Span,
    /// The mean of the exponential noise on it.
    pub noise: Span,
    /// The share of answers that take [`SPIKE`] longer.
    pub spikes: f64,
    /// The share of probes that are never answered.
    pub loss: f64,
    /// It answers at most one probe in this time.
    pub pause: Span,
    /// From then on it answers nothing.
    pub dies: Moment,
    /// From then on it is so much farther away, on the way back.
    pub moves: Option<(Moment, Span)>,
    /// Whether the line lets its probes pass what waits there, both ways.
    pub is_favoured: bool,
    /// Whether it answers ICMP timestamps.
    pub tells_time: bool,
    /// Whether it answers ICMP at all.
    pub answers_icmp: bool,
    /// Whether it answers TCP connections.
    pub answers_tcp: bool,
    /// Whether it answers DNS.
    pub answers_dns: bool,
}

/// How much longer a spike takes, in milliseconds.
pub const SPIKE: (f64, f64) = (15.0, 60.0);

impl Character {
    /// One at this distance as they mostly are: 2 ms of noise, one answer in a hundred late.
    pub const fn at(distance: Span) -> Self {
        Self {
            distance,
            noise: Span::ms(2),
            spikes: 0.01,
            loss: 0.0,
            pause: Span::ZERO,
            dies: Moment::NEVER,
            moves: None,
            is_favoured: false,
            tells_time: true,
            answers_icmp: true,
            answers_tcp: true,
            answers_dns: true,
        }
    }
}

/// A reflector.
pub struct Reflector {
    character: Character,
    random: Random,
    free_at: Moment,
    /// What its clock shows at the beginning of the world, in nanoseconds, and how many millionths faster it goes.
    clock: (u64, f64),
    /// What is known at home of that clock.
    known: FarClock,
}

impl Reflector {
    /// One of this character.
    pub fn new(character: Character, random: Random) -> Self {
        // From a copy: a clock changes nothing else.
        let mut chance = random.clone();
        let clock = (chance.bits() % Span::secs(86_400).0, chance.between(-30.0, 30.0));
        Self { character, random, free_at: Moment::START, clock, known: FarClock::default() }
    }

    /// Whether the line lets its probes pass what waits there.
    pub const fn is_favoured(&self) -> bool {
        self.character.is_favoured
    }

    /// How long a probe sent now takes to it and back again behind the line; `None`: it will not answer.
    ///
    /// Noise is on one of the two ways, by the toss of a coin.
    pub fn travel(&mut self, now: Moment, question: Question) -> Option<(Span, Span)> {
        let character = self.character;
        let answers = match question {
            Question::Timestamp => character.answers_icmp && character.tells_time,
            Question::Echo => character.answers_icmp,
            Question::Tcp => character.answers_tcp,
            Question::Dns => character.answers_dns,
        };
        if !answers {
            return None;
        }
        let Character { distance, noise, spikes, loss, pause, dies, .. } = character;
        let mut extra = self.random.exponential(noise);
        if self.random.happens(spikes) {
            extra += Span::from_secs(self.random.between(SPIKE.0, SPIKE.1) / 1000.0);
        }
        let is_out = self.random.happens(0.5);
        let is_lost = self.random.happens(loss);
        if is_lost || now >= dies || now < self.free_at {
            return None;
        }
        self.free_at = now + pause;
        let half = Span(distance.0 / 2);
        let farther = character.moves.map_or(Span::ZERO, |(at, by)| if now >= at { by } else { Span::ZERO });
        Some(if is_out { (half + extra, half + farther) } else { (half, half + extra + farther) })
    }

    /// What its clock shows, in whole milliseconds of its day.
    pub fn shows(&self, now: Moment) -> u32 {
        let (at_start, drift) = self.clock;
        let gained = (now.0 as f64 * drift / 1e6) as i64;
        (at_start.wrapping_add(now.0).wrapping_add_signed(gained) / 1_000_000 % 86_400_000) as u32
    }

    /// What is made of that at home, by the same means as on a router.
    pub fn ways(&mut self, sent: Time, received: Time, shown: u32) -> Option<(Micros, Micros)> {
        self.known.ways(sent, received, (shown, shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reflector_limits_its_answers_and_dies() {
        let character = Character {
            noise: Span::ZERO,
            spikes: 0.0,
            pause: Span::secs(1),
            dies: Moment::START + Span::secs(5),
            ..Character::at(Span::ms(30))
        };
        let mut reflector = Reflector::new(character, Random::new(1, 1));
        let answers: Vec<bool> = (0..20)
            .map(|n| reflector.travel(Moment::START + Span::ms(500 * n), Question::Echo))
            .map(|answer| answer.is_some_and(|(out, back)| out + back == Span::ms(30)))
            .collect();
        assert_eq!(answers.iter().filter(|&&answered| answered).count(), 5);
        assert!(answers[..10].iter().step_by(2).all(|&answered| answered));
    }

    #[test]
    fn a_reflector_answers_what_it_answers() {
        let answered = |character| {
            let mut reflector = Reflector::new(character, Random::new(1, 1));
            [Question::Timestamp, Question::Echo, Question::Tcp, Question::Dns]
                .map(|question| reflector.travel(Moment::START, question).is_some())
        };
        let usual = Character::at(Span::ms(30));
        assert_eq!(answered(usual), [true; 4]);
        assert_eq!(answered(Character { tells_time: false, ..usual }), [false, true, true, true]);
        let quiet = Character { answers_icmp: false, ..usual };
        assert_eq!(answered(quiet), [false, false, true, true]);
        assert_eq!(answered(Character { answers_dns: false, ..quiet }), [false, false, true, false]);
        assert_eq!(answered(Character { answers_tcp: false, ..quiet }), [false, false, false, true]);
    }

    #[test]
    fn noise_has_the_mean_and_the_spikes_it_promises() {
        let mut reflector = Reflector::new(Character::at(Span::ms(30)), Random::new(1, 1));
        let mut extra: Vec<f64> = (0..50_000)
            .filter_map(|_| reflector.travel(Moment::START, Question::Echo))
            .map(|(out, back)| (out + back).as_ms() - 30.0)
            .collect();
        let mean = extra.iter().sum::<f64>() / extra.len() as f64;
        extra.sort_by(f64::total_cmp);
        // 2 ms and one in a hundred of 37.5 ms.
        assert!((2.3..2.45).contains(&mean), "{mean}");
        let late = extra.iter().filter(|&&ms| ms > 20.0).count();
        assert!((350..500).contains(&late), "{late} of 50000 beyond 20 ms");
    }
}
