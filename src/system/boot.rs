//! Which boot of the machine this is.

/// The kernel's identifier of the running boot, or an empty text where it has none. Device numbers
/// mean something only within one boot.
#[expect(clippy::disallowed_methods, reason = "system is where effects live")]
pub fn id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
