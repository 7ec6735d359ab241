//! `label_replace` and `label_join`: the same samples under other labels.

use masthead_model::{Labels, METRIC_NAME, Regexp};
use masthead_vecmath::StepGrid;

use crate::{
    ast::{Call, Expr, StringLiteral},
    engine::{Error, Evaluation, Value, merge_same_labels},
};

pub(super) fn label_replace(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let [vector, target, replacement, source, pattern] = &call.args[..] else {
        return Ok(Value::Vector(Vec::new()));
    };
    let (target, replacement) = (text(target)?, text(replacement)?);
    let (source, pattern) = (text(source)?, text(pattern)?);
    let regexp = Regexp::new(&pattern.value).map_err(|_| {
        let pattern = &pattern.value;
        Error::execution(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    check_name(target, "destination", "label_replace")?;
    let replacement = &replacement.value;
    let references = replacement.bytes().filter(|byte| *byte == b'$').count();
    relabel(evaluation, vector, &target.value, grid, |labels| {
        let source = labels.get(&source.value).unwrap_or("");
        let Some(captures) = regexp.captures(source) else { return Ok(None) };
        // No group is longer than the whole.
        let most = references.saturating_mul(source.len()).saturating_add(replacement.len());
        evaluation.charge_labels(most)?;
        let mut value = Vec::new();
        captures.expand(replacement.as_bytes(), &mut value);
        // Pieces of text are text.
        Ok(Some(String::from_utf8(value).unwrap_or_default()))
    })
}

pub(super) fn label_join(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
) -> Result<Value, Error> {
    let [vector, target, separator, sources @ ..] = &call.args[..] else {
        return Ok(Value::Vector(Vec::new()));
    };
    let (target, separator) = (text(target)?, text(separator)?);
    let sources: Vec<&StringLiteral> = sources.iter().map(text).collect::<Result<_, _>>()?;
    for source in &sources {
        check_name(source, "source", "label_join")?;
    }
    check_name(target, "destination", "label_join")?;
    relabel(evaluation, vector, &target.value, grid, |labels| {
        let values = sources.iter().map(|source| labels.get(&source.value).unwrap_or(""));
        let values: Vec<&str> = values.collect();
        let most = values.iter().map(|value| value.len() + separator.value.len()).sum();
        evaluation.charge_labels(most)?;
        Ok(Some(values.join(&separator.value)))
    })
}

/// Sets one label of each row to what `value` gives; an empty value removes it.
fn relabel(
    evaluation: &Evaluation<'_>,
    vector: &Expr,
    target: &str,
    grid: &StepGrid,
    value: impl Fn(&Labels) -> Result<Option<String>, Error>,
) -> Result<Value, Error> {
    let mut rows = evaluation.vector(vector, grid)?;
    for row in &mut rows {
        // An expression over one long value can take a tenth of a second.
        evaluation.ctx.check()?;
        if let Some(value) = value(&row.labels)? {
            row.labels = row.labels.to_builder().set(target, &value).build();
            // A name that was just given is not dropped later.
            row.drop_name &= target != METRIC_NAME;
        }
    }
    merge_same_labels(rows).map(Value::Vector)
}

fn text(arg: &Expr) -> Result<&StringLiteral, Error> {
    match arg.unparen() {
        Expr::String(literal) => Ok(literal),
        // The parser has checked the types.
        _ => Err(Error::execution("expected a string literal")),
    }
}

/// Since Prometheus 3 any text names a label, but not nothing.
fn check_name(name: &StringLiteral, role: &str, function: &str) -> Result<(), Error> {
    if name.value.is_empty() || name.not_utf8.is_some() {
        let name = &name.value;
        return Err(Error::execution(format!("invalid {role} label name in {function}(): {name}")));
    }
    Ok(())
}
