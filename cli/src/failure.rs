//! What went wrong, in words and as an exit code.

use std::process::ExitCode;

use larp_runtime::RuntimeError;
use larp_runtime::pipeline::PipelineError;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

/// Prints an error with its causes, and gives the exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprint!("{}", text(error));
    ExitCode::from(if is_usage(error) { USAGE } else { FAILURE })
}

/// `error: ...`, and a line for each cause that the lines before do not quote already.
fn text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!("  caused by: {cause}\n");
        }
    }
    text
}

/// Whether the command line itself is wrong.
fn is_usage(error: &anyhow::Error) -> bool {
    let pipeline = error.downcast_ref::<PipelineError>().or_else(|| match error.downcast_ref::<RuntimeError>() {
        Some(RuntimeError::Pipeline(error)) => Some(error),
        _ => None,
    });
    matches!(pipeline, Some(PipelineError::Set { .. }))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_have_a_line_each_but_are_not_said_twice() {
        let error = anyhow!("no such file").context("cannot read `a`").context("bad start: cannot read `a`");
        assert_eq!(text(&error), "error: bad start: cannot read `a`\n  caused by: no such file\n");
    }
}
