// SPDX-License-Identifier: Apache-2.0
//! Bringing short lists into order: what std can too, larger.

/// Like `sort_by_key`, for lists as short as people write them: equals keep their order. std's is a merge sort of 600
/// bytes on MIPS for each type it sorts.
pub fn by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    by(list, |one, other| key(one) < key(other));
}

/// Like `sort_unstable`, for short lists.
pub fn rising<T: Ord>(list: &mut [T]) {
    by(list, |one, other| one < other);
}

fn by<T>(list: &mut [T], is_before: impl Fn(&T, &T) -> bool) {
    for mut at in 1..list.len() {
        while let Some([.., before, one]) = list.get_mut(..=at)
            && is_before(one, before)
        {
            core::mem::swap(before, one);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_as_std_would_sort_them_and_equals_keep_their_order() {
        for list in
            [&[][..], &[(1, 'a')], &[(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e'), (0, 'f'), (3, 'g')]]
        {
            let (mut ours, mut theirs) = (list.to_vec(), list.to_vec());
            by_key(&mut ours, |(key, _)| *key);
            theirs.sort_by_key(|(key, _)| *key);
            assert_eq!(ours, theirs);
            rising(&mut ours);
            theirs.sort_unstable();
            assert_eq!(ours, theirs);
        }
    }
}
