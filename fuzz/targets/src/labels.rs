//! Label sets as text: printing then parsing is identity.

use masthead_model::Labels;

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(labels) = text.parse::<Labels>() {
        assert_eq!(labels.to_string().parse(), Ok(labels));
    }
}
