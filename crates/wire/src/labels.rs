//! From borrowed pairs to a label set, under the limits.

use std::borrow::Cow;

use masthead_model::Labels;

use crate::{Error, Limits, limits::shortened, proto::Writer};

/// Pairs on their way to a set.
pub(crate) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Checks the limits and makes the set; pairs with an empty value are not there.
pub(crate) fn to_labels(pairs: &mut Pairs<'_>, limits: &Limits) -> Result<Labels, Error> {
    limits.check_label_count(pairs.len(), || {
        let name = pairs.iter().find(|(name, _)| name == masthead_model::METRIC_NAME);
        format!("series {}", shortened(name.map_or("", |(_, value)| value)))
    })?;
    for (name, value) in pairs.iter() {
        limits.check_label(name, value)?;
    }
    Labels::from_pairs(pairs).map_err(|error| Error::Content(error.to_string()))
}

/// Labels as the first field of a message, one name and value each.
pub(crate) fn write_labels(w: &mut Writer<'_>, labels: &Labels) {
    for label in labels {
        w.nested(1, |w| {
            w.text(1, label.name);
            w.text(2, label.value);
        });
    }
}
