//! Running scripts, and what is said when they fail.

use crate::event::{Event, Observer};
use crate::execute::ScriptTexts;
use crate::fault::Fault;
use crate::names::{AnyPath, Shown};
use crate::plan::step::{ScriptCall, ScriptKind, ScriptRef};
use crate::system::child::{self, Ended};

/// How a script went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// It ended with status 0.
    Well,
    /// It is not in the configuration any more.
    Gone,
}

/// Runs a script and waits for it (compat SCR-1 to SCR-5).
pub(super) fn run(
    call: &ScriptCall,
    texts: &dyn ScriptTexts,
    observer: &mut dyn Observer,
) -> Result<Ran, Fault> {
    let Some(text) = look_up(call, texts, observer) else { return Ok(Ran::Gone) };
    observer.observe(&Event::ScriptStarted { call, text: &text, dry: false });
    match child::script(&text, call.os_args(), texts.limit(&call.script)) {
        Ok(Ended::Well) => Ok(Ran::Well),
        Ok(ended) => Err(failure(call, &ended.to_string())),
        Err(cause) => Err(failure(call, &format!("cannot run /bin/sh: {cause}"))),
    }
}

/// The text of a script; one that is gone is remarked upon.
pub(super) fn look_up(
    call: &ScriptCall,
    texts: &dyn ScriptTexts,
    observer: &mut dyn Observer,
) -> Option<Vec<u8>> {
    let text = texts.text(&call.script);
    if text.is_none() {
        let note = format!(
            "the {} script of '{}' is not run: it is not in the configuration any more",
            call.script.kind.spoken(),
            pattern(&call.script)
        );
        observer.observe(&Event::Note(&note));
    }
    text
}

/// The call of the script that runs before a file is removed (compat SCR-2).
pub(super) fn before_removal(script: &ScriptRef, file: std::path::PathBuf) -> ScriptCall {
    ScriptCall { script: script.clone(), args: vec![AnyPath(file)] }
}

/// The reference's sentence about a script that failed (compat SCR-5, ROT-90).
pub(super) fn failure(call: &ScriptCall, reason: &str) -> Fault {
    let script = &call.script;
    let (pattern, name) = (pattern(script), script.kind.spoken());
    Fault::new(match script.kind {
        ScriptKind::FirstAction | ScriptKind::LastAction => {
            format!("error running {name} script for {pattern}: {reason}")
        }
        ScriptKind::PreRotate | ScriptKind::PostRotate => match &script.log {
            Some(log) => {
                format!("error running non-shared {name} script for {log} of '{pattern}': {reason}")
            }
            None => format!("error running shared {name} script for '{pattern}': {reason}"),
        },
        ScriptKind::PreRemove => {
            let file = call.args.first().map(|a| Shown::path(&a.0).to_string()).unwrap_or_default();
            format!(
                "error running {name} script for {file} of '{pattern}' ({reason}). Not removing this file."
            )
        }
    })
}

/// The raw text of the pattern list: it comes from the configuration and is shown as it is written.
fn pattern(script: &ScriptRef) -> String {
    script.block.pattern.0.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::LogPath;
    use crate::plan::step::BlockKey;

    #[test]
    fn a_failed_script_is_told_in_the_reference_words() {
        use ScriptKind::{FirstAction, LastAction, PostRotate, PreRemove, PreRotate};
        for (kind, log, sentence) in [
            (FirstAction, false, "error running first action script for /l/*: R"),
            (LastAction, false, "error running last action script for /l/*: R"),
            (PreRotate, true, "error running non-shared prerotate script for /l/a of '/l/*': R"),
            (PostRotate, false, "error running shared postrotate script for '/l/*': R"),
            (
                PreRemove,
                true,
                "error running preremove script for /l/a.1 of '/l/*' (R). Not removing this file.",
            ),
        ] {
            let block =
                BlockKey { file: AnyPath("/etc/c".into()), pattern: AnyPath("/l/*".into()) };
            let log = log.then(|| LogPath::new("/l/a")).flatten();
            let args = vec![AnyPath("/l/a.1".into())];
            let call = ScriptCall { script: ScriptRef { block, kind, log }, args };
            assert_eq!(failure(&call, "R").message, sentence);
        }
    }
}
