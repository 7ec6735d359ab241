//! The closed list of methods that are label values.
//!
//! A client may send any token as a method; all that are not in this list share `OTHER`.

/// A method as a label value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Connect,
    Delete,
    Get,
    Head,
    Options,
    Other,
    Patch,
    Post,
    Put,
    Trace,
}

impl Method {
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// In the order of the variants, which is the order of the names.
    pub(crate) const ALL: [Self; 10] = [
        Self::Connect,
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Other,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Trace,
    ];

    pub(crate) fn of(method: &http::Method) -> Self {
        let name = method.as_str();
        Self::ALL
            .into_iter()
            .find(|known| *known != Self::Other && known.name() == name)
            .unwrap_or(Self::Other)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Other => "OTHER",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Trace => "TRACE",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_methods_keep_their_name_and_all_others_share_one() {
        let f = |method: &str, want: &str| {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(Method::of(&method).name(), want);
        };
        for known in Method::ALL {
            f(known.name(), known.name());
        }
        f("get", "OTHER");
        f("PROPFIND", "OTHER");
        f("X".repeat(200).as_str(), "OTHER");
    }

    #[test]
    fn the_index_is_the_place_in_the_list() {
        for (place, method) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method.index(), place);
        }
    }
}
