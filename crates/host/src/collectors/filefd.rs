//! `/proc/sys/fs/file-nr`: open files of the whole machine.

use super::Context;
use crate::{Error, Families, files::number};

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/sys/fs/file-nr";
    let text = context.files.read(path)?;
    let mut words = text.split_ascii_whitespace().map(number);
    let (Some(Some(allocated)), Some(_), Some(Some(maximum))) =
        (words.next(), words.next(), words.next())
    else {
        return Err(context.malformed(path, 0, "three numbers"));
    };
    into.gauge("node_filefd_allocated", "Files that are open.").row(&[], allocated);
    into.gauge("node_filefd_maximum", "Files that can be open at once.").row(&[], maximum);
    Ok(())
}
