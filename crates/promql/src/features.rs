//! Which experimental parts of the language are allowed.
//!
//! One value is handed to each parse; there is no global switch. Names of upstream's flags are in
//! the error texts that the parser gives when something is off.

/// The experimental parts of the language; all are off by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one switch for each of upstream's flags")]
pub struct Features {
    /// Functions and aggregations marked experimental: `promql-experimental-functions`.
    pub experimental_functions: bool,
    /// Arithmetic in durations: `promql-duration-expr`.
    pub duration_expressions: bool,
    /// `anchored` and `smoothed`: `promql-extended-range-selectors`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`: `promql-binop-fill-modifiers`.
    pub fill_modifiers: bool,
}

impl Features {
    /// Only what is stable.
    pub const STABLE: Self = Self {
        experimental_functions: false,
        duration_expressions: false,
        extended_range_selectors: false,
        fill_modifiers: false,
    };

    /// Everything, as upstream's own test scripts are run.
    pub const ALL: Self = Self {
        experimental_functions: true,
        duration_expressions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
    };
}
