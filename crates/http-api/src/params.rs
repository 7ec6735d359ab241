//! The parameters of a request: from the URL and, for POST, from a form in the body.
//!
//! As Go's `net/http`: the form comes before the URL, and of one name the first value counts
//! unless all are asked for. Parsing never fails; what a value must be is the endpoint's business.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};
use masthead_model::{ErrorClass, Matcher, Millis, TimeRange};

use crate::{
    desk::Desk,
    error::ApiError,
    stream::accepts_gzip,
    time::{MAX_TIME, MIN_TIME, parse_time},
    upload::{self, Limit},
};

/// Parameters of one request at most.
const PARAMETERS_MAX: usize = 50_000;

/// Names and values in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Params {
    form: Vec<(String, String)>,
    url: Vec<(String, String)>,
    /// Whether the client takes gzip.
    pub(crate) gzip: bool,
}

impl Params {
    /// Reads the URL and, where it is a form, the body.
    pub(crate) async fn read(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let url = pairs(head.uri.query().unwrap_or("").as_bytes())?;
        let gzip = accepts_gzip(&head.headers);
        let takes_form = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
        if !takes_form || !is_form(&head.headers) {
            return Ok(Self { form: Vec::new(), url, gzip });
        }
        let limit = Limit { bytes: desk.limits.form, flag: "--web.max-form-size" };
        let stall = desk.limits.stall;
        let upload = upload::read(body, limit, &desk.budget, stall).await?;
        Ok(Self { form: pairs(&upload.bytes)?, url, gzip })
    }

    /// The first value of `name`; empty if there is none.
    pub(crate) fn first(&self, name: &str) -> &str {
        let named = |(n, _): &&(String, String)| n == name;
        self.form.iter().chain(&self.url).find(named).map_or("", |(_, value)| value)
    }

    /// The first value of `name` in the URL; empty if there is none.
    pub(crate) fn in_url(&self, name: &str) -> &str {
        self.url.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// Every value of `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(n, value): &'a (String, String)| (n == name).then_some(value.as_str());
        self.form.iter().chain(&self.url).filter_map(named)
    }

    /// `limit` as a count; 0, the default, for no limit.
    pub(crate) fn limit(&self) -> Result<usize, ApiError> {
        match self.first("limit") {
            "" => Ok(0),
            text => parse_int(text)
                .and_then(|n| {
                    usize::try_from(n).map_err(|_| "limit must be non-negative".to_owned())
                })
                .map_err(|why| ApiError::parameter("limit", why)),
        }
    }

    /// A count that may be absent or negative, both of which mean none.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, ApiError> {
        match self.first(name) {
            "" => Ok(None),
            text => parse_int(text)
                .map(|n| usize::try_from(n).ok())
                .map_err(|_| ApiError::bad(format!("{name} must be a number"))),
        }
    }

    /// An instant that must be there.
    pub(crate) fn time(&self, name: &str) -> Result<Millis, ApiError> {
        parse_time(self.first(name)).map_err(|why| ApiError::parameter(name, why))
    }

    /// An instant that may be absent.
    pub(crate) fn time_or(&self, name: &str, default: Millis) -> Result<Millis, ApiError> {
        match self.first(name) {
            "" => Ok(default),
            text => parse_time(text).map_err(|why| {
                ApiError::parameter(name, format!("invalid time value for '{name}': {why}"))
            }),
        }
    }

    /// `start` and `end`, all of time if absent; a range that holds nothing is left to the caller.
    pub(crate) fn range(&self) -> Result<TimeRange<Millis>, ApiError> {
        let start = self.time_or("start", MIN_TIME)?;
        let end = self.time_or("end", MAX_TIME)?;
        Ok(TimeRange { start, end })
    }

    /// The selectors in `name`, each of which must need a label to be there.
    pub(crate) fn selectors(&self, name: &str) -> Result<Vec<Vec<Matcher>>, String> {
        let mut sets = Vec::new();
        for text in self.all(name) {
            sets.push(parse_selector(text)?);
        }
        if sets.iter().any(|set| set.iter().all(Matcher::matches_empty)) {
            return Err("match[] must contain at least one non-empty matcher".to_owned());
        }
        Ok(sets)
    }

    /// A truth value as Go's `strconv.ParseBool` reads it; false if absent.
    pub(crate) fn boolean(text: &str) -> Result<bool, String> {
        match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
            "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
            _ => Err(format!("strconv.ParseBool: parsing \"{text}\": invalid syntax")),
        }
    }
}

/// Reads one selector such as `up{job="api"}`.
pub(crate) fn parse_selector(text: &str) -> Result<Vec<Matcher>, String> {
    masthead_promql::parse_selector(text).map_err(|errors| errors.to_string())
}

/// A whole number with the error texts of Go's `strconv.Atoi`.
fn parse_int(text: &str) -> Result<i64, String> {
    text.parse::<i64>().map_err(|error| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                "value out of range"
            }
            _ => "invalid syntax",
        };
        format!("strconv.Atoi: parsing \"{text}\": {why}")
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn pairs(bytes: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let mut pairs = Vec::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if pairs.len() == PARAMETERS_MAX {
            let message = format!("more than {PARAMETERS_MAX} parameters in one request");
            return Err(ApiError::new(ErrorClass::TooLarge, message));
        }
        pairs.push((name.into_owned(), value.into_owned()));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(form: &str, url: &str) -> Params {
        let pairs = |text: &str| pairs(text.as_bytes()).expect("few");
        Params { form: pairs(form), url: pairs(url), gzip: false }
    }

    #[test]
    fn the_form_comes_before_the_url() {
        let p = params("a=1&match[]=x", "a=2&match%5B%5D=y%20z&b=+");
        assert_eq!(p.first("a"), "1");
        assert_eq!(p.in_url("a"), "2");
        assert_eq!(p.all("match[]").collect::<Vec<_>>(), ["x", "y z"]);
        assert_eq!((p.first("b"), p.first("none")), (" ", ""));
    }

    #[test]
    fn limits_have_gos_error_texts() {
        let f = |text: &str, want: Result<usize, &str>| {
            let got = params("", &format!("limit={text}")).limit().map_err(|e| e.message);
            let want = want.map_err(|why| format!("invalid parameter \"limit\": {why}"));
            assert_eq!(got, want, "{text:?}");
        };
        f("", Ok(0));
        f("0", Ok(0));
        f("17", Ok(17));
        f("-1", Err("limit must be non-negative"));
        f("x", Err("strconv.Atoi: parsing \"x\": invalid syntax"));
        let huge = "99999999999999999999";
        f(huge, Err(&format!("strconv.Atoi: parsing \"{huge}\": value out of range")));
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        let flood = "a&".repeat(PARAMETERS_MAX + 1);
        assert_eq!(pairs(flood.as_bytes()).expect_err("too many").class, ErrorClass::TooLarge);
    }

    #[test]
    fn absent_times_are_the_ends_of_time() {
        let p = params("", "end=5");
        assert_eq!(p.range().expect("valid"), TimeRange { start: MIN_TIME, end: Millis(5000) });
        let error = params("", "start=x").range().expect_err("not a time");
        let want = concat!(
            "invalid parameter \"start\": invalid time value for 'start': ",
            "cannot parse \"x\" to a valid timestamp"
        );
        assert_eq!(error.message, want);
    }
}
