//! The chain of a numbered log: which old versions move up, and which must go first.

use std::collections::BTreeMap;

use crate::names::Slot;
use crate::units::KeepCount;

/// What happens to the slots of one log before its newest version takes the lowest one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// Slots whose files move up by one, highest first, so that no move meets a name in use. Expired
    /// ones are among them: a file that could not be removed moves out of the way like the others.
    pub shifts: Vec<Slot>,
    /// The occupied slot just above the kept ones, if the chain would run into it: it is disposed of
    /// before anything moves.
    pub dispose_first: Option<Slot>,
    /// The slot above the kept ones as it stands after the moves: disposed of in the end.
    pub dispose_last: Option<Slot>,
    /// The slot that its files have before the moves.
    pub leaves_from: Option<Slot>,
    /// Slots whose files are past `maxage`, highest first, as the reference takes them: removed where
    /// they are, before anything moves.
    pub expired: Vec<Slot>,
    /// The first free slot above `dispose_first`: where its file goes if it must stay.
    pub refuge: Option<Slot>,
}

/// Works out the chain (design.md, *The chain*).
///
/// It is the occupied slots from `start` up to the first free one. Files above the first gap stay
/// (moving them would only cost names, compat B-19), and so does everything above `start + count`.
/// A slot holds what `maxage` says about its files. With `rotate 0` nothing old is disposed of
/// (compat B-25), so the chain simply makes room.
pub fn chain(start: u32, count: KeepCount, slots: &BTreeMap<Slot, SlotAge>) -> Chain {
    let limit = match count {
        KeepCount::Last(n) if n > 0 => start.checked_add(n).map(Slot),
        KeepCount::Last(_) | KeepCount::All => None,
    };
    let in_chain = contiguous(Slot(start), slots)
        .take_while(|&slot| limit.is_none_or(|limit| slot < limit))
        .collect::<Vec<_>>();
    let old = |slot: &Slot| slots.get(slot) == Some(&SlotAge::Expired);

    let runs_into = limit.is_some() && in_chain.last().and_then(|slot| slot.next()) == limit;
    let occupied_limit = limit.filter(|limit| slots.contains_key(limit));

    Chain {
        dispose_first: occupied_limit.filter(|_| runs_into),
        refuge: occupied_limit.filter(|_| runs_into).and_then(|slot| first_free(slot, slots)),
        dispose_last: if runs_into { limit } else { occupied_limit },
        leaves_from: if runs_into { in_chain.last().copied() } else { occupied_limit },
        expired: slots
            .keys()
            .rev()
            .copied()
            .filter(|&slot| slot >= Slot(start) && limit.is_none_or(|limit| slot < limit))
            .filter(old)
            .collect(),
        shifts: in_chain.into_iter().rev().collect(),
    }
}

/// Whether a slot's files are past `maxage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotAge {
    /// They stay.
    Kept,
    /// They go.
    Expired,
}

fn contiguous(start: Slot, slots: &BTreeMap<Slot, SlotAge>) -> impl Iterator<Item = Slot> {
    std::iter::successors(Some(start), |slot| slot.next())
        .take_while(|slot| slots.contains_key(slot))
}

fn first_free(above: Slot, slots: &BTreeMap<Slot, SlotAge>) -> Option<Slot> {
    std::iter::successors(above.next(), |slot| slot.next()).find(|slot| !slots.contains_key(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(kept: &[u32], expired: &[u32]) -> BTreeMap<Slot, SlotAge> {
        let kept = kept.iter().map(|&n| (Slot(n), SlotAge::Kept));
        let expired = expired.iter().map(|&n| (Slot(n), SlotAge::Expired));
        kept.chain(expired).collect()
    }

    fn numbers(slots: &[Slot]) -> Vec<u32> {
        slots.iter().map(|s| s.0).collect()
    }

    #[test]
    fn the_chain_ends_at_the_first_gap() {
        let chain = chain(1, KeepCount::Last(10), &slots(&[1, 2, 4, 5], &[]));
        assert_eq!(numbers(&chain.shifts), [2, 1]);
        assert_eq!(chain.dispose_last, None);
    }

    #[test]
    fn the_oldest_kept_version_moves_out_and_is_disposed_of_last() {
        let chain = chain(1, KeepCount::Last(3), &slots(&[1, 2, 3], &[]));
        assert_eq!(numbers(&chain.shifts), [3, 2, 1]);
        assert_eq!((chain.dispose_first, chain.dispose_last), (None, Some(Slot(4))));
        assert_eq!(chain.leaves_from, Some(Slot(3)));
    }

    #[test]
    fn a_left_over_above_the_kept_slots_goes_first() {
        let chain = chain(1, KeepCount::Last(2), &slots(&[1, 2, 3, 4, 6], &[]));
        assert_eq!(numbers(&chain.shifts), [2, 1]);
        assert_eq!(chain.dispose_first, Some(Slot(3)));
        assert_eq!(chain.refuge, Some(Slot(5)));
        assert_eq!(chain.dispose_last, Some(Slot(3)));
    }

    #[test]
    fn a_left_over_that_nothing_runs_into_goes_last() {
        let chain = chain(1, KeepCount::Last(2), &slots(&[1, 3], &[]));
        assert_eq!(numbers(&chain.shifts), [1]);
        assert_eq!((chain.dispose_first, chain.dispose_last), (None, Some(Slot(3))));
    }

    #[test]
    fn nothing_above_the_disposed_slot_is_touched() {
        let chain = chain(1, KeepCount::Last(1), &slots(&[1, 2, 3, 4], &[3, 4]));
        assert_eq!(numbers(&chain.shifts), [1]);
        assert_eq!(numbers(&chain.expired), Vec::<u32>::new());
    }

    #[test]
    fn expired_versions_go_also_above_the_gap_but_only_the_chain_moves() {
        let chain = chain(1, KeepCount::Last(5), &slots(&[1], &[2, 3, 5]));
        assert_eq!(numbers(&chain.shifts), [3, 2, 1]);
        assert_eq!(numbers(&chain.expired), [5, 3, 2]);
    }

    #[test]
    fn keeping_all_disposes_of_nothing() {
        let chain = chain(0, KeepCount::All, &slots(&[0, 1, 2, 20_240_101], &[]));
        assert_eq!(numbers(&chain.shifts), [2, 1, 0]);
        assert_eq!(chain.dispose_last, None);
    }

    #[test]
    fn keeping_none_makes_room_without_disposing_of_old_versions() {
        let chain = chain(1, KeepCount::Last(0), &slots(&[1, 2], &[]));
        assert_eq!(numbers(&chain.shifts), [2, 1]);
        assert_eq!((chain.dispose_first, chain.dispose_last), (None, None));
    }

    #[test]
    fn the_highest_number_does_not_overflow() {
        let chain = chain(u32::MAX, KeepCount::Last(1), &slots(&[u32::MAX], &[]));
        assert_eq!(numbers(&chain.shifts), [u32::MAX]);
    }
}
