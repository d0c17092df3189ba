// SPDX-License-Identifier: Apache-2.0
//! A queue of a fixed length: nothing is allocated while the controller runs.

/// First in, first out, at most `N`.
#[derive(Clone, Debug)]
pub struct Queue<T: Copy, const N: usize> {
    slots: [Option<T>; N],
    first: usize,
    count: usize,
}

impl<T: Copy, const N: usize> Default for Queue<T, N> {
    fn default() -> Self {
        Self { slots: [None; N], first: 0, count: 0 }
    }
}

impl<T: Copy, const N: usize> Queue<T, N> {
    /// Adds one at the end; a full queue gives it back.
    pub fn push(&mut self, value: T) -> Option<T> {
        if self.count == N {
            return Some(value);
        }
        if let Some(slot) = self.slots.get_mut((self.first + self.count) % N) {
            *slot = Some(value);
            self.count += 1;
        }
        None
    }

    /// Takes the first one.
    pub fn pop(&mut self) -> Option<T> {
        let value = self.slots.get_mut(self.first)?.take()?;
        self.first = (self.first + 1) % N;
        self.count -= 1;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_goes_first_and_a_full_queue_gives_back() {
        let mut queue: Queue<u32, 3> = Queue::default();
        for round in 0..5 {
            assert_eq!([10, 20, 30, 40].map(|n| queue.push(n + round)), [None, None, None, Some(40 + round)]);
            assert_eq!(
                [(); 4].map(|()| queue.pop()),
                [Some(10 + round), Some(20 + round), Some(30 + round), None]
            );
        }
    }
}
