//! What holds for every plan, whatever is there and whatever is wanted.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// The names of a directory, and whose content each holds.
type Disk = BTreeMap<FileName, String>;

/// Does what a plan says, and fails if a step writes a name that is in use.
fn carry_out(built: &Built, disk: &mut Disk) -> Result<(), TestCaseError> {
    let free = |disk: &Disk, place: &Place, step: &Step| {
        prop_assert!(!disk.contains_key(&place.name), "{step:?} overwrites {:?}", place.name);
        Ok(())
    };
    for step in &built.plan.steps {
        match &step.action {
            Action::Rename { from, to }
            | Action::Publish { temp: from, to }
            | Action::Install { temp: from, log: to } => {
                if let Some(content) = disk.remove(&from.name) {
                    free(disk, to, step)?;
                    disk.insert(to.name.clone(), content);
                }
            }
            Action::Create { temp, .. } => {
                free(disk, temp, step)?;
                disk.insert(temp.name.clone(), "new".into());
            }
            Action::Copy { from, temp, .. } | Action::Compress { from, temp, .. } => {
                free(disk, temp, step)?;
                let content = disk.get(&from.name).cloned();
                prop_assert!(content.is_some(), "{step:?}: nothing is there");
                disk.insert(temp.name.clone(), content.unwrap_or_default());
            }
            Action::Cut { log, archive, .. } => {
                if let Some(archive) = archive
                    && let Some(content) = disk.remove(&archive.temp.name)
                {
                    free(disk, &archive.to, step)?;
                    disk.insert(archive.to.name.clone(), content);
                }
                disk.insert(log.name.clone(), "new".into());
            }
            Action::Remove { file, .. } => {
                disk.remove(&file.name);
            }
            Action::MakeDir { .. }
            | Action::Mail { .. }
            | Action::Script(_)
            | Action::Signal(_) => {}
        }
    }
    Ok(())
}

/// The policies that are tried: count, compression, method.
fn policies() -> impl Strategy<Value = (u32, Policy)> {
    let method = (any::<bool>(), any::<bool>());
    let method = method.prop_map(|(copy, copy_truncate)| MethodSettings {
        copy,
        copy_truncate,
        ..MethodSettings::default()
    });
    (1..6_u32, any::<bool>(), any::<bool>(), any::<bool>(), method).prop_map(
        |(count, enabled, delayed, create, method)| {
            let mut policy = keep(count);
            policy.compression =
                Rc::new(Compression { enabled, delayed, ..Compression::default() });
            policy.create = Rc::new(Create { enabled: create, ..Create::default() });
            policy.method = Rc::new(method);
            (count, policy)
        },
    )
}

/// Carries the plan out on a disk that holds the log and these versions; gives what is kept.
fn kept(
    policy: &Policy,
    versions: &[(String, i64)],
) -> Result<(Built, BTreeSet<String>), TestCaseError> {
    let versions: Vec<_> = versions.iter().map(|(text, age)| (text.as_str(), *age)).collect();
    let mut disk: Disk = versions.iter().map(|v| (name(v.0), v.0.to_owned())).collect();
    disk.insert(name("a"), "a".into());
    let built = planned(policy, vec![subject("/d/a", &versions)]);
    carry_out(&built, &mut disk)?;
    for left in disk.keys() {
        let shown = Shown(left.as_bytes()).to_string();
        prop_assert!(!shown.starts_with('.'), "{shown} is left over");
    }
    Ok((built, disk.into_values().collect()))
}

proptest! {
    /// The log, and the versions that are young enough for the count, survive every plan; what it
    /// lets go is beyond the count.
    #[test]
    fn no_plan_removes_a_numbered_version_that_the_policy_keeps(
        (count, policy) in policies(),
        slots in prop::collection::btree_map(1..9_u32, any::<bool>(), 0..8),
    ) {
        let text = |slot: u32, packed: bool| format!("a.{slot}{}", if packed { ".gz" } else { "" });
        let versions: Vec<_> =
            slots.iter().map(|(&slot, &packed)| (text(slot, packed), i64::from(slot))).collect();
        let (built, kept) = kept(&policy, &versions)?;
        prop_assert!(built.faults.is_empty());
        prop_assert!(kept.contains("a"), "the log is lost");
        for (&slot, &packed) in slots.iter().filter(|(slot, _)| **slot < count) {
            let version = text(slot, packed);
            prop_assert!(kept.contains(&version), "{} is lost with rotate {count}", version);
        }
        // Full up to the count: there is one too many now, and it goes.
        if (1..=count).all(|slot| slots.contains_key(&slot)) {
            prop_assert!(!kept.contains(&text(count, slots[&count])));
        }
    }

    #[test]
    fn no_plan_removes_a_dated_version_that_the_policy_keeps(
        (count, policy) in policies(),
        days in prop::collection::btree_map(1..29_u32, any::<bool>(), 0..9),
    ) {
        let text = |day: u32, packed: bool| {
            format!("a-202601{day:02}{}", if packed { ".gz" } else { "" })
        };
        let versions: Vec<_> =
            days.iter().map(|(&day, &packed)| (text(day, packed), 40 - i64::from(day))).collect();
        let (built, kept) = kept(&dated(policy), &versions)?;
        prop_assert!(built.faults.is_empty());
        prop_assert!(kept.contains("a"), "the log is lost");
        for (n, (&day, &packed)) in days.iter().rev().enumerate() {
            let version = text(day, packed);
            let stays = n + 1 < count as usize;
            prop_assert_eq!(kept.contains(&version), stays, "{} with rotate {}", version, count);
        }
    }
}
