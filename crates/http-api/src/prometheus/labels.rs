//! `/labels`, `/label/NAME/values` and `/series`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use masthead_ports::{LabelQuery, QueryCtx, SampleSource};

use super::{
    Shared,
    envelope::{self, TRUNCATED},
};
use crate::{error::ApiError, json, params::Params, time::go_quote};

/// `/labels`
pub(super) async fn names(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let question = read(&params, ApiError::bad)?;
    texts(&shared, params.gzip, question, |source, ctx, query| source.label_names(ctx, query)).await
}

/// `/label/NAME/values`
pub(super) async fn values(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = unescape_name(&name).unwrap_or(name);
    if name.is_empty() {
        return Err(ApiError::bad(format!("invalid label name: {}", go_quote(&name))));
    }
    let params = Params::read(request, &shared).await?;
    let question = read(&params, ApiError::bad)?;
    texts(&shared, params.gzip, question, move |source, ctx, query| {
        source.label_values(ctx, &name, query)
    })
    .await
}

/// `/series`
pub(super) async fn series(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad("no match[] parameter provided"));
    }
    let question = read(&params, |why| ApiError::parameter("match[]", why))?;
    let work = move |shared: &Shared, ctx: &QueryCtx, out: &mut _| {
        let Question { query, limit } = question;
        let mut found = shared.parts.source.series(ctx, &query)?;
        let warnings = cut(&mut found, limit, ctx);
        envelope::open(out);
        out.list(&found, json::push_labels)?;
        envelope::close(out, &warnings, &[]);
        out.check()
    };
    shared.lookup(params.gzip, work).await
}

struct Question {
    query: LabelQuery,
    /// 0 for no limit; the query asks for one more, so that we know whether there are more.
    limit: usize,
}

fn read(params: &Params, refuse: impl FnOnce(String) -> ApiError) -> Result<Question, ApiError> {
    let limit = params.limit()?;
    let range = params.range()?;
    let matchers = params.selectors("match[]").map_err(refuse)?;
    let asked = if limit == 0 { 0 } else { limit.saturating_add(1) };
    Ok(Question { query: LabelQuery { matchers, range, limit: asked }, limit })
}

async fn texts(
    shared: &Arc<Shared>,
    gzip: bool,
    question: Question,
    find: impl FnOnce(
        &dyn SampleSource,
        &QueryCtx,
        &LabelQuery,
    ) -> Result<Vec<String>, masthead_ports::QueryError>
    + Send
    + 'static,
) -> Result<Response, ApiError> {
    let work = move |shared: &Shared, ctx: &QueryCtx, out: &mut _| {
        let Question { query, limit } = question;
        let mut found = find(shared.parts.source.as_ref(), ctx, &query)?;
        let warnings = cut(&mut found, limit, ctx);
        envelope::open(out);
        out.list(&found, |buf, text| json::push_string(buf, text))?;
        envelope::close(out, &warnings, &[]);
        out.check()
    };
    shared.lookup(gzip, work).await
}

fn cut<T>(found: &mut Vec<T>, limit: usize, ctx: &QueryCtx) -> Vec<String> {
    let mut warnings = ctx.warnings();
    if limit > 0 && found.len() > limit {
        found.truncate(limit);
        warnings.push(TRUNCATED.to_owned());
    }
    warnings
}

/// Undoes the escaping of names that older clients could not send: `U__my_2e_name` is `my.name`.
///
/// Rules of `UnescapeName` in `common/model`: after the prefix `__` is `_`, and `_HEX_` is a
/// character. Nothing if the name is not escaped, or not properly.
fn unescape_name(name: &str) -> Option<String> {
    const HEX_MAX: usize = 6;
    let mut rest = name.strip_prefix("U__")?;
    let mut out = String::with_capacity(rest.len());
    while let Some((plain, from)) = rest.split_once('_') {
        out.push_str(plain);
        let (code, after) = from.split_once('_')?;
        if code.is_empty() {
            out.push('_');
        } else if code.len() <= HEX_MAX && code.bytes().all(|b| b.is_ascii_hexdigit()) {
            out.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?);
        } else {
            return None;
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_read_back() {
        let f = |name: &str, want: Option<&str>| {
            assert_eq!(unescape_name(name).as_deref(), want, "{name:?}");
        };
        f("job", None);
        f("U__my_2e_name", Some("my.name"));
        f("U__a__b", Some("a_b"));
        f("U___1F600__20_x", Some("😀 x"));
        f("U__", Some(""));
        f("U__a_", None);
        f("U__a_2e", None);
        f("U__a_xyz_", None);
        f("U__a_+2e_", None);
        f("U__a_d800_", None);
        f("U__a_1234567_", None);
    }
}
