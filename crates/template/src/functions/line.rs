//! What the line itself is.

use super::{Function, f};
use crate::time::Time;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("__line__", &[], |call, _| Ok(Value::bytes(call.env.line())), "The line."),
    f("__timestamp__", &[], |call, _| Ok(Value::Time(Time::from_nanos(call.env.timestamp()))), "When the line was written."),
    f("now", &[], |call, _| Ok(Value::Time(Time::from_nanos(call.env.now()))), "The present instant."),
];
